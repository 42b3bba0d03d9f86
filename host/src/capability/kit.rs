//! What the tests of capabilities share.

use std::path::PathBuf;
use std::sync::Arc;

use copal_core::config::Config;
use copal_core::path::RelPath;
use copal_hooks::{Call, Cancel, Limits, Phase};

use super::artifacts::Artifacts;
use super::host::Host;
use super::means::Means;
use crate::edge::interrupt::Interrupt;
use crate::edge::state::StateDir;
use crate::edge::top::Top;
use crate::edge::walk::{Filter, Found, Keep, walk};
use crate::holds::Holds;
use crate::job::Job;

/// A floor over a source of its own.
pub(super) struct Floor {
    pub(super) dir: tempfile::TempDir,
    pub(super) host: Host,
    pub(super) limits: Limits,
    pub(super) cancel: Cancel,
    job: Job,
}

impl Floor {
    /// With these lines in copal.toml, beside those that it needs.
    pub(super) fn with(lines: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let [source, made] = ["source", "made"].map(|name| dir.path().join(name));
        std::fs::create_dir(&source).unwrap();
        std::fs::create_dir(&made).unwrap();
        let head = "name = 'app'\nsource.path = 'source'\ndestination = [{ remote = 'b2:' }]\n";
        let config = Config::parse(&format!("{head}{lines}"), "copal.toml").unwrap();
        let job = Job::new(config, dir.path().to_owned());
        let state = StateDir::at(dir.path().join("state"));
        let host = Host {
            source: Top::at(source),
            found: Vec::new(),
            left_out: Vec::new(),
            is_restored: false,
            databases: Vec::new(),
            live_databases: Vec::new(),
            artifacts: Arc::new(Artifacts::in_dir(made)),
            means: Means::of(&job, &state).shared(),
            interrupt: Interrupt::default(),
        };
        Self {
            dir,
            host,
            limits: Limits::default(),
            cancel: Cancel::new(),
            job,
        }
    }

    /// Has hooks hold services, with these.
    pub(super) fn hold_with(&mut self, holds: &Holds) {
        let means = Means::of(&self.job, &StateDir::at(self.path("state")));
        self.host.means = means.holding(holds).shared();
    }

    pub(super) fn call(&self) -> Call<'_> {
        self.call_of("notes")
    }

    pub(super) fn call_of<'a>(&'a self, hook: &'a str) -> Call<'a> {
        Call {
            hook,
            phase: Phase::PreBackup,
            cancel: &self.cancel,
            limits: &self.limits,
        }
    }

    /// Has the floor know what is in its source, without what `is_left_out` says.
    pub(super) fn look(&mut self, is_left_out: impl Fn(&RelPath) -> bool) {
        let Host {
            source,
            means,
            interrupt,
            ..
        } = &self.host;
        let walked = walk(source, &means.never(), &mut Without(is_left_out), interrupt);
        let walked = walked.unwrap();
        self.host.found = walked.kept;
        self.host.left_out = walked.left_out;
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The files that artifacts are made in.
    pub(super) fn made(&self) -> usize {
        std::fs::read_dir(self.path("made")).unwrap().count()
    }
}

struct Without<F>(F);

impl<F: Fn(&RelPath) -> bool> Filter for Without<F> {
    type Error = std::convert::Infallible;

    fn decide(&mut self, found: &[Found]) -> Result<Vec<Keep>, Self::Error> {
        let keep = |found: &Found| {
            if self.0(&found.path) {
                Keep::NothingBelow
            } else {
                Keep::Yes
            }
        };
        Ok(found.iter().map(keep).collect())
    }
}
