//! S3 by `moto_server`, a Python package that `scripts/setup` puts into an environment of its own.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::wait_until;
use tempfile::TempDir;

/// Longer than Python takes to start on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server of S3 that is the test's own; it ends when this is dropped.
#[derive(Debug)]
pub struct Moto {
    /// Its address, as a URL.
    pub origin: String,
    child: Child,
    _log: TempDir,
}

impl Moto {
    /// None where the package is not installed: then the test says so and passes, but fails where
    /// `CI=true`.
    pub fn start() -> Option<Self> {
        Self::with(&[])
    }

    /// One that asks for a key, and knows none.
    pub fn that_asks_for_keys() -> Option<Self> {
        Self::with(&[("INITIAL_NO_AUTH_ACTION_COUNT", "0")])
    }

    fn with(variables: &[(&str, &str)]) -> Option<Self> {
        let Some(program) = program() else {
            skip();
            return None;
        };
        let log = tempfile::tempdir().expect("a temporary directory");
        let path = log.path().join("log");
        let child = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", "0"])
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&path).expect("a log for moto_server"))
            .spawn()
            .expect("moto_server starts");
        let mut moto = Self {
            origin: String::new(),
            child,
            _log: log,
        };
        let told = wait_until("moto_server's address", PATIENCE, || {
            let log = std::fs::read_to_string(&path).expect("its log");
            let (_, rest) = log.split_once("Running on ")?;
            let (origin, _) = rest.split_once('\n')?;
            Some(origin.trim().to_owned())
        });
        moto.origin = told.expect("moto_server starts");
        Some(moto)
    }
}

impl Moto {
    /// Lines of `rclone.conf` for a remote that is this server, without its name.
    pub fn rclone_section(&self, secret: &str) -> String {
        let endpoint = &self.origin;
        format!(
            "type = s3\nprovider = Other\naccess_key_id = tests\nsecret_access_key = {secret}\n\
             region = us-east-1\nendpoint = {endpoint}\nforce_path_style = true\n"
        )
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // One that has ended already is as well.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The one that `COPAL_MOTO_SERVER` names, that of `scripts/setup`, or the first in the PATH.
fn program() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("COPAL_MOTO_SERVER") {
        return Some(named.into());
    }
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/share"));
    let own = data.or_else(home)?.join("copal-build/moto/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut directories = std::iter::once(own).chain(std::env::split_paths(&path));
    directories.find_map(|directory| {
        let program = directory.join("moto_server");
        program.is_file().then_some(program)
    })
}

#[expect(clippy::print_stderr, reason = "a test that is not done has to say so")]
fn skip() {
    let why = "without moto_server, transfers to S3 are not tested; scripts/setup installs it";
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
    eprintln!("SKIPPED: {why}");
}
