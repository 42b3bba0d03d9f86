//! The remote end, as the steps see it. Paths are relative to the destination and separated by `/`.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use copal_core::charges::Charges;
use copal_core::config::Proof;
use copal_core::forecast::Terms;
use copal_core::manifest::FileEntry;
use copal_core::stored::NameLimit;
use copal_core::survey::Survey;
use copal_core::units::ByteCount;
use copal_rclone::{Proven, RcloneError};

use super::hash::Wanted;
use super::interrupt::Interrupted;

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

/// What went wrong at the remote's end.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// rclone, or the remote behind it, failed.
    #[error("can't {deed} `{place}`")]
    Failed {
        /// What was tried: `list`, `upload to`, …
        deed: &'static str,
        /// Where; secrets masked.
        place: String,
        /// What rclone said.
        source: RcloneError,
    },
    /// A signal came.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
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
    pub(super) fn pairs(self) -> impl Iterator<Item = (&'a str, &'a str)> {
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
    pub(super) fn none_of(files: Within<'_>) -> Self {
        Self {
            left: files.pairs().map(|(_, here)| here.to_owned()).collect(),
            ..Self::default()
        }
    }

    /// What came of others as well.
    pub(super) fn and(mut self, mut other: Self) -> Self {
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

/// Watches a transfer.
pub type Watch<'a> = dyn FnMut(Progress) + 'a;

/// A destination, or any place that snapshots are read from.
pub trait Remote {
    /// Its name for people; secrets masked.
    fn shown(&self) -> String;

    /// What it can do.
    fn abilities(&self) -> Result<Abilities, RemoteError>;

    /// All files below `dir`, with the remote's own hash if `hashes`. A missing directory is empty.
    fn files(&self, dir: &str, hashes: bool) -> Result<Vec<Listed>, RemoteError> {
        Ok(self.tree(dir, hashes)?.files)
    }

    /// The same with all directories below it.
    fn tree(&self, dir: &str, hashes: bool) -> Result<Tree, RemoteError>;

    /// Whether it finds a file by this name, which a listing may spell otherwise.
    fn has_file(&self, path: &str) -> Result<bool, RemoteError>;

    /// Those of these files that are there, with their sizes; names are paths below `dir`. Each is asked for by its
    /// name, and nothing is listed: where calls are charged, that is a tenth of a listing.
    fn files_named(&self, dir: &str, names: &[String]) -> Result<Vec<Listed>, RemoteError>;

    /// The names of the directories in `dir`. A missing directory is empty.
    fn directories(&self, dir: &str) -> Result<Vec<String>, RemoteError>;

    /// Uploads batches, all at once. On success rclone reported no error; what arrived is the
    /// listing's to say.
    fn upload(&self, batches: &[Batch<'_>], watch: &mut Watch<'_>) -> Result<(), RemoteError>;

    /// Has the remote copy files of its own. On success rclone reported no error; what is there now
    /// is the listing's to say.
    fn copy_within(&self, files: Within<'_>, watch: &mut Watch<'_>) -> Result<(), RemoteError>;

    /// Gives files of its own a second name, where it is a plain folder of this machine. What is there then is
    /// the listing's to say.
    fn link_within(&self, files: Within<'_>) -> Result<Linked, RemoteError> {
        Ok(Linked::none_of(files))
    }

    /// What of a batch is not there as it is here: by the remote's hashes, or by reading it back.
    fn prove(&self, batch: Batch<'_>, proof: Proof) -> Result<Proven, RemoteError>;

    /// Downloads a batch.
    fn download(&self, batch: Batch<'_>, watch: &mut Watch<'_>) -> Result<(), RemoteError>;

    /// Downloads those files of a batch that are there. Each is asked for by its name, and nothing is listed: where
    /// calls are charged, that is a tenth of a listing.
    fn download_if_there(&self, batch: Batch<'_>) -> Result<(), RemoteError>;

    /// Uploads one file.
    fn put(&self, local: &Path, to: &str) -> Result<(), RemoteError>;

    /// Downloads one file; `Ok(false)` if there is none.
    fn get(&self, from: &str, local: &Path) -> Result<bool, RemoteError>;

    /// Removes one file.
    fn delete(&self, path: &str) -> Result<(), RemoteError>;

    /// Removes a directory that is empty. One that is not there is passed over, and one that has anything in
    /// it is an error.
    fn remove_empty(&self, dir: &str) -> Result<(), RemoteError>;

    /// Removes files with all their versions, and the directories that are empty then. What is not there is
    /// passed over, and a file that can't be removed does not keep the others from it.
    fn remove(&self, removal: Removal<'_>) -> Result<Removed, RemoteError>;

    /// Removes a directory with all below it.
    fn purge(&self, dir: &str) -> Result<(), RemoteError>;

    /// Looks for all that could stand in the way of a backup, and tells within seconds where nobody
    /// answers. With `write` it may put down a small file and remove it.
    fn survey(&self, _write: bool) -> Result<Survey, RemoteError> {
        Ok(Survey::default())
    }

    /// The room that is left, where the remote tells.
    fn room(&self) -> Result<Option<ByteCount>, RemoteError> {
        Ok(None)
    }

    /// Cancels uploads below `dir` that were begun at least so long ago and never finished. Where a
    /// remote ends them itself, there is nothing to do.
    fn end_unfinished(&self, _dir: &str, _begun_before: Duration) -> Result<(), RemoteError> {
        Ok(())
    }

    /// What decides which calls a run makes, and what it sends. Asks for no more than its abilities do.
    fn terms(&self) -> Result<Terms, RemoteError> {
        let Abilities { copies, links, .. } = self.abilities()?;
        Ok(Terms {
            copies,
            links,
            b2: None,
        })
    }

    /// What its calls are charged as, with those of all remotes that were asked since this was called the
    /// last time. None where it does not charge for calls, or not all of them were counted.
    fn take_charges(&self) -> Option<Charges> {
        None
    }

    /// What broke at this end and was mended meanwhile.
    fn mended(&self) -> Option<String> {
        None
    }
}
