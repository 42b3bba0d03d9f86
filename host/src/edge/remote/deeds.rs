//! What a remote is asked to do with files, and what came of it.

use std::io;
use std::path::Path;

use copal_core::units::ByteCount;

use super::RemoteError;

/// How far a transfer has come.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Progress {
    /// Bytes transferred.
    pub bytes: ByteCount,
    /// Files transferred.
    pub files: u64,
    /// Bytes in each second, lately.
    pub bytes_per_second: f64,
}

impl std::ops::Add for Progress {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            bytes: self.bytes + other.bytes,
            files: self.files + other.files,
            bytes_per_second: self.bytes_per_second + other.bytes_per_second,
        }
    }
}

/// Files to transfer: `names` below the local directory `local` and below `remote`.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// The local directory.
    pub local: &'a Path,
    /// The remote one.
    pub remote: &'a str,
    /// Paths below both.
    pub names: &'a [String],
    /// Transfer again what looks the same by size and time. What is there stays until the new content has
    /// arrived whole.
    pub again: bool,
}

/// Files that a remote has already, and that are wanted in another directory of it.
#[derive(Debug, Clone, Copy)]
pub struct Within<'a> {
    /// The directory that has them.
    pub from: &'a str,
    /// The one that is to have them.
    pub to: &'a str,
    /// Names that are the same in both.
    pub same: &'a [String],
    /// Names that differ: there, and here.
    pub renamed: &'a [(String, String)],
}

impl<'a> Within<'a> {
    /// All names: there, and here.
    pub(in crate::edge) fn pairs(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let same = self.same.iter().map(|name| (name.as_str(), name.as_str()));
        let renamed = self.renamed.iter();
        same.chain(renamed.map(|(there, here)| (there.as_str(), here.as_str())))
    }
}

/// What came of second names that files were to get.
#[derive(Debug, Default)]
pub struct Linked {
    /// The names, here, of those that have none.
    pub left: Vec<String>,
    /// The names, there, of what is gone, or is no file any more.
    pub gone: Vec<String>,
    /// How many could not have one.
    pub unfit: u64,
    /// Why the first of them could not.
    pub why: Option<io::Error>,
    /// Why a name that must not be could not be taken away again. Whatever is sent by it would be written to
    /// a file of the other directory.
    pub stuck: Option<io::Error>,
}

impl Linked {
    /// No file has one, and none was tried.
    pub(in crate::edge) fn none_of(files: Within<'_>) -> Self {
        Self {
            left: files.pairs().map(|(_, here)| here.to_owned()).collect(),
            ..Self::default()
        }
    }

    /// What came of others as well.
    pub(in crate::edge) fn and(mut self, mut other: Self) -> Self {
        self.left.append(&mut other.left);
        self.gone.append(&mut other.gone);
        Self {
            left: self.left,
            gone: self.gone,
            unfit: self.unfit + other.unfit,
            why: self.why.or(other.why),
            stuck: self.stuck.or(other.stuck),
        }
    }
}

/// Files of a directory that are to go, with all their versions.
#[derive(Debug, Clone, Copy)]
pub struct Removal<'a> {
    /// The directory.
    pub dir: &'a str,
    /// These go, in whatever order.
    pub names: &'a [String],
    /// These go when all others are gone, one after the other.
    pub last: &'a [String],
}

/// What became of files that were to go.
#[derive(Debug, Default)]
pub struct Removed {
    /// How many are gone.
    pub files: u64,
    /// What they held.
    pub bytes: ByteCount,
    /// How many others lie there, which were not to go.
    pub left: u64,
    /// The names of some of these, as they are stored.
    pub left_names: Vec<String>,
    /// What could not be removed, if anything: how many, some of the names, and why the first was not.
    pub failed: Option<(u64, Vec<String>, RemoteError)>,
}
