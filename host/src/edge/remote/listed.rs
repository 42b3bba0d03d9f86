//! What a remote lists, and its hashes.

use copal_core::manifest::FileEntry;
use copal_core::units::ByteCount;

/// A file as the remote lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its path below the listed directory.
    pub path: String,
    /// Its size.
    pub size: ByteCount,
    /// The hash that the remote keeps, if it was asked for and the remote has one.
    pub hash: Option<RemoteHash>,
}

/// What lies below a directory, by paths below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// All files.
    pub files: Vec<Listed>,
    /// All directories; empty ones where the remote has such.
    pub directories: Vec<String>,
}

impl Tree {
    /// Whether there is nothing, or no such directory.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.directories.is_empty()
    }
}

/// A hash as a remote keeps it, in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteHash {
    /// Which.
    pub kind: HashKind,
    /// Its digits.
    pub digits: String,
}

/// The hashes that Copal compares with a remote's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashKind {
    /// SHA-256.
    Sha256,
    /// SHA-1.
    Sha1,
    /// MD5.
    Md5,
}

impl std::fmt::Display for HashKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sha256 => "SHA-256",
            Self::Sha1 => "SHA-1",
            Self::Md5 => "MD5",
        })
    }
}

impl RemoteHash {
    /// Whether it is this file's; `None` where the manifest does not know that kind.
    pub fn matches(&self, file: &FileEntry) -> Option<bool> {
        match self.kind {
            HashKind::Sha256 => Some(self.digits == file.sha256.to_string()),
            HashKind::Sha1 => file.sha1.as_ref().map(|sha1| *sha1 == self.digits),
            HashKind::Md5 => file.md5.as_ref().map(|md5| *md5 == self.digits),
        }
    }
}
