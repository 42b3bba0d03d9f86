//! Restore: a snapshot's files back into a directory, as they were, or not at all.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use copal_core::manifest::{Entry, EntryKind, FileEntry, Manifest};
use copal_core::path::{RelPath, decode_bytes};
use copal_core::units::ByteCount;

use super::snapshots::Store;
use crate::edge::attributes::{self, Owners};
use crate::edge::hash::{Wanted, hash_file};
use crate::edge::interrupt::{Interrupt, Interrupted};
use crate::edge::remote::{Batch, Progress, RemoteError};
use crate::edge::staging::room;
use crate::edge::walk::absolute;

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
    /// A signal came.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Where a restore works until everything is proven; the target holds nothing else until then.
const WORK: &str = ".copal-restoring";

/// Restores a snapshot, or what lies below `only`, into the empty or new directory `to`.
pub fn restore(
    store: &Store<'_>,
    manifest: &Manifest,
    to: &Path,
    only: &[RelPath],
    watch: &mut dyn FnMut(Progress),
    interrupt: &Interrupt,
) -> Result<Restored, RestoreError> {
    let entries = select(manifest, only)?;
    let target = Target::prepare(to)?;
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
    let asked = |entry: &Entry, path: &RelPath| entry.path.is_within(path);
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

fn stored_name(entry: &Entry, file: &FileEntry) -> String {
    let own = || String::from_utf8_lossy(entry.path.as_bytes()).into_owned();
    file.stored.clone().unwrap_or_else(own)
}

/// The directory that is restored into. Until [`Target::finish`], dropping it leaves it as it was.
struct Target {
    dir: PathBuf,
    made: bool,
    finished: bool,
}

impl Target {
    fn prepare(dir: &Path) -> Result<Self, RestoreError> {
        let place = |source| RestoreError::Place {
            path: dir.to_owned(),
            source,
        };
        let made = match fs::read_dir(dir) {
            Ok(mut inside) => match inside.next() {
                None => false,
                Some(_) => return Err(RestoreError::NotEmpty(dir.to_owned())),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(dir).map_err(place)?;
                true
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(RestoreError::NotADirectory(dir.to_owned()));
            }
            Err(error) => return Err(place(error)),
        };
        let target = Self {
            dir: dir.to_owned(),
            made,
            finished: false,
        };
        for dir in [dir.join(WORK), target.stored(), target.tree()] {
            crate::edge::state::make_private(&dir).map_err(place)?;
        }
        Ok(target)
    }

    fn stored(&self) -> PathBuf {
        self.dir.join(WORK).join("stored")
    }

    fn tree(&self) -> PathBuf {
        self.dir.join(WORK).join("tree")
    }

    fn check_room(&self, needed: ByteCount) -> Result<(), RestoreError> {
        let free = room(&self.dir).map_err(|source| RestoreError::Place {
            path: self.dir.clone(),
            source,
        })?;
        if free >= needed {
            return Ok(());
        }
        Err(RestoreError::NoRoom {
            path: self.dir.clone(),
            free,
            needed,
        })
    }

    /// Moves the proven tree into the target.
    fn finish(mut self, manifest: &Manifest, owners: &mut Owners) -> Result<(), RestoreError> {
        let place = |path: &Path| {
            let path = path.to_owned();
            move |source| RestoreError::Place { path, source }
        };
        let tree = self.tree();
        for entry in fs::read_dir(&tree).map_err(place(&tree))? {
            let from = entry.map_err(place(&tree))?.path();
            let to = self.dir.join(from.file_name().unwrap_or_default());
            fs::rename(&from, &to).map_err(place(&to))?;
        }
        self.finished = true;
        let work = self.dir.join(WORK);
        fs::remove_dir_all(&work).map_err(place(&work))?;
        attributes::apply(&self.dir, &manifest.root, owners).map_err(place(&self.dir))
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        let work = self.dir.join(WORK);
        let cleaned = fs::remove_dir_all(&work).and_then(|()| {
            if self.made {
                fs::remove_dir(&self.dir)
            } else {
                Ok(())
            }
        });
        if let Err(error) = cleaned {
            tracing::warn!(path = %work.display(), %error, "unfinished restore left behind");
        }
    }
}

/// The half-done restore: what came, under its stored name, and the tree that it becomes.
struct Work {
    stored: PathBuf,
    tree: PathBuf,
}

impl Work {
    fn at(&self, path: &RelPath) -> PathBuf {
        absolute(&self.tree, path)
    }

    fn make_directories(&self, entries: &[&Entry]) -> Result<(), RestoreError> {
        for entry in entries
            .iter()
            .filter(|entry| entry.kind == EntryKind::Directory)
        {
            let path = self.at(&entry.path);
            fs::create_dir(&path).map_err(|source| RestoreError::Place { path, source })?;
        }
        Ok(())
    }

    /// Proves a file's content, then puts it where it belongs.
    fn put_file(
        &self,
        entry: &Entry,
        file: &FileEntry,
        interrupt: &Interrupt,
    ) -> Result<(), RestoreError> {
        let from = self.stored.join(stored_name(entry, file));
        let digests = match hash_file(&from, Wanted::default(), interrupt) {
            Ok(digests) => digests,
            Err(source) => {
                interrupt.check()?;
                return Err(RestoreError::Place { path: from, source });
            }
        };
        if digests.sha256 != file.sha256 {
            return Err(RestoreError::Damaged(entry.path.clone()));
        }
        let to = self.at(&entry.path);
        let placed = match file.taken.archive_suffix() {
            None => fs::rename(&from, &to),
            Some(suffix) => unpack(&from, &to, suffix),
        };
        placed.map_err(|source| RestoreError::Place { path: to, source })
    }

    fn make_links(&self, entries: &[&Entry]) -> Result<(), RestoreError> {
        for entry in entries {
            let EntryKind::Symlink { target } = &entry.kind else {
                continue;
            };
            let path = self.at(&entry.path);
            let target = decode_bytes(target);
            std::os::unix::fs::symlink(OsStr::from_bytes(&target), &path)
                .map_err(|source| RestoreError::Place { path, source })?;
        }
        Ok(())
    }

    /// Directories last and deepest first: filling one changes its time, and its mode may forbid it.
    fn set_attributes(&self, entries: &[&Entry]) -> Result<Owners, RestoreError> {
        let mut owners = Owners::default();
        let (directories, others): (Vec<&Entry>, Vec<&Entry>) = entries
            .iter()
            .copied()
            .partition(|entry| entry.kind == EntryKind::Directory);
        for entry in others.into_iter().chain(directories.into_iter().rev()) {
            let unpacked = entry
                .file()
                .is_some_and(|file| file.taken.archive_suffix().is_some());
            if unpacked {
                continue;
            }
            let path = self.at(&entry.path);
            attributes::apply(&path, &entry.attributes, &mut owners)
                .map_err(|source| RestoreError::Place { path, source })?;
        }
        Ok(owners)
    }
}

/// Unpacks an archive beside where it lies: it holds the directory that it stood in for.
fn unpack(archive: &Path, to: &Path, suffix: &str) -> io::Result<()> {
    let parent = to.parent().unwrap_or(to);
    let file = io::BufReader::new(fs::File::open(archive)?);
    let reader: Box<dyn io::Read> = match suffix {
        ".tar.gz" => Box::new(flate2::read::GzDecoder::new(file)),
        _ => Box::new(file),
    };
    let mut tar = tar::Archive::new(reader);
    tar.set_preserve_permissions(true);
    tar.set_preserve_ownerships(rustix::process::geteuid().is_root());
    tar.set_overwrite(false);
    tar.unpack(parent)?;
    fs::remove_file(archive)
}
