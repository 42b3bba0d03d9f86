//! Swap: a complete tree takes the place of the live one, which is kept. Old or new, never a mix.

mod failure;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::edge::leftovers::{Leftovers, named_so};
use crate::edge::scratch::Scratch;

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
            if metadata.dev() != above.dev() || is_mounted(&live) {
                return Err(SwapError::MountPoint(live));
            }
        }
        if let Some(own) = own.iter().find(|own| own.starts_with(&live)) {
            return Err(SwapError::HoldsCopal(own.clone()));
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
    pub fn swap(self, tree: Scratch, run: &str) -> Result<Swapped, SwapError> {
        let path = tree.path().to_owned();
        // What is live from now on must outlast a power cut from now on.
        let sync = || rustix::fs::syncfs(File::open(&path)?).map_err(io::Error::from);
        sync().map_err(|source| SwapError::Beside { path, source })?;
        self.swap_by(tree, run, Moves::REAL)
    }

    fn swap_by(&self, tree: Scratch, run: &str, moves: Moves) -> Result<Swapped, SwapError> {
        let live = self.live.clone();
        let mut unfinished = Vec::new();
        let before = if self.occupied {
            let before = self.neighbour("before", run);
            Some(self.exchange(tree, before, moves, &mut unfinished)?)
        } else {
            let untouched = |source| self.untouched(source);
            (moves.rename)(tree.path(), &live).map_err(untouched)?;
            tree.keep();
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

    /// Puts the tree where another is, which is to be at `before` then; where that is.
    fn exchange(
        &self,
        tree: Scratch,
        before: PathBuf,
        Moves {
            exchange, rename, ..
        }: Moves,
        unfinished: &mut Vec<Unfinished>,
    ) -> Result<PathBuf, SwapError> {
        let (new, live) = (tree.path().to_owned(), self.live.clone());
        match exchange(&new, &live) {
            Ok(()) => {
                // From here on what lies at `new` is the old tree: never to be removed.
                tree.keep();
                let Err(source) = rename(&new, &before) else {
                    return Ok(before);
                };
                let before = new.clone();
                unfinished.push(Unfinished::KeepsName { before, source });
                Ok(new)
            }
            Err(Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP) => {
                rename(&live, &before).map_err(|source| self.untouched(source))?;
                let Err(source) = rename(&new, &live) else {
                    tree.keep();
                    return Ok(before);
                };
                let Err(back) = rename(&before, &live) else {
                    return Err(self.untouched(source));
                };
                // The one tree that is known to be whole.
                tree.keep();
                Err(SwapError::Vacant {
                    live,
                    before,
                    restored: new,
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
    /// Has what happened in a directory on the disk.
    write_out: fn(&Path) -> io::Result<()>,
}

impl Moves {
    const REAL: Self = Self {
        exchange: |one, other| renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE),
        rename: |from, to| fs::rename(from, to),
        write_out: |directory| File::open(directory)?.sync_all(),
    };
}

/// Whether something is mounted at `path`, also where it is of the same device. Source: proc(5),
/// `/proc/pid/mountinfo`; where there is none, the device has to do.
fn is_mounted(path: &Path) -> bool {
    let Ok(mounts) = fs::read("/proc/self/mountinfo") else {
        return false;
    };
    let mut points = mounts
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.split(|byte| *byte == b' ').nth(4));
    points.any(|point| unescape(point) == path.as_os_str().as_bytes())
}

/// Undoes `\040` and its like.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let octal = (*first == b'\\')
            .then(|| after.get(..3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(octal.unwrap_or(*first));
        rest = if octal.is_some() { &after[3..] } else { after };
    }
    bytes
}

#[cfg(test)]
#[path = "swap_tests.rs"]
mod tests;
