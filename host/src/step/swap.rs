//! Swap: a complete tree takes the place of the live one, which is kept. Old or new, never a mix.

mod failure;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::{Access, CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::edge::identity::Identity;
use crate::edge::leftovers::{Leftovers, named_so};
use crate::edge::mounts;
use crate::edge::old_trees::{OldTree, OldTrees};
use crate::edge::scratch::Scratch;
use crate::edge::sealed::sealed_below;

pub use failure::{SwapError, Unfinished};

/// A live tree whose place another can take.
#[derive(Debug)]
pub struct Place {
    /// The directory, without links on the way to it.
    live: PathBuf,
    parent: PathBuf,
    /// Whether there is anything to keep.
    occupied: bool,
}

/// What a swap came to.
#[derive(Debug)]
pub struct Swapped {
    /// The tree that is live from now on.
    pub live: PathBuf,
    /// The one that was; none where there was none.
    pub before: Option<PathBuf>,
    /// What is not as it should be all the same.
    pub unfinished: Vec<Unfinished>,
}

/// On whose behalf trees are swapped.
#[derive(Debug, Clone, Copy)]
pub struct Swapping<'a> {
    /// The run.
    pub run: &'a str,
    /// When it began.
    pub started: Timestamp,
    /// Where the old tree is noted.
    pub trees: &'a OldTrees,
}

