//! What a finished command left.

use std::fmt;
use std::process::ExitStatus;

use super::Redactions;

/// Exit status and output of a command, with what it takes to compare them.
#[derive(Debug, Clone)]
pub struct Output {
    command: String,
    status: ExitStatus,
    stdout: String,
    stderr: String,
    redactions: Redactions,
}

impl Output {
    pub(super) fn new(command: &str, output: std::process::Output, redactions: Redactions) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self {
            command: command.to_owned(),
            status: output.status,
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            redactions,
        }
    }

    /// The exit code; `None` where a signal ended the process.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// How the process ended.
    pub fn status(&self) -> ExitStatus {
        self.status
    }

    /// The results. Bytes that are not UTF-8 are replaced.
    pub fn stdout(&self) -> &str {
        &self.stdout
    }

    /// The messages.
    pub fn stderr(&self) -> &str {
        &self.stderr
    }

    /// The results without what differs between runs.
    pub fn redacted_stdout(&self) -> String {
        self.redactions.apply(&self.stdout)
    }

    /// The messages without what differs between runs.
    pub fn redacted_stderr(&self) -> String {
        self.redactions.apply(&self.stderr)
    }

    /// Asserts exit code 0.
    #[track_caller]
    pub fn succeeds(&self) -> &Self {
        self.exits_with(0)
    }

    /// Asserts an exit code; shows everything where it is another.
    #[track_caller]
    pub fn exits_with(&self, code: i32) -> &Self {
        assert!(
            self.code() == Some(code),
            "expected exit code {code}\n{self}"
        );
        self
    }

    /// Asserts that a text is somewhere in the messages.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(
            self.stderr.contains(text),
            "expected «{text}» in stderr\n{self}"
        );
        self
    }

    /// Asserts that a text is neither in the results nor in the messages.
    #[track_caller]
    pub fn never_says(&self, text: &str) -> &Self {
        let said = self.stdout.contains(text) || self.stderr.contains(text);
        assert!(!said, "«{text}» should not be in the output\n{self}");
        self
    }

    /// The results, where they are one JSON document (`--json`).
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(error) => panic!("stdout is not one JSON document: {error}\n{self}"),
        }
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "$ {}\n{}", self.command, self.status)?;
        writeln!(f, "--- stdout\n{}", self.stdout.trim_end())?;
        writeln!(f, "--- stderr\n{}", self.stderr.trim_end())
    }
}
