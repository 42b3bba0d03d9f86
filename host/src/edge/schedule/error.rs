//! Why a job can't be scheduled.

use std::io;
use std::path::PathBuf;

use copal_core::name::Name;
use copal_core::schedule::{BrokenBlock, Unwritable};

/// Why a job can't be scheduled, or it can't be told whether it is.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// Somebody changed what marks Copal's part.
    #[error("can't tell Copal's part of {place} from the rest")]
    Broken {
        /// The crontab.
        place: String,
        /// What is wrong with it.
        source: BrokenBlock,
    },
    /// The command can't be written down.
    #[error("can't write down the command of the job")]
    Unwritable(#[from] Unwritable),
    /// A program could not be started.
    #[error("can't run `{program}`")]
    NoProgram {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program refused.
    #[error("`{command}` failed: {said}")]
    Refused {
        /// What was run.
        command: String,
        /// What it said.
        said: String,
    },
    /// A file can't be read or written.
    #[error("can't {deed} `{}`", .path.display())]
    Io {
        /// What was to be done.
        deed: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody else wrote a file of this name.
    #[error("`{}` is not by `copal schedule`", .0.display())]
    NotOurs(PathBuf),
    /// The crontab is not what was written.
    #[error("the crontab was changed by somebody else in the same moment")]
    Changed,
    /// Lines end as on another system.
    #[error("the crontab has lines that end with a carriage return")]
    Carriage,
    /// Another configuration of the same name is scheduled.
    #[error("the job of another configuration is scheduled under this name: {0}")]
    Others(String),
    /// cron goes by the machine's own clock.
    #[error("cron goes by this machine's time zone, `{machine}`, and not by `{wanted}`")]
    Zone {
        /// The one that was named.
        wanted: String,
        /// The machine's.
        machine: String,
    },
    /// There is no such time zone.
    #[error("there is no time zone `{name}`")]
    NoZone {
        /// The name.
        name: String,
        /// Why.
        source: jiff::Error,
    },
    /// It is scheduled already, by something else.
    #[error("the job is scheduled already, by {0}")]
    Elsewhere(String),
    /// The same, by the units of a package.
    #[error("the job is started already by `{0}`, of Copal's package")]
    Packaged(String),
    /// Its configuration is scheduled under another name, which it had before most likely.
    #[error("this configuration is scheduled already under the name `{name}`, by {place}")]
    Renamed {
        /// That name.
        name: Name,
        /// Where it stands.
        place: String,
    },
    /// A run could begin after the next one.
    #[error("the jitter is as long as the shortest time between two runs, or longer")]
    Jitter,
    /// A start would not know what this shell knows.
    #[error("can't tell where this program lies")]
    NoSelf(#[source] io::Error),
}

impl ScheduleError {
    /// Why it is an error at all, for what has no cause below it.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Refused { .. } => Some("without it the job would not be started"),
            Self::NotOurs(_) => {
                Some("it has the name that Copal's would have, and another wrote it")
            }
            Self::Changed => Some("what was written is not what it says now"),
            Self::Zone { .. } => Some("it would start the job at other times than these"),
            Self::Carriage => {
                Some("`crontab` does not show them as they are, so they could not be kept")
            }
            Self::Others(_) => Some("it would not be started any more"),
            Self::Elsewhere(_) | Self::Renamed { .. } => Some("it would be started twice"),
            Self::Packaged(_) => {
                Some("what a package enables is systemd's alone, and it would be started twice")
            }
            Self::Jitter => Some("a run that waits would meet the next one"),
            Self::Broken { .. }
            | Self::Unwritable(_)
            | Self::NoProgram { .. }
            | Self::Io { .. }
            | Self::NoZone { .. }
            | Self::NoSelf(_) => None,
        }
    }
}
