//! Swap: a complete tree takes the place of the live one, which is kept. Old or new, never a mix.

mod above;
mod failure;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::Access;

use crate::edge::exchange::{Exchange, Moves};
use crate::edge::frozen::existing;
use crate::edge::leftovers::{Leftovers, named_so};
use crate::edge::mounts;
use crate::edge::old_trees::{OldTree, OldTrees};
use crate::edge::scratch::Scratch;
use crate::edge::sealed::sealed_below;
use crate::holds::{ExchangeFailure, Holds};

pub use above::Above;
pub use failure::{SwapError, Unfinished};

/// A live tree whose place another can take.
#[derive(Debug)]
pub struct Place {
    /// The directory, without links on the way to it.
    live: PathBuf,
    parent: PathBuf,
    /// Whether there is anything to keep.
    occupied: bool,
    /// Whether something is mounted there, so that it can't be renamed.
    is_fixed: bool,
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
    /// Under whose eyes that happens.
    pub holds: &'a Holds,
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
                let above = above::resolved(above).map_err(unreadable(above))?;
                (above.join(source.file_name().unwrap_or_default()), false)
            }
            Err(error) => return Err(unreadable(source)(error)),
            Ok(_) => (source.canonicalize().map_err(unreadable(source))?, true),
        };
        let Some(parent) = live.parent().map(Path::to_owned) else {
            return Err(SwapError::MountPoint(live));
        };
        let mut is_fixed = false;
        if occupied {
            let metadata = fs::metadata(&live).map_err(unreadable(&live))?;
            if !metadata.is_dir() {
                return Err(SwapError::NotADirectory(live));
            }
            is_fixed = mounts::is_fixed(&live).map_err(unreadable(&parent))?;
        }
        if is_fixed {
            let mounted = mounts::at_or_below(&live).map_err(unreadable(&live))?;
            let mut mounted = mounted.into_iter();
            if let Some(inner) = mounted.find(|point| point.parent() == Some(&live)) {
                return Err(SwapError::MountedIn { live, inner });
            }
        }
        if let Some(own) = own.iter().find(|own| own.starts_with(&live)) {
            return Err(SwapError::HoldsCopal(own.clone()));
        }
        if occupied && let Some(backups) = sealed_below(&live).map_err(unreadable(&live))? {
            return Err(SwapError::HoldsBackups(backups));
        }
        let written = if is_fixed {
            live.as_path()
        } else {
            existing(&parent)
        };
        if let Err(errno) = rustix::fs::access(written, Access::WRITE_OK | Access::EXEC_OK) {
            let (parent, source) = (written.to_owned(), errno.into());
            return Err(SwapError::ParentNotWritable { parent, source });
        }
        Ok(Self {
            live,
            parent,
            occupied,
            is_fixed,
        })
    }

    /// Where the live tree is, or is to be.
    pub fn live(&self) -> &Path {
        &self.live
    }

    /// Makes the directories above it that were lost with it.
    pub fn make_above(&self, leftovers: &Leftovers) -> Result<Above, SwapError> {
        Above::make(&self.parent, leftovers).map_err(|source| SwapError::Beside {
            path: self.parent.clone(),
            source,
        })
    }

    /// Makes the empty directory that is to take the place.
    pub fn beside(&self, run: &str, leftovers: &Leftovers) -> Result<Scratch, SwapError> {
        let path = self.own("restoring", run);
        Scratch::make(path.clone(), leftovers).map_err(|source| SwapError::Beside { path, source })
    }

    /// Directories that other restores of this place have left, by kill or by failing to clean up.
    pub fn left_behind(&self, run: &str) -> Result<Vec<PathBuf>, SwapError> {
        let within = if self.is_fixed {
            &self.live
        } else {
            &self.parent
        };
        let unreadable = |source| SwapError::Unreadable {
            path: within.clone(),
            source,
        };
        let own = self.own("restoring", run);
        let begins = self.own("restoring", "");
        let begins = begins.file_name().unwrap_or_default().as_bytes();
        let mut left = named_so(within, begins).map_err(unreadable)?;
        left.retain(|path| *path != own);
        Ok(left)
    }

    /// Puts the tree in its place. Until that begins nothing is touched.
    pub fn swap(self, tree: Scratch, by: &Swapping<'_>) -> Result<Swapped, SwapError> {
        let deed = |new: &Path| self.swap_by(new, by, Moves::REAL);
        tree.lend(deed, Self::is_untouched)
    }

    /// Whether the tree that was to take the place is what it was.
    fn is_untouched(swapped: &Result<Swapped, SwapError>) -> bool {
        !matches!(
            swapped,
            Ok(_) | Err(SwapError::Vacant { .. } | SwapError::Between { .. })
        )
    }

    /// Puts an old tree in its place. Where that fails, it stays where it is.
    pub fn swap_back(mut self, tree: &OldTree, by: &Swapping<'_>) -> Result<Swapped, SwapError> {
        // As it was kept: beside the source, or in it.
        let is_inside = tree.path.parent() == Some(&self.live);
        if self.is_fixed && !is_inside {
            return Err(SwapError::MountPoint(self.live));
        }
        self.is_fixed = is_inside;
        self.swap_by(&tree.path, by, Moves::REAL)
    }

    fn swap_by(&self, new: &Path, by: &Swapping<'_>, moves: Moves) -> Result<Swapped, SwapError> {
        // What is live from now on must outlast a power cut from now on.
        let sync = || rustix::fs::syncfs(File::open(new)?).map_err(io::Error::from);
        sync().map_err(|source| SwapError::Beside {
            path: new.to_owned(),
            source,
        })?;
        let live = self.live.clone();
        let mut unfinished = Vec::new();
        let before = if self.occupied {
            Some(self.exchange(new, by, moves, &mut unfinished)?)
        } else {
            (moves.rename)(new, &live).map_err(|source| self.untouched(source))?;
            let synced = File::open(&self.parent).and_then(|parent| parent.sync_all());
            unfinished.extend(synced.err().map(|source| self.not_written_out(source)));
            None
        };
        Ok(Swapped {
            live,
            before,
            unfinished,
        })
    }

    /// The exchange, with a record of the old tree that is there before it: what no record names can't be
    /// swapped back.
    fn exchange(
        &self,
        new: &Path,
        by: &Swapping<'_>,
        moves: Moves,
        unfinished: &mut Vec<Unfinished>,
    ) -> Result<PathBuf, SwapError> {
        let before = self.own("before", by.run);
        let of = if self.is_fixed {
            Exchange::inside
        } else {
            Exchange::whole
        };
        let exchange = of(self.live.clone(), new.to_owned(), before);
        let exchange = exchange.map_err(|source| SwapError::Unreadable {
            path: self.live.clone(),
            source,
        })?;
        let (mut old, mut not_noted) = (None, None);
        let mut first = || {
            let tree = self.old_tree(&exchange, by)?;
            if let Err((path, source)) = by.trees.note(&tree) {
                not_noted = Some(path);
                return Err(source);
            }
            old = Some(tree);
            Ok(())
        };
        let made = match by.holds.exchange(&exchange, moves, &mut first) {
            Ok(made) => made,
            Err(failure) => {
                return Err(match (failure, not_noted) {
                    (ExchangeFailure::PutBack(source), Some(path)) => {
                        SwapError::NotNoted { path, source }
                    }
                    (failure, _) => self.failed(failure, &exchange, by),
                });
            }
        };
        let written = made.not_written_down;
        unfinished.extend(written.map(|source| self.not_written_out(source)));
        if let Some(source) = made.keeps_name {
            let before = made.before.clone();
            unfinished.push(Unfinished::KeepsName { before, source });
            let noted = old.map_or(Ok(()), |old| {
                let path = made.before.clone();
                by.trees.note(&OldTree { path, ..old })
            });
            if let Err((record, source)) = noted {
                unfinished.push(Unfinished::NotNoted { record, source });
            }
        }
        let strays = exchange.strays();
        if self.is_fixed && strays.exists() {
            unfinished.push(Unfinished::Strays(strays));
        }
        unfinished.extend(exchange.not_moved().map(Unfinished::NotMoved));
        Ok(made.before)
    }

    /// The old tree as it will be. Its place is prepared for that.
    fn old_tree(&self, exchange: &Exchange, by: &Swapping<'_>) -> io::Result<OldTree> {
        Ok(OldTree {
            run: by.run.to_owned(),
            since: by.started,
            live: self.live.clone(),
            path: exchange.before.clone(),
            identity: exchange.prepare()?,
            discarded: false,
        })
    }

    /// What a failure means. A record of what is no old tree goes.
    fn failed(
        &self,
        failure: ExchangeFailure,
        exchange: &Exchange,
        by: &Swapping<'_>,
    ) -> SwapError {
        let error = match failure {
            ExchangeFailure::NotBegun(error) => SwapError::NotBegun(error),
            ExchangeFailure::PutBack(source) => self.untouched(source),
            // It is still to be the old tree.
            ExchangeFailure::Stuck { why, back } if self.is_fixed => {
                return SwapError::Between {
                    live: self.live.clone(),
                    back,
                    source: why,
                };
            }
            // Both are kept: the new one is the one tree that is known to be whole.
            ExchangeFailure::Stuck { why, back } => {
                return SwapError::Vacant {
                    live: self.live.clone(),
                    before: exchange.before.clone(),
                    restored: exchange.new.clone(),
                    back,
                    source: why,
                };
            }
        };
        if let Err((record, error)) = by.trees.forget(by.run) {
            // It names a directory that is not there, and is passed over.
            tracing::warn!(%error, record = %record.display(), "a record stays");
        }
        error
    }

    /// The exchange has happened; a crash within seconds could undo it, and no more.
    fn not_written_out(&self, source: io::Error) -> Unfinished {
        let parent = self.parent.clone();
        Unfinished::NotWrittenOut { parent, source }
    }

    fn untouched(&self, source: io::Error) -> SwapError {
        let live = self.live.clone();
        SwapError::Untouched { live, source }
    }

    /// A directory of a run's own: `<live>.<what>-<run>`, or `.copal-<what>-<run>` in a place that can't be
    /// renamed.
    fn own(&self, what: &str, run: &str) -> PathBuf {
        if self.is_fixed {
            return self.live.join(format!(".copal-{what}-{run}"));
        }
        let mut name = self.live.file_name().unwrap_or(OsStr::new("")).to_owned();
        name.push(format!(".{what}-{run}"));
        self.parent.join(name)
    }
}

#[cfg(test)]
#[path = "swap_tests.rs"]
mod tests;
