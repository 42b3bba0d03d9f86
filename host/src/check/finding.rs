//! What a check finds.

use crate::error::CopalError;

/// One finding.
#[derive(Debug)]
pub struct Finding {
    /// What was looked at.
    pub part: Part,
    /// Which one, where there may be several.
    pub about: Option<String>,
    /// What was found.
    pub told: Told,
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The configuration.
    Config,
    /// A hook: its component, and what it is granted.
    Hook,
    /// The source.
    Source,
    /// A database in the source.
    Database,
    /// How files are staged, and the room for it.
    Staging,
    /// A service that may be held.
    Service,
    /// rclone's configuration.
    Rclone,
    /// A destination.
    Destination,
    /// This machine's clock.
    Clock,
    /// Where Copal keeps its state.
    State,
    /// The job's lock.
    Lock,
    /// What runs hold, or left held.
    Held,
    /// What starts the job by itself.
    Schedule,
    /// The last good backup.
    LastRun,
    /// The file of the log, where its owner names one.
    Log,
    /// The file that metrics are written into.
    Metrics,
}

/// How it stands with a part.
#[derive(Debug)]
pub enum Told {
    /// As it should be.
    Well(String),
    /// A backup would succeed, and somebody may want to see to this.
    Note {
        /// What it is.
        what: String,
        /// What to do.
        next: String,
    },
    /// A backup would fall short of something.
    Warning(Box<CopalError>),
    /// A backup would fail.
    Failure(Box<CopalError>),
}

impl Part {
    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Hook => "hook",
            Self::Source => "source",
            Self::Database => "database",
            Self::Staging => "staging",
            Self::Service => "service",
            Self::Rclone => "rclone",
            Self::Destination => "destination",
            Self::Clock => "clock",
            Self::State => "state",
            Self::Lock => "lock",
            Self::Held => "held",
            Self::Schedule => "schedule",
            Self::LastRun => "last-run",
            Self::Log => "log",
            Self::Metrics => "metrics",
        }
    }
}

/// All findings so far, in their order.
#[derive(Debug, Default)]
pub(super) struct Findings(pub(super) Vec<Finding>);

impl Findings {
    pub(super) fn well(&mut self, part: Part, about: Option<&str>, what: impl Into<String>) {
        self.add(part, about, Told::Well(what.into()));
    }

    pub(super) fn note(
        &mut self,
        part: Part,
        about: Option<&str>,
        (what, next): (impl Into<String>, impl Into<String>),
    ) {
        let (what, next) = (what.into(), next.into());
        self.add(part, about, Told::Note { what, next });
    }

    pub(super) fn warning(
        &mut self,
        part: Part,
        about: Option<&str>,
        error: impl Into<CopalError>,
    ) {
        self.add(part, about, Told::Warning(Box::new(error.into())));
    }

    pub(super) fn failure(
        &mut self,
        part: Part,
        about: Option<&str>,
        error: impl Into<CopalError>,
    ) {
        self.add(part, about, Told::Failure(Box::new(error.into())));
    }

    fn add(&mut self, part: Part, about: Option<&str>, told: Told) {
        let about = about.map(str::to_owned);
        self.0.push(Finding { part, about, told });
    }
}
