//! `[log]`: what is kept of what runs say.

use super::ConfigPath;
use crate::units::ByteCount;

/// `[log]`: the file in which each run of the job says what it does.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Log {
    /// Where it is.
    pub file: LogFile,
    /// How a line is written.
    pub format: LogFormat,
    /// How large it becomes before another is begun.
    pub max_size: ByteCount,
    /// How many older ones stay beside it, at least 1.
    pub keep: u32,
}

/// Where the log is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LogFile {
    /// In Copal's state directory, by the job's name.
    Usual,
    /// Where its owner wants it.
    At(ConfigPath),
    /// There is none.
    Nowhere,
}

/// How a line of a log is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line, for programs.
    Json,
}

impl LogFormat {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Text, Self::Json];

    /// Its word in a configuration and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl Default for Log {
    /// Text, at most 20 MiB in all.
    fn default() -> Self {
        Self {
            file: LogFile::Usual,
            format: LogFormat::default(),
            max_size: ByteCount::mebibytes(4),
            keep: 4,
        }
    }
}
