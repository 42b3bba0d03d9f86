//! What a manifest says of one file, directory or link.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::Sha256;
use crate::path::RelPath;
use crate::units::ByteCount;

/// One file, directory or symbolic link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its path below the source.
    pub path: RelPath,
    /// Mode, owner, time.
    #[serde(flatten)]
    pub attributes: Attributes,
    /// What it is.
    #[serde(flatten)]
    pub kind: EntryKind,
}

/// What an entry is, with what only that kind has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum EntryKind {
    /// A directory, empty or not.
    Directory,
    /// A symbolic link; it lives in the manifest alone.
    Symlink {
        /// Where it points, percent-encoded where not UTF-8.
        target: String,
    },
    /// A file.
    File(FileEntry),
}

/// What a snapshot knows of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its length.
    pub size: ByteCount,
    /// Its content's checksum.
    pub sha256: Sha256,
    /// The same content's SHA-1 in hexadecimal, where that is the hash the remote keeps (B2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha1: Option<String>,
    /// The same content's MD5 in hexadecimal, where that is the hash the remote keeps (S3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
    /// How its content was taken.
    pub taken: Taken,
    /// Its name on the remote, where that is not its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<String>,
    /// For the copy of a database, the rows of its tables as far as they were counted.
    #[serde(default, skip_serializing_if = "Rows::is_empty")]
    pub rows: Rows,
}

/// How a file's content was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Taken {
    /// Read from the live tree, unchanged from before to after.
    Direct,
    /// A clone that was made while services were held, which shares its blocks with the live file.
    Reflink,
    /// A second name that was given to the live file while services were held, and unchanged since.
    Link,
    /// A copy that was made while services were held.
    Copy,
    /// A SQLite online backup that passed its integrity check.
    SqliteBackup,
    /// A tar archive that stands in for the directory of the same name without `.tar`.
    Tar,
    /// A compressed tar archive that stands in for the directory of the same name without `.tar.gz`.
    TarGz,
    /// Made by a hook: the source has nothing of this path.
    Added,
}

impl Taken {
    /// What an archive of this kind adds to the name of the directory it stands in for; `None` for
    /// what is no archive.
    pub fn archive_suffix(self) -> Option<&'static str> {
        match self {
            Self::Tar => Some(".tar"),
            Self::TarGz => Some(".tar.gz"),
            Self::Direct
            | Self::Reflink
            | Self::Link
            | Self::Copy
            | Self::SqliteBackup
            | Self::Added => None,
        }
    }
}

impl Entry {
    /// The file, if it is one.
    pub fn file(&self) -> Option<&FileEntry> {
        match &self.kind {
            EntryKind::File(file) => Some(file),
            EntryKind::Directory | EntryKind::Symlink { .. } => None,
        }
    }
}

/// The number of rows of each table of a database, by its name.
pub type Rows = BTreeMap<String, u64>;

/// Mode, owner and time: what plain files on a remote do not keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Attributes {
    /// Permission bits, written as octal digits (`"0644"`).
    pub mode: Mode,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Time of the last change, to the nanosecond.
    pub mtime: Timestamp,
}

/// Permission bits, `0` to `0o7777`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mode(u32);

impl Mode {
    /// The permission bits of a `st_mode`.
    pub const fn from_st_mode(st_mode: u32) -> Self {
        Self(st_mode & 0o7777)
    }

    /// The bits.
    pub const fn bits(self) -> u32 {
        self.0
    }
}

impl From<Mode> for String {
    fn from(mode: Mode) -> Self {
        format!("{:04o}", mode.0)
    }
}

impl TryFrom<String> for Mode {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match u32::from_str_radix(&text, 8) {
            Ok(bits) if bits <= 0o7777 => Ok(Self(bits)),
            Ok(_) | Err(_) => Err(format!("`{text}` is not a file mode such as 0644")),
        }
    }
}
