//! Archives of directories.

use copal_core::units::ByteCount;

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
