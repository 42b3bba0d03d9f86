//! What a remote can do: a step chooses by it, and none asks which remote it is.

use std::path::{Path, PathBuf};

use copal_core::stored::NameLimit;
use copal_core::units::ByteCount;

use super::HashKind;
use crate::edge::hash::Wanted;

/// What a remote's directories are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directories {
    /// What a disk has: a file and a directory can't have one name, and one may be empty.
    Real,
    /// Parts of the files' names, as in a bucket.
    Names,
}

/// What a remote can do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an ability of its own, and no remote goes from one to another"
)]
pub struct Abilities {
    /// The hash that it keeps; `None` for those that keep none (crypt).
    pub hash: Option<HashKind>,
    /// Whether asking for a hash makes it read the whole file (a local folder, SFTP).
    pub slow_hash: bool,
    /// What its directories are.
    pub directories: Directories,
    /// Whether its top has buckets and no files.
    pub has_buckets: bool,
    /// Whether it copies its own files, without anything being sent.
    pub copies: bool,
    /// Whether it is a plain folder of this machine, in which a file can have a second name. The file system
    /// may still refuse.
    pub links: bool,
    /// Larger files go in parts, of which its hashes tell nothing: it keeps the hash of all of them that
    /// it is given. None where none do.
    pub whole_up_to: Option<ByteCount>,
    /// How long a name it takes.
    pub names: NameLimit,
    /// Whether it encrypts what it is given: hashes are of what lies below, and each file has to be
    /// asked for.
    pub encrypts: bool,
    /// What rclone calls it, behind aliases: the remote's name, and the path there.
    pub called: (String, String),
    /// The directories of this machine that it really lies in, through every overlay.
    pub local_roots: Vec<PathBuf>,
}

impl Abilities {
    /// Whether a listing with hashes is worth its price: the remote keeps them, or the files lie on
    /// this machine.
    pub fn tells_hashes(&self) -> bool {
        self.hash.is_some() && (!self.slow_hash || !self.local_roots.is_empty())
    }

    /// The folder of this machine that it is, file for file, where it is one.
    pub fn folder(&self) -> Option<&Path> {
        match &self.local_roots[..] {
            [folder] if self.links => Some(folder),
            _ => None,
        }
    }

    /// What has to be computed beside SHA-256 so that its hashes can be compared.
    pub fn wanted(&self) -> Wanted {
        Wanted {
            sha1: self.hash == Some(HashKind::Sha1),
            md5: self.hash == Some(HashKind::Md5),
        }
    }
}
