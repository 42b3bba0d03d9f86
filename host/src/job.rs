//! A job: a configuration together with the directory that its paths are relative to.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use copal_core::config::{Config, InvalidConfig, Layout, RemoteSpec, Source};
use jiff::tz::TimeZone;

use crate::edge::source::{Located, SourceError, locate};
use crate::edge::state::StateDir;
use crate::record::SnapshotRecord;

/// A directory that can't be: what it would lie in is none.
const NO_SOURCE: &str = "/dev/null/source";

/// What is backed up, where to and how, with every path resolved.
#[derive(Debug)]
pub struct Job {
    /// The configuration.
    pub config: Config,
    /// The directory that its paths are relative to.
    pub base: PathBuf,
    /// Whether the command line alone says what it is: it is no job that somebody keeps an eye on, also where it has
    /// the name of one.
    pub is_one_off: bool,
    /// Where its source lies, once somebody asked.
    source: OnceLock<Located>,
}

/// A destination as records have it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its name; secrets masked.
    pub shown: String,
    /// Whether it is a mirror.
    pub is_mirror: bool,
}

impl Place {
    /// It, for people who may have both at one place.
    pub fn told(&self) -> String {
        let kind = if self.is_mirror { " (mirror)" } else { "" };
        format!("{}{kind}", self.shown)
    }

    /// How a configuration says which it is.
    pub fn layout(&self) -> &'static str {
        if self.is_mirror {
            "mirror"
        } else {
            "snapshots"
        }
    }

    /// What the history asks for.
    pub fn asked(&self) -> (&str, bool) {
        (&self.shown, self.is_mirror)
    }

    /// Whether that lies there.
    pub fn has(&self, snapshot: &SnapshotRecord) -> bool {
        (snapshot.destination.as_str(), snapshot.is_mirror) == self.asked()
    }

    /// Which of these lies there.
    pub fn find<'r>(&self, snapshots: &'r [SnapshotRecord]) -> Option<&'r SnapshotRecord> {
        snapshots.iter().find(|it| self.has(it))
    }
}

impl Job {
    /// A job whose paths are relative to `base`.
    pub fn new(config: Config, base: PathBuf) -> Self {
        Self {
            config,
            base,
            is_one_off: false,
            source: OnceLock::new(),
        }
    }

    /// The same of one that no file speaks of.
    pub fn one_off(config: Config, base: PathBuf) -> Self {
        Self {
            is_one_off: true,
            ..Self::new(config, base)
        }
    }

    /// The job's name.
    pub fn name(&self) -> &str {
        self.config.name().as_str()
    }

    /// The directory that is backed up. Docker may have to say where it lies: it is asked once, and not
    /// by commands that do without.
    pub fn source(&self) -> Result<&Located, SourceError> {
        if let Some(located) = self.source.get() {
            return Ok(located);
        }
        let engine = self.config.docker().socket.as_deref();
        let located = locate(self.config.source(), engine, &self.base)?;
        Ok(self.source.get_or_init(|| located))
    }

    /// The same for hooks that are called when all is over. Where it could not be found out, they see a
    /// source in which nothing is.
    pub fn source_if_found(&self) -> PathBuf {
        let found = match self.config.source() {
            Source::Path { .. } => self.source().ok(),
            Source::Volume { .. } | Source::Container { .. } => self.source.get(),
        };
        found.map_or_else(|| PathBuf::from(NO_SOURCE), |found| found.path.clone())
    }

    /// Where snapshots go.
    pub fn destinations(&self) -> Vec<RemoteSpec> {
        let remotes = self.config.destinations().iter();
        remotes
            .map(|destination| destination.remote.resolve(&self.base))
            .collect()
    }

    /// Each destination as records have it. A mirror and snapshots may lie at one.
    pub fn places(&self) -> Vec<Place> {
        let configured = self.config.destinations().iter();
        let all = self.destinations().into_iter().zip(configured);
        all.map(|(spec, configured)| Place {
            shown: spec.to_string(),
            is_mirror: matches!(configured.layout, Layout::Mirror(_)),
        })
        .collect()
    }

    /// Where it is snapshots that go there, and no mirror.
    pub fn places_of_snapshots(&self) -> Vec<RemoteSpec> {
        let configured = self.config.destinations().iter();
        let all = self.destinations().into_iter().zip(configured);
        all.filter(|(_, it)| it.layout == Layout::Snapshots)
            .map(|(place, _)| place)
            .collect()
    }

    /// Whether commands that read find a mirror at the job's first destination.
    pub fn reads_a_mirror(&self) -> bool {
        let first = self.config.destinations().first();
        first.is_some_and(|first| matches!(first.layout, Layout::Mirror(_)))
    }

    /// The time zone by which snapshots are kept: the configuration's, else this machine's, else UTC.
    ///
    /// # Errors
    /// Where this machine does not know it.
    pub fn zone(&self) -> Result<TimeZone, InvalidConfig> {
        let named = self
            .config
            .retention()
            .and_then(|it| it.timezone.as_deref());
        let Some(name) = named else {
            return Ok(TimeZone::try_system().unwrap_or(TimeZone::UTC));
        };
        TimeZone::get(name).map_err(|error| InvalidConfig {
            problems: vec![self.config.timezone_diagnostic(&error.to_string())],
        })
    }

    /// Where artifacts are made.
    pub fn staging(&self, state: &StateDir) -> PathBuf {
        let chosen = self.config.staging().dir.as_ref();
        chosen.map_or_else(
            || state.staging(self.name()),
            |dir| dir.resolve(&self.base).join("copal").join(self.name()),
        )
    }

    /// Directories that never belong to a snapshot: Copal's own.
    pub fn never(&self, state: &StateDir) -> Vec<PathBuf> {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        vec![real(state.path()), real(&self.staging(state))]
    }
}
