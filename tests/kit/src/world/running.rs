//! A command that is still running: for signals, kills and what happens meanwhile.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;

use super::{Output, Redactions};
use crate::{TimedOut, wait_until};

/// A started command. Its output goes to files, so it never waits for a reader. Dropping it kills
/// its whole process group.
#[derive(Debug)]
pub struct Running {
    child: Child,
    command: String,
    redactions: Redactions,
    outputs: TempDir,
}

impl Running {
    pub(super) fn start(mut command: Command, shown: String, redactions: Redactions) -> Self {
        let outputs = tempfile::tempdir().expect("a temporary directory");
        let file = |name: &str| File::create(outputs.path().join(name)).expect("an output file");
        let child = command
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .process_group(0)
            .spawn()
            .expect("the binary starts");
        Self {
            child,
            command: shown,
            redactions,
            outputs,
        }
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to the process alone. One that has ended already takes no notice.
    pub fn signal(&self, signal: Signal) {
        // An error says only that the process has ended: its id is ours until it is waited for.
        let _gone = kill_process(self.pid(), signal);
    }

    /// Sends a signal to the process and all its children, as a terminal's Ctrl-C does.
    pub fn signal_group(&self, signal: Signal) {
        let _gone = kill_process_group(self.pid(), signal);
    }

    /// The messages so far.
    pub fn stderr(&self) -> String {
        self.read("stderr")
    }

    /// The results so far.
    pub fn stdout(&self) -> String {
        self.read("stdout")
    }

    /// Whether the process is still there.
    pub fn is_running(&mut self) -> bool {
        self.exited().is_none()
    }

    /// Waits for the process to end by itself.
    pub fn finish(mut self, limit: Duration) -> Result<Output, TimedOut> {
        let what = format!("the end of `{}`", self.command);
        let status = wait_until(&what, limit, || self.exited())?;
        let output = std::process::Output {
            status,
            stdout: self.stdout().into_bytes(),
            stderr: self.stderr().into_bytes(),
        };
        Ok(Output::new(&self.command, output, self.redactions.clone()))
    }

    fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be waited for")
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn read(&self, name: &str) -> String {
        let bytes = fs::read(self.outputs.path().join(name)).expect("an output file");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Children that outlive the command are in its group too; errors mean that nobody is left.
        let _gone = kill_process_group(self.pid(), Signal::KILL);
        let _reaped = self.child.wait();
    }
}
