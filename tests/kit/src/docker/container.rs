//! A container that is removed with its value.

use std::time::Duration;

use anyhow::Result;

use super::{DockerEngine, IMAGE};
use crate::wait_until;

/// How long a container may take to become what it is expected to be.
const SOON: Duration = Duration::from_secs(30);

/// A container of one test.
#[derive(Debug)]
pub struct TestContainer<'a> {
    /// Its engine.
    pub engine: &'a DockerEngine,
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
}

impl<'a> TestContainer<'a> {
    pub(super) fn run(
        engine: &'a DockerEngine,
        name: &str,
        options: &[&str],
        script: &str,
    ) -> Result<Self> {
        let mut words = vec!["run", "--detach", "--network", "none", "--name", name];
        words.extend(options);
        words.extend([IMAGE, "sh", "-c", script]);
        let id = engine.docker(&words)?;
        Ok(Self {
            engine,
            name: name.to_owned(),
            id,
        })
    }

    /// What `docker inspect` says of it, such as `{{.State.Status}}`.
    pub fn inspect(&self, format: &str) -> Result<String> {
        self.engine
            .docker(&["inspect", "--format", format, &self.id])
    }

    /// `running`, `paused`, `exited` and so on; empty where it is gone or the engine is away.
    pub fn status(&self) -> String {
        self.inspect("{{.State.Status}}").unwrap_or_default()
    }

    /// Waits until its status is `status`.
    pub fn wait_for(&self, status: &str) {
        let what = format!("container `{}` to be {status}", self.name);
        wait_until(&what, SOON, || (self.status() == status).then_some(()))
            .unwrap_or_else(|error| panic!("{error}; it is `{}`", self.status()));
    }

    /// Waits until its health check says `health`.
    pub fn wait_for_health(&self, health: &str) {
        let what = format!("container `{}` to be {health}", self.name);
        let is_so = || {
            let now = self.inspect("{{.State.Health.Status}}").unwrap_or_default();
            (now == health).then_some(())
        };
        wait_until(&what, SOON, is_so).unwrap_or_else(|error| panic!("{error}"));
    }

    /// How often it was started, by its log: the script has to print a line each time.
    pub fn lines(&self) -> usize {
        let log = self.engine.docker(&["logs", &self.id]);
        log.unwrap_or_default().lines().count()
    }
}

impl Drop for TestContainer<'_> {
    fn drop(&mut self) {
        // It may be gone by the test's own doing; what is left goes with the engine.
        drop(
            self.engine
                .docker(&["rm", "--force", "--volumes", &self.id]),
        );
    }
}
