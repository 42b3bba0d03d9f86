//! Commands of the owner's.

use copal_core::units::ByteCount;

use super::SecretBytes;

/// A command that a hook wants to have run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandRequest {
    /// Its name in copal.toml.
    pub name: String,
    /// Values for its placeholders, as the hook gave them: names may be unknown, missing or twice.
    pub arguments: Vec<(String, String)>,
}

/// What became of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finished {
    /// Its exit code, 128 and the number of the signal where one ended it.
    pub exit_code: u32,
    /// The beginning of its standard output, up to the limit.
    pub stdout: Vec<u8>,
    /// The same of its standard error.
    pub stderr: Vec<u8>,
    /// Whether it wrote more than is given here.
    pub truncated: bool,
    /// The secrets that it was given, and may have told: they are covered in all that is told of
    /// the hook.
    pub secrets: Vec<SecretBytes>,
}

/// What became of a command whose standard output was staged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captured {
    /// The size of its output.
    pub bytes: ByteCount,
    /// The beginning of its standard error, up to the limit.
    pub stderr: Vec<u8>,
    /// The secrets that it was given, as those of [`Finished`].
    pub secrets: Vec<SecretBytes>,
}
