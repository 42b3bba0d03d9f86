//! A Docker engine of one's own, and containers that are gone after the test.
//!
//! Each process that asks for one gets a private engine: its own data, sockets and containers, no
//! network. It ends with the process, however that ends, since a shell that reads a pipe of ours sees
//! to it. Programs that are kept in containers are busybox's.

mod container;
mod image;
mod past;
mod proxy;
mod supervisor;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

pub use container::TestContainer;
pub use image::IMAGE;
pub use proxy::DockerProxy;
use supervisor::Supervisor;

use crate::wait_until;

/// How long an engine may take to answer after its start, on a busy machine.
const START: Duration = Duration::from_mins(1);

/// A private engine.
#[derive(Debug)]
pub struct DockerEngine {
    socket: PathBuf,
    supervisor: Supervisor,
}

/// The engine of this process, started by whoever asks first.
///
/// None where none can be had: then the test says so and passes, but fails where `CI=true`.
pub fn docker_engine() -> Option<&'static DockerEngine> {
    static ENGINE: OnceLock<Result<DockerEngine, String>> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| DockerEngine::start().map_err(|error| format!("{error:#}")));
    match engine {
        Ok(engine) => Some(engine),
        Err(why) => {
            skip(why);
            None
        }
    }
}

/// An engine of one test alone, which may then be stopped, killed or frozen. None as above.
pub fn own_docker_engine() -> Option<DockerEngine> {
    match DockerEngine::start() {
        Ok(engine) => Some(engine),
        Err(error) => {
            skip(&format!("{error:#}"));
            None
        }
    }
}

#[expect(clippy::print_stderr, reason = "a test that is not done has to say so")]
fn skip(why: &str) {
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "there is no Docker engine to test with: {why}"
    );
    eprintln!("SKIPPED, since there is no Docker engine (`scripts/setup` installs one): {why}");
}

impl DockerEngine {
    fn start() -> Result<Self> {
        ensure!(
            rustix::process::geteuid().is_root(),
            "an engine of one's own takes root"
        );
        for program in ["dockerd", "containerd", "docker", "busybox"] {
            ensure!(is_in_path(program), "`{program}` is not installed");
        }
        let supervisor = Supervisor::start()?;
        let engine = Self {
            socket: supervisor.directory().join("docker.sock"),
            supervisor,
        };
        engine.wait_until_it_answers()?;
        image::import(&engine)?;
        Ok(engine)
    }

    /// Where it listens, as `DOCKER_HOST` has it.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Its socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// `docker …`, with what it prints.
    pub fn docker(&self, arguments: &[&str]) -> Result<String> {
        self.docker_with(arguments, Stdio::null())
    }

    fn docker_with(&self, arguments: &[&str], input: Stdio) -> Result<String> {
        let mut command = Command::new("docker");
        command.env("DOCKER_HOST", self.host()).args(arguments);
        let Output {
            status,
            stdout,
            stderr,
        } = command
            .stdin(input)
            .output()
            .context("can't run `docker`")?;
        if !status.success() {
            let said = String::from_utf8_lossy(&stderr);
            bail!("`docker {}`: {}", arguments.join(" "), said.trim());
        }
        Ok(String::from_utf8_lossy(&stdout).trim().to_owned())
    }

    /// Starts a container that runs `script` with busybox's shell. `options` are those of `docker run`.
    pub fn run(&self, name: &str, options: &[&str], script: &str) -> Result<TestContainer<'_>> {
        TestContainer::run(self, name, options, script)
    }

    /// Ends the engine with SIGTERM and waits for that: its containers end too.
    pub fn stop(&self) -> Result<()> {
        self.supervisor.ask("stop")
    }

    /// Ends it with SIGKILL: its containers go on, and end when it is started again.
    pub fn kill(&self) -> Result<()> {
        self.supervisor.ask("kill")
    }

    /// Starts it again, and waits until it answers.
    pub fn start_again(&self) -> Result<()> {
        self.supervisor.ask("start")?;
        self.wait_until_it_answers()
    }

    /// Stops its process where it is (SIGSTOP): it takes requests and does not answer.
    pub fn freeze(&self) -> Result<()> {
        self.supervisor.ask("freeze")
    }

    /// Has it go on.
    pub fn thaw(&self) -> Result<()> {
        self.supervisor.ask("thaw")
    }

    fn wait_until_it_answers(&self) -> Result<()> {
        let answers = || self.docker(&["info", "--format", "{{.ID}}"]).ok();
        let answered = wait_until("the Docker engine to answer", START, answers);
        answered
            .map(drop)
            .with_context(|| self.supervisor.last_words())
    }
}

fn is_in_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}
