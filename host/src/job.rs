//! A job: a configuration together with the directory that its paths are relative to.

use std::path::{Path, PathBuf};

use copal_core::config::{Config, RemoteSpec, Source};

use crate::edge::state::StateDir;

/// What is backed up, where to and how, with every path resolved.
#[derive(Debug)]
pub struct Job {
    /// The configuration.
    pub config: Config,
    /// The directory that its paths are relative to.
    pub base: PathBuf,
}

impl Job {
    /// The job's name.
    pub fn name(&self) -> &str {
        self.config.name().as_str()
    }

    /// The directory that is backed up.
    pub fn source(&self) -> PathBuf {
        match self.config.source() {
            Source::Path { path, .. } => path.resolve(&self.base),
            Source::Volume { .. } | Source::Container { .. } => {
                unreachable!("a configuration with such a source is refused when it is read")
            }
        }
    }

    /// Where snapshots go.
    pub fn destinations(&self) -> Vec<RemoteSpec> {
        let remotes = self.config.destinations().iter();
        remotes
            .map(|destination| destination.remote.resolve(&self.base))
            .collect()
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