impl Place {
    /// The place of `source`; `own` are directories that a run itself needs.
    pub fn of(source: &Path, own: &[PathBuf]) -> Result<Self, SwapError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| SwapError::Unreadable { path, source }
        };
        let (live, occupied) = match fs::symlink_metadata(source) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let above = source.parent().unwrap_or(source);
                let above = above.canonicalize().map_err(unreadable(above))?;
                (above.join(source.file_name().unwrap_or_default()), false)
            }
            Err(error) => return Err(unreadable(source)(error)),
            Ok(_) => (source.canonicalize().map_err(unreadable(source))?, true),
        };
        let Some(parent) = live.parent().map(Path::to_owned) else {
            return Err(SwapError::MountPoint(live));
        };
        if occupied {
            let metadata = fs::metadata(&live).map_err(unreadable(&live))?;
            if !metadata.is_dir() {
                return Err(SwapError::NotADirectory(live));
            }
            let above = fs::metadata(&parent).map_err(unreadable(&parent))?;
            if metadata.dev() != above.dev() || mounts::is_mounted(&live) {
                return Err(SwapError::MountPoint(live));
            }
        }
        if let Some(own) = own.iter().find(|own| own.starts_with(&live)) {
            return Err(SwapError::HoldsCopal(own.clone()));
        }
        if occupied && let Some(backups) = sealed_below(&live).map_err(unreadable(&live))? {
            return Err(SwapError::HoldsBackups(backups));
        }
        if let Err(errno) = rustix::fs::access(&parent, Access::WRITE_OK | Access::EXEC_OK) {
            let source = errno.into();
            return Err(SwapError::ParentNotWritable { parent, source });
        }
        Ok(Self {
            live,
            parent,
            occupied,
        })
    }

    /// Where the live tree is, or is to be.
    pub fn live(&self) -> &Path {
        &self.live
    }

    /// Makes the empty directory that is to take the place.
    pub fn beside(&self, run: &str, leftovers: &Leftovers) -> Result<Scratch, SwapError> {
        let path = self.neighbour("restoring", run);
        Scratch::make(path.clone(), leftovers).map_err(|source| SwapError::Beside { path, source })
    }

    /// Directories that other restores of this place have left, by kill or by failing to clean up.
    pub fn left_behind(&self, run: &str) -> Result<Vec<PathBuf>, SwapError> {
        let unreadable = |source| SwapError::Unreadable {
            path: self.parent.clone(),
            source,
        };
        let own = self.neighbour("restoring", run);
        let begins = self.neighbour("restoring", "");
        let begins = begins.file_name().unwrap_or_default().as_bytes();
        let mut left = named_so(&self.parent, begins).map_err(unreadable)?;
        left.retain(|path| *path != own);
        Ok(left)
    }

    /// Puts the tree in its place. Until the one moment in which that happens nothing is touched.
    pub fn swap(self, tree: Scratch, by: &Swapping<'_>) -> Result<Swapped, SwapError> {
        let deed = |new: &Path| self.swap_by(new, by, Moves::REAL);
        tree.lend(deed, Self::is_untouched)
    }

    /// Whether the tree that was to take the place is what it was.
    fn is_untouched(swapped: &Result<Swapped, SwapError>) -> bool {
        !matches!(swapped, Ok(_) | Err(SwapError::Vacant { .. }))
    }

    /// Puts an old tree in its place. Where that fails, it stays where it is.
    pub fn swap_back(self, tree: &OldTree, by: &Swapping<'_>) -> Result<Swapped, SwapError> {
        self.swap_by(&tree.path, by, Moves::REAL)
    }

    fn swap_by(&self, new: &Path, by: &Swapping<'_>, moves: Moves) -> Result<Swapped, SwapError> {
        // What is live from now on must outlast a power cut from now on.
        (moves.write_all_out)(new).map_err(|source| SwapError::Beside {
            path: new.to_owned(),
            source,
        })?;
        let live = self.live.clone();
        let mut unfinished = Vec::new();
        let before = if self.occupied {
            Some(self.exchange_noted(new, by, moves, &mut unfinished)?)
        } else {
            (moves.rename)(new, &live).map_err(|source| self.untouched(source))?;
            None
        };
        if let Err(source) = (moves.write_out)(&self.parent) {
            // The exchange has happened; a crash within seconds could undo it, and no more.
            let parent = self.parent.clone();
            unfinished.push(Unfinished::NotWrittenOut { parent, source });
        }
        Ok(Swapped {
            live,
            before,
            unfinished,
        })
    }

    /// The exchange, with a record of the old tree that is there before it: what no record names can't be
    /// swapped back.
    fn exchange_noted(
        &self,
        new: &Path,
        by: &Swapping<'_>,
        moves: Moves,
        unfinished: &mut Vec<Unfinished>,
    ) -> Result<PathBuf, SwapError> {
        let unreadable = |source| SwapError::Unreadable {
            path: self.live.clone(),
            source,
        };
        let mut old = OldTree {
            run: by.run.to_owned(),
            since: by.started,
            live: self.live.clone(),
            path: self.neighbour("before", by.run),
            identity: Identity::of(&fs::metadata(&self.live).map_err(unreadable)?),
            discarded: false,
        };
        let not_noted = |(path, source)| SwapError::NotNoted { path, source };
        by.trees.note(&old).map_err(not_noted)?;
        match self.exchange(new, &old.path, moves, unfinished) {
            Ok(before) if before == old.path => Ok(before),
            Ok(before) => {
                old.path.clone_from(&before);
                if let Err((record, source)) = by.trees.note(&old) {
                    unfinished.push(Unfinished::NotNoted { record, source });
                }
                Ok(before)
            }
            Err(error) => {
                if matches!(error, SwapError::Untouched { .. })
                    && let Err((record, error)) = by.trees.forget(by.run)
                {
                    // It names a directory that is not there, and is passed over.
                    tracing::warn!(%error, record = %record.display(), "a record stays");
                }
                Err(error)
            }
        }
    }

    /// Puts the tree where another is, which is to be at `before` then; where that is.
    fn exchange(
        &self,
        new: &Path,
        before: &Path,
        Moves {
            exchange, rename, ..
        }: Moves,
        unfinished: &mut Vec<Unfinished>,
    ) -> Result<PathBuf, SwapError> {
        let live = self.live.clone();
        match exchange(new, &live) {
            Ok(()) => {
                // From here on what lies at `new` is the old tree.
                let Err(source) = rename(new, before) else {
                    return Ok(before.to_owned());
                };
                let before = new.to_owned();
                unfinished.push(Unfinished::KeepsName { before, source });
                Ok(new.to_owned())
            }
            Err(Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP) => {
                rename(&live, before).map_err(|source| self.untouched(source))?;
                let Err(source) = rename(new, &live) else {
                    return Ok(before.to_owned());
                };
                let Err(back) = rename(before, &live) else {
                    return Err(self.untouched(source));
                };
                // Both are kept: the new one is the one tree that is known to be whole.
                Err(SwapError::Vacant {
                    live,
                    before: before.to_owned(),
                    restored: new.to_owned(),
                    back,
                    source,
                })
            }
            Err(errno) => Err(self.untouched(errno.into())),
        }
    }

    fn untouched(&self, source: io::Error) -> SwapError {
        let live = self.live.clone();
        SwapError::Untouched { live, source }
    }

    /// `<live>.<what>-<run>`
    fn neighbour(&self, what: &str, run: &str) -> PathBuf {
        let mut name = self.live.file_name().unwrap_or(OsStr::new("")).to_owned();
        name.push(format!(".{what}-{run}"));
        self.parent.join(name)
    }
}

/// How directories change their places.
#[derive(Clone, Copy)]
struct Moves {
    exchange: fn(&Path, &Path) -> Result<(), Errno>,
    rename: fn(&Path, &Path) -> io::Result<()>,
    /// Has all of a tree on the disk.
    write_all_out: fn(&Path) -> io::Result<()>,
    /// Has what happened in a directory on the disk.
    write_out: fn(&Path) -> io::Result<()>,
}

impl Moves {
    const REAL: Self = Self {
        exchange: |one, other| renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE),
        rename: |from, to| fs::rename(from, to),
        write_all_out: |tree| rustix::fs::syncfs(File::open(tree)?).map_err(io::Error::from),
        write_out: |directory| File::open(directory)?.sync_all(),
    };
}

#[cfg(test)]
#[path = "swap_tests.rs"]
mod tests;
