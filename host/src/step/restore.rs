//! Restore: a snapshot's files back into a directory, as they were, or not at all.

mod one_by_one;

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
use one_by_one::come_one_by_one;

/// What of a snapshot is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// What lies at or below these; everything where there are none.
    pub only: &'a [RelPath],
    /// Whether damaged files are left out, so that the rest comes back.
    pub accept_damaged: bool,
}

/// A restored directory.
#[derive(Debug)]
pub struct Restored {
    /// Files put back.
    pub files: u64,
    /// Their content.
    pub bytes: ByteCount,
    /// Whether every owner is what it was.
    pub owners: Owners,
    /// Damaged or missing files that were left out.
    pub left_out: Vec<RelPath>,
}

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// There is something in it already.
    #[error("`{}` is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// A restore was killed while it moved what it had proven into it.
    #[error("`{}` has a part of a restore that was killed while it put files in place", .0.display())]
    HalfMoved(PathBuf),
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

impl RestoreError {
    /// Whether it may be that a single file can't be read where it lies.
    pub fn may_be_of_one_file(&self) -> bool {
        matches!(self, Self::Remote(error) if error.may_be_of_one_file())
    }
}

/// Restores what is asked for of a snapshot into the empty or new directory `to`. What can't be removed of one that
/// fails is noted in `leftovers`.
pub fn restore(
    store: &Store<'_>,
    manifest: &Manifest,
    to: &Path,
    asked: Asked<'_>,
    watch: &mut dyn FnMut(Progress),
    interrupt: &Interrupt,
    leftovers: &Leftovers,
) -> Result<Restored, RestoreError> {
    let mut entries = select(manifest, asked.only)?;
    let mut left_out = Vec::new();
    if asked.accept_damaged {
        left_out = take_missing(store, manifest, &mut entries)?;
    }
    let target = Target::prepare(to, manifest, leftovers)?;
    target.check_room(content(&entries))?;
    let mut came: Vec<StoredFile<'_>> = files(&entries).collect();
    match download(store, manifest, &came, (&target, Try::First), watch) {
        Err(RestoreError::Remote(error)) if asked.accept_damaged && error.may_be_of_one_file() => {
            let local = target.stored();
            left_out.extend(come_one_by_one(
                store, manifest, &mut came, &local, interrupt,
            )?);
        }
        downloaded => downloaded?,
    }
    let work = Work {
        stored: target.stored(),
        tree: target.tree(),
    };
    work.make_directories(&entries)?;
    let mut unlike = work.put_files(came, interrupt)?;
    if !unlike.is_empty() {
        // What was garbled on its way comes whole now; what is damaged where it lies does not.
        match download(store, manifest, &unlike, (&target, Try::Second), watch) {
            // It stays as unlike as it came.
            Err(RestoreError::Remote(error))
                if asked.accept_damaged && error.may_be_of_one_file() => {}
            downloaded => downloaded?,
        }
        unlike = work.put_files(unlike, interrupt)?;
    }
    left_out.extend(unlike.into_iter().map(|(entry, _)| entry.path.clone()));
    left_out.sort();
    if let [first, ..] = &left_out[..]
        && !asked.accept_damaged
    {
        return Err(RestoreError::Damaged(first.clone()));
    }
    let damaged: HashSet<&RelPath> = left_out.iter().collect();
    entries.retain(|entry| !damaged.contains(&entry.path));
    work.make_links(&entries)?;
    let mut owners = work.set_attributes(&entries)?;
    interrupt.check()?;
    target.finish(manifest, &mut owners)?;
    Ok(Restored {
        files: files(&entries).count() as u64,
        bytes: content(&entries),
        owners,
        left_out,
    })
}

/// A file of a snapshot.
pub(super) type StoredFile<'a> = (&'a Entry, &'a FileEntry);

fn files<'a>(entries: &[&'a Entry]) -> impl Iterator<Item = StoredFile<'a>> {
    let files = entries.iter().map(|entry| (*entry, entry.file()));
    files.filter_map(|(entry, file)| Some((entry, file?)))
}

fn content(entries: &[&Entry]) -> ByteCount {
    files(entries).map(|(_, file)| file.size).sum()
}

/// Takes the files away that are not there: asked for, they would end the whole download.
fn take_missing(
    store: &Store<'_>,
    manifest: &Manifest,
    entries: &mut Vec<&Entry>,
) -> Result<Vec<RelPath>, RestoreError> {
    let listed = store.remote().files(&store.dir(manifest.id), false)?;
    let there: HashSet<String> = listed.into_iter().map(|file| file.path).collect();
    let mut missing = Vec::new();
    entries.retain(|entry| {
        let file = entry.file();
        let is_there = file.is_none_or(|file| there.contains(&stored_name(entry, file)));
        if !is_there {
            missing.push(entry.path.clone());
        }
        is_there
    });
    Ok(missing)
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

/// Which time files are downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Try {
    First,
    /// They lie there already, with another content than was sealed.
    Second,
}

fn download(
    store: &Store<'_>,
    manifest: &Manifest,
    files: &[StoredFile<'_>],
    (target, which): (&Target, Try),
    watch: &mut dyn FnMut(Progress),
) -> Result<(), RestoreError> {
    let names = files.iter().map(|(entry, file)| stored_name(entry, file));
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        return Ok(());
    }
    let dir = store.dir(manifest.id);
    let batch = Batch {
        local: &target.stored(),
        remote: &dir,
        names: &names,
        again: which == Try::Second,
    };
    Ok(store.remote().download(batch, watch)?)
}

pub(super) fn stored_name(entry: &Entry, file: &FileEntry) -> String {
    let own = || String::from_utf8_lossy(entry.path.as_bytes()).into_owned();
    file.stored.clone().unwrap_or_else(own)
}
