//! The files of a snapshot on their way: where the content of each lies, before and after it is read.

use std::path::PathBuf;

use copal_core::manifest::{Attributes, Entry, EntryKind, FileEntry, Rows, Taken};
use copal_core::path::RelPath;

use crate::capability::artifacts::Artifact;
use crate::edge::hash::Digests;
use crate::edge::stat::Version;

/// A file that belongs to the snapshot.
#[derive(Debug, Clone)]
pub struct StagedFile {
    /// Its path in the snapshot.
    pub path: RelPath,
    /// Mode, owner, time.
    pub attributes: Attributes,
    /// Its name on the remote.
    pub stored: String,
    /// Its checksums.
    pub digests: Digests,
    /// For the copy of a database, the rows of its tables.
    pub rows: Rows,
    /// How its content was taken.
    pub taken: Taken,
    /// Where its content is read from.
    pub content: Content,
    /// Whether it was frozen by a link and written to all the same: its content is of a later moment.
    pub outran: bool,
}

/// Where a staged file's content is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// From the live tree, in this version.
    Live(Version),
    /// From the staging directory, under its stored name.
    Staged,
    /// From the directory of frozen files, under its stored name.
    Frozen,
    /// From nowhere any more: a private copy was sent, proven as far as that can be, and removed.
    Sent,
    /// From there, as another name of the live file in this version.
    Linked(Version),
}

impl StagedFile {
    /// What the manifest says of it.
    pub fn entry(&self) -> Entry {
        let stored = (self.stored.as_bytes() != self.path.as_bytes()).then(|| self.stored.clone());
        let kind = EntryKind::File(FileEntry {
            size: self.digests.size,
            sha256: self.digests.sha256,
            sha1: self.digests.sha1.clone(),
            md5: self.digests.md5.clone(),
            taken: self.taken,
            stored,
            rows: self.rows.clone(),
        });
        Entry {
            path: self.path.clone(),
            attributes: self.attributes,
            kind,
        }
    }
}

/// A file that belongs to the snapshot, and whose content is still to be read.
#[derive(Debug)]
pub struct Unread {
    pub(super) path: RelPath,
    /// Those of what was found, also where something stands in for it.
    pub(super) attributes: Attributes,
    /// Its name on the remote.
    pub(super) stored: String,
    pub(super) lies: Lies,
}

/// Where the content of a file lies that is still to be read.
#[derive(Debug)]
pub(super) enum Lies {
    /// In the live tree; the version that the walk saw.
    Live(Version),
    /// Below the directory of frozen files, taken so; nobody else's.
    Frozen(Taken),
    /// There as well, as another name of the live file in this version.
    Linked(Version),
    /// Where a hook had it made.
    Made(MadeFile),
}

/// A file that a hook had made.
#[derive(Debug)]
pub(super) struct MadeFile {
    /// Where it lies.
    pub(super) file: PathBuf,
    /// How it was made.
    pub(super) taken: Taken,
}

impl MadeFile {
    pub(super) fn in_place_of(artifact: Artifact) -> Self {
        Self {
            file: artifact.file,
            taken: artifact.taken,
        }
    }
}
