//! Restore: a snapshot's files back into a directory, as they were, or not at all.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use copal_core::manifest::{Entry, FileEntry, Manifest};
use copal_core::path::RelPath;
use copal_core::units::ByteCount;

use super::snapshots::Store;
use super::target::Target;
use super::tree::Work;
use crate::edge::attributes::Owners;
use crate::edge::interrupt::{Interrupt, Interrupted};
use crate::edge::leftovers::Leftovers;
use crate::edge::remote::{Batch, Progress, RemoteError};

/// A restored directory.
#[derive(Debug)]
pub struct Restored {
    /// Files put back.
    pub files: u64,
    /// Their content.
    pub bytes: ByteCount,
    /// Whether every owner is what it was.
    pub owners: Owners,
}

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// There is something in it already.
    #[error("`{}` is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// It is not a directory.
    #[error("`{}` is not a directory", .0.display())]
    NotADirectory(PathBuf),
    /// A path that was asked for is not in the snapshot.
    #[error("there is no `{path}` in {snapshot}")]
    NoSuchPath {
        /// What was asked for.
        path: RelPath,
        /// The snapshot.
        snapshot: copal_core::snapshot::SnapshotId,
    },
    /// It would not fit.
    #[error("`{}` has room for {free}, and the snapshot needs {needed}", .path.display())]
    NoRoom {
        /// The directory.
        path: PathBuf,
        /// What it has.
        free: ByteCount,
        /// What it would take.
        needed: ByteCount,
    },
    /// The remote, or the way to it, or the local disk under it.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// What came is not what was sealed.
    #[error("`{0}` came back with another content than was sealed")]
    Damaged(RelPath),
    /// Something can't be put in place.
    #[error("can't put `{}` back", .path.display())]
    Place {
        /// What.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Everything is back, and the working directory is still there.
    #[error("everything is restored, and `{}` can't be removed", .path.display())]
    CleanUp {
        /// The working directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A signal came.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Restores a snapshot, or what lies below `only`, into the empty or new directory `to`. What
/// can't be removed of one that fails is noted in `leftovers`.
pub fn restore(
    store: &Store<'_>,
    manifest: &Manifest,
    to: &Path,
    only: &[RelPath],
    watch: &mut dyn FnMut(Progress),
    interrupt: &Interrupt,
    leftovers: &Leftovers,
) -> Result<Restored, RestoreError> {
    let entries = select(manifest, only)?;
    let target = Target::prepare(to, leftovers)?;
    let needed = entries
        .iter()
        .filter_map(|entry| entry.file())
        .map(|file| file.size)
        .sum();
    target.check_room(needed)?;
    download(store, manifest, &entries, &target, watch)?;
    let mut restored = Restored {
        files: 0,
        bytes: needed,
        owners: Owners::default(),
    };
    let work = Work {
        stored: target.stored(),
        tree: target.tree(),
    };
    work.make_directories(&entries)?;
    for (entry, file) in entries
        .iter()
        .filter_map(|entry| Some((*entry, entry.file()?)))
    {
        interrupt.check()?;
        work.put_file(entry, file, interrupt)?;
        restored.files += 1;
    }
    work.make_links(&entries)?;
    restored.owners = work.set_attributes(&entries)?;
    interrupt.check()?;
    target.finish(manifest, &mut restored.owners)?;
    Ok(restored)
}

/// What to restore: everything, or what lies below `only` with the directories above it.
fn select<'a>(manifest: &'a Manifest, only: &[RelPath]) -> Result<Vec<&'a Entry>, RestoreError> {
    if only.is_empty() {
        return Ok(manifest.entries.iter().collect());
    }
    let asked = |entry: &Entry, path: &RelPath| {
        let suffix = entry.file().and_then(|file| file.taken.archive_suffix());
        let unpacked = suffix.is_some_and(|suffix| entry.path == path.with_suffix(suffix));
        unpacked || entry.path.is_within(path)
    };
    if let Some(path) = only
        .iter()
        .find(|path| !manifest.entries.iter().any(|entry| asked(entry, path)))
    {
        return Err(RestoreError::NoSuchPath {
            path: path.clone(),
            snapshot: manifest.id,
        });
    }
    let above: HashSet<RelPath> = only.iter().flat_map(RelPath::ancestors).collect();
    let wanted =
        |entry: &&Entry| above.contains(&entry.path) || only.iter().any(|path| asked(entry, path));
    Ok(manifest.entries.iter().filter(wanted).collect())
}

fn download(
    store: &Store<'_>,
    manifest: &Manifest,
    entries: &[&Entry],
    target: &Target,
    watch: &mut dyn FnMut(Progress),
) -> Result<(), RestoreError> {
    let names: Vec<String> = entries
        .iter()
        .filter_map(|entry| Some(stored_name(entry, entry.file()?)))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    let dir = store.dir(manifest.id);
    let batch = Batch {
        local: &target.stored(),
        remote: &dir,
        names: &names,
        again: false,
    };
    Ok(store.remote().download(batch, watch)?)
}

pub(super) fn stored_name(entry: &Entry, file: &FileEntry) -> String {
    let own = || String::from_utf8_lossy(entry.path.as_bytes()).into_owned();
    file.stored.clone().unwrap_or_else(own)
}
