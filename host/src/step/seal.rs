//! Seal: the checksums go up, then the manifest, last. From then on the snapshot exists.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use copal_core::manifest::{
    Entry, FORMAT, HookRecord, MANIFEST, Manifest, RunRecord, SUMS, Totals,
};
use copal_core::mounts::Disk;
use copal_core::path::RelPath;
use copal_core::snapshot::SnapshotId;
use jiff::Timestamp;

use super::prove::{FileUnproven, Prover};
use super::resume::Lasted;
use super::reuse::Unlinked;
use super::transfer::Transferred;
use crate::edge::interrupt::Interrupted;
use crate::edge::remote::RemoteError;

/// A snapshot that exists, or a mirror that has all that the source has.
#[derive(Debug)]
pub struct Sealed {
    /// Its manifest, as it went up.
    pub manifest: Manifest,
    /// What of it the remote copied from the last snapshot, without an upload.
    pub copied: Totals,
    /// What was uploaded, files that had to be sent again as often as they were.
    pub uploaded: Totals,
    /// Why it copied nothing, although there was something to copy.
    pub not_copied: Option<RemoteError>,
    /// Whether what it did not have uploaded are second names for files of the last snapshot.
    pub linked: bool,
    /// What could have no second name, although the last snapshot has the same.
    pub unlinked: Option<Unlinked>,
    /// What the last snapshot does not have any more, or not as it was sealed, by its names there.
    pub last_damaged: Vec<String>,
    /// Files that the app deleted while the run went on.
    pub vanished: Vec<RelPath>,
    /// Files that were sent again from a private copy.
    pub moved: Vec<RelPath>,
    /// Files that were written to although they were frozen by links.
    pub outrun: Vec<RelPath>,
}

/// That a run has sealed a snapshot: made by a seal alone.
#[derive(Debug, Clone, Copy)]
pub struct Seal {
    id: SnapshotId,
}

impl Seal {
    /// The snapshot.
    pub fn id(&self) -> SnapshotId {
        self.id
    }

    #[cfg(test)]
    pub(crate) fn of_a_test(id: SnapshotId) -> Self {
        Self { id }
    }
}

impl Sealed {
    /// That this one is sealed.
    pub fn seal(&self) -> Seal {
        Seal {
            id: self.manifest.id,
        }
    }
}

/// Why the snapshot was not sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The manifest can't be written on this machine.
    #[error("can't write `{}` in the staging directory", .path.display())]
    Staging {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The remote, or the way to it.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// Other runs hold every id that was tried.
    #[error("other runs write to this destination under the same name, at {0} and after")]
    NoFreeId(SnapshotId),
    /// rclone reported success, and the remote lists something else.
    #[error("`{0}` did not arrive whole")]
    NotArrived(&'static str),
    /// What arrived in a folder of this machine is not safe on its disk.
    #[error("`{}` can't be written down to its disk", .path.display())]
    Unwritten {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A signal came.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl From<(PathBuf, io::Error)> for SealError {
    fn from((path, source): (PathBuf, io::Error)) -> Self {
        Self::Unwritten { path, source }
    }
}

/// What the manifest tells beside the files.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// The job's name.
    pub name: String,
    /// The run's id.
    pub run: String,
    /// When the run began.
    pub started: Timestamp,
    /// The source, without links on the way to it.
    pub source: String,
    /// Where file systems are mounted in it, or should be.
    pub disks: BTreeMap<RelPath, Disk>,
    /// The hooks that took part.
    pub hooks: Vec<HookRecord>,
    /// Of a mirror: how many files there were when nothing of them could be deleted for the first time.
    pub there_when_refused: Option<u64>,
    /// Of a mirror: that no run knows whether what is there and not in the source belongs to it.
    pub unaccounted: bool,
}

/// A snapshot that lacks nothing but its manifest.
#[derive(Debug)]
pub struct Unsealed<'a> {
    done: Transferred<'a>,
    manifest: Manifest,
}

/// Uploads the checksums, and gives up the claim.
pub fn sum_up<'a>(
    done: Transferred<'a>,
    circumstances: Circumstances,
    by: Prover<'_>,
) -> Result<Unsealed<'a>, SealError> {
    let manifest = manifest(&done, circumstances);
    put(&done, by, SUMS, &manifest.sums())?;
    done.place.withdraw(by.remote)?;
    Ok(Unsealed { done, manifest })
}

impl Unsealed<'_> {
    /// Uploads the manifest.
    pub fn seal(self, _lasted: Lasted, by: Prover<'_>) -> Result<Sealed, SealError> {
        let Self { done, manifest } = self;
        // The last moment at which a signal leaves no snapshot behind.
        by.interrupt.check()?;
        put(&done, by, MANIFEST, &manifest.to_json())?;
        Ok(Sealed {
            outrun: done.outrun(),
            copied: done.copied(),
            uploaded: done.sent,
            linked: done.reused.linked,
            unlinked: done.reused.unlinked,
            last_damaged: done.reused.damaged.into_iter().collect(),
            not_copied: done.reused.failed,
            manifest,
            vanished: done.vanished,
            moved: done.moved,
        })
    }
}

fn manifest(done: &Transferred<'_>, about: Circumstances) -> Manifest {
    let files = done.files.iter();
    let mut entries: Vec<Entry> = files.map(|file| done.place.entry(file)).collect();
    entries.extend(done.others.iter().cloned());
    entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Manifest {
        copal_manifest: FORMAT,
        id: done.place.id(),
        name: about.name,
        run: RunRecord {
            id: about.run,
            started: about.started,
            staged: done.read.staged.at,
            copal: env!("CARGO_PKG_VERSION").to_owned(),
            staging: Some(done.read.staged.way),
        },
        source: about.source,
        mounts: about.disks.keys().cloned().collect(),
        disks: about.disks,
        folders: done.place.folders(),
        root: done.read.staged.root,
        totals: Totals::of(&entries),
        hooks: about.hooks,
        facts: done.read.staged.made.facts(),
        there_when_refused: about.there_when_refused,
        unaccounted: about.unaccounted,
        entries,
    }
}

fn put(
    done: &Transferred<'_>,
    by: Prover<'_>,
    name: &'static str,
    content: &str,
) -> Result<(), SealError> {
    let (directory, file_name) = name
        .split_once('/')
        .expect("Copal's files lie in a directory");
    let local = done.seal_dir().join(file_name);
    fs::write(&local, content).map_err(|source| SealError::Staging {
        path: local.clone(),
        source,
    })?;
    by.remote.put(&local, &done.place.below(name))?;
    let place = done.place.below(directory);
    let differences = by.file(&done.seal_dir(), &place, file_name);
    by.interrupt.check()?;
    let differences = differences.map_err(|unproven| match unproven {
        FileUnproven::There(error) => SealError::Remote(error),
        FileUnproven::Here(source) => SealError::Staging {
            path: local,
            source,
        },
    })?;
    if differences.is_empty() {
        Ok(())
    } else {
        Err(SealError::NotArrived(name))
    }
}
