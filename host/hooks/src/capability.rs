//! What hooks can ask for, as the gate asks it of the host.

use std::fmt;

use copal_core::path::RelPath;
use copal_core::units::ByteCount;

use crate::{Cancel, Phase};

/// Something a hook may do only where its owner granted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Copies of SQLite databases.
    Sqlite,
    /// Archives of directories.
    Archive,
}

impl Capability {
    /// Its name: the import's in `wit/`, and the grant's in copal.toml.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Archive => "archive",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The deeds behind the capabilities. Only the gate calls these, after it found a grant.
///
/// The implementer bounds the time of each: a running deed can't be interrupted from here.
pub trait Capabilities: Send + Sync {
    /// The databases in the source, known by their header.
    fn sqlite_databases(&self) -> Vec<RelPath>;

    /// Copies a database into the staging directory, where it stands in for the live file.
    fn sqlite_backup(&self, call: &Call<'_>, database: &RelPath)
    -> Result<Copied, CapabilityError>;

    /// Archives a directory into the staging directory, where it stands in for the live directory.
    fn archive_create(
        &self,
        call: &Call<'_>,
        directory: &RelPath,
        format: ArchiveFormat,
    ) -> Result<Archived, CapabilityError>;
}

/// On whose behalf a deed is done.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The hook's name.
    pub hook: &'a str,
    /// The phase it was called in.
    pub phase: Phase,
    /// Thrown when the deed is to be given up: answer [`CapabilityError::Interrupted`] then.
    pub cancel: &'a Cancel,
}

/// What a database's copy turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// The number of its pages.
    pub pages: u64,
    /// The size of a page in bytes.
    pub page_size: u32,
    /// How often it had to begin again because of a writer.
    pub restarts: u32,
    /// Whether it was checked for integrity.
    pub checked: bool,
}

/// The kinds of archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// Uncompressed, `.tar`.
    Tar,
    /// Compressed by gzip, `.tar.gz`.
    TarGz,
}

/// What an archive turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Archived {
    /// The number of files, directories and links in it.
    pub entries: u64,
    /// The sum of the sizes of the files in it.
    pub content: ByteCount,
    /// The size of the archive itself.
    pub archive: ByteCount,
}

/// Why a deed was not done. The hook is told, and decides what it means.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CapabilityError {
    /// There is no such database or directory.
    #[error("`{0}` does not exist")]
    Missing(String),
    /// What was asked for makes no sense; why.
    #[error("{0}")]
    Invalid(String),
    /// It took too long; what, and how long.
    #[error("{0}")]
    TimedOut(String),
    /// It went wrong; what, and why.
    #[error("{0}")]
    Failed(String),
    /// The run was asked to end. The hook is not told: it is ended.
    #[error("interrupted")]
    Interrupted,
}
