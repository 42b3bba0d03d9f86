//! What the owner of a job lets its hooks use besides the source, where they are granted it, and what
//! of the source they are never to see.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use copal_core::config::Command;

use super::http::Lookup;
use super::secrets::Secrets;
use super::service::Services;
use super::state::Store;
use crate::edge::state::StateDir;
use crate::holds::Holds;
use crate::job::Job;

/// Commands, services, secrets, stores and the network. One value serves all phases of a run.
#[derive(Debug, Default)]
pub struct Means {
    /// The commands, by name.
    pub commands: BTreeMap<String, Command>,
    /// What relative paths in them are relative to.
    pub base: PathBuf,
    /// The secrets.
    pub secrets: Secrets,
    /// The stores of the job's hooks.
    pub state: Store,
    /// How the names of hosts become addresses.
    pub lookup: Lookup,
    /// The services.
    pub services: Services,
    /// What is held of them in this run.
    pub holds: Holds,
    /// Copal's own directories: what other hooks keep lies in them.
    pub own: Vec<PathBuf>,
}

impl Means {
    /// Those of a job.
    pub fn of(job: &Job, state: &StateDir) -> Self {
        let commands = job.config.commands().iter();
        Self {
            commands: commands
                .map(|command| (command.name.to_string(), command.clone()))
                .collect(),
            base: job.base.clone(),
            secrets: Secrets::new(job.config.secrets(), &job.base),
            state: Store::of(job.name(), state),
            lookup: Lookup::default(),
            services: Services::of(job, state),
            holds: Holds::default(),
            own: vec![state.path().to_owned(), job.staging(state)],
        }
    }

    /// Copal's own directories, as far as they are there, without links on the way to them.
    pub(super) fn never(&self) -> Vec<PathBuf> {
        let own = self.own.iter();
        own.filter_map(|path| path.canonicalize().ok()).collect()
    }

    /// The same for a dry run: what hooks put into their stores is thrown away.
    #[must_use]
    pub fn rehearsing(mut self) -> Self {
        self.state = self.state.scratch();
        self
    }

    /// The same for a run that may hold services.
    #[must_use]
    pub fn holding(mut self, holds: &Holds) -> Self {
        self.holds = holds.clone();
        self
    }

    /// To be shared by the floors of a run.
    pub fn shared(self) -> Arc<Self> {
        Arc::new(self)
    }
}
