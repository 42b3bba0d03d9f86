//! Swap: a complete tree takes the place of the live one, which is kept. Old or new, never a mix.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::edge::scratch::Scratch;

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
}

/// Why the live tree was not replaced.
#[derive(Debug, thiserror::Error)]
pub enum SwapError {
    /// The source, or the directory above it, can't be looked at.
    #[error("can't open `{}`", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The source is a file.
    #[error("the source `{}` is not a directory", .0.display())]
    NotADirectory(PathBuf),
    /// Something is mounted there.
    #[error("the source `{}` is a mount point", .0.display())]
    MountPoint(PathBuf),
    /// The directory above can't be written.
    #[error("the source can't be exchanged: `{}` is not writable", .parent.display())]
    ParentNotWritable {
        /// That directory.
        parent: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What the run itself needs lies in the source.
    #[error("Copal's own directory `{}` lies in the source", .0.display())]
    HoldsCopal(PathBuf),
    /// The directory beside the source can't be made or written out.
    #[error("can't prepare `{}` beside the source", .path.display())]
    Beside {
        /// That directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The exchange failed, and the live tree is where it was.
    #[error("can't put the restored tree in the place of `{}`, which is as it was", .live.display())]
    Untouched {
        /// The live tree.
        live: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The old tree was moved away, and neither tree could be put in its place. Both are kept.
    #[error("nothing is at `{}`: the old tree is `{}` and can't be moved back ({back}), and the restored one is `{}`", .live.display(), .before.display(), .restored.display())]
    Vacant {
        /// Where the live tree belongs.
        live: PathBuf,
        /// Where it is.
        before: PathBuf,
        /// Where the restored tree is, complete and proven.
        restored: PathBuf,
        /// Why it can't be moved back.
        back: io::Error,
        /// Why the new one can't take its place.
        source: io::Error,
    },
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
    pub fn beside(&self, run: &str) -> Result<Scratch, SwapError> {
        let path = self.neighbour("restoring", run);
        Scratch::make(path.clone()).map_err(|source| SwapError::Beside { path, source })
    }

    /// Directories that other restores of this place have left, by kill or by failing to clean up.
    pub fn left_behind(&self, run: &str) -> Result<Vec<PathBuf>, SwapError> {
        let unreadable = |source| SwapError::Unreadable {
            path: self.parent.clone(),
            source,
        };
        let own = self.neighbour("restoring", run);
        let begins = self.neighbour("restoring", "");
        let begins = begins.file_name().unwrap_or_default().as_bytes().to_owned();
        let mut left = Vec::new();
        for entry in fs::read_dir(&self.parent).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let name = path.file_name().unwrap_or_default();
            if name.as_bytes().starts_with(&begins) && path != own {
                left.push(path);
            }
        }
        left.sort();
        Ok(left)
    }

    /// Puts the tree in its place. Until the one moment in which that happens nothing is touched.
    pub fn swap(self, tree: Scratch, run: &str) -> Result<Swapped, SwapError> {
        let path = tree.path().to_owned();
        // What is live from now on must outlast a power cut from now on.
        let sync = || rustix::fs::syncfs(File::open(&path)?).map_err(io::Error::from);
        sync().map_err(|source| SwapError::Beside {
            path: path.clone(),
            source,
        })?;
        let swapped = self.swap_by(tree, run, Moves::REAL)?;
        if let Err(error) = File::open(&self.parent).and_then(|parent| parent.sync_all()) {
            // The exchange has happened; a crash within seconds could undo it, and no more.
            tracing::warn!(path = %self.parent.display(), %error, "can't write out the directory");
        }
        Ok(swapped)
    }

    fn swap_by(
        &self,
        tree: Scratch,
        run: &str,
        Moves { exchange, rename }: Moves,
    ) -> Result<Swapped, SwapError> {
        let (new, live) = (tree.path().to_owned(), self.live.clone());
        let before = self.neighbour("before", run);
        let untouched = |source| SwapError::Untouched {
            live: self.live.clone(),
            source,
        };
        if !self.occupied {
            rename(&new, &live).map_err(untouched)?;
            tree.keep();
            return Ok(Swapped { live, before: None });
        }
        let before = match exchange(&new, &live) {
            Ok(()) => {
                // From here on what lies at `new` is the old tree: never to be removed.
                tree.keep();
                match rename(&new, &before) {
                    Ok(()) => before,
                    Err(error) => {
                        tracing::warn!(path = %new.display(), %error, "the old tree keeps this name");
                        new
                    }
                }
            }
            Err(Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP) => {
                rename(&live, &before).map_err(untouched)?;
                if let Err(source) = rename(&new, &live) {
                    return Err(match rename(&before, &live) {
                        Ok(()) => untouched(source),
                        Err(back) => {
                            // The one tree that is known to be whole.
                            tree.keep();
                            SwapError::Vacant {
                                live,
                                before,
                                restored: new,
                                back,
                                source,
                            }
                        }
                    });
                }
                tree.keep();
                before
            }
            Err(errno) => return Err(untouched(errno.into())),
        };
        Ok(Swapped {
            live,
            before: Some(before),
        })
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
}

impl Moves {
    const REAL: Self = Self {
        exchange: |one, other| renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE),
        rename: |from, to| fs::rename(from, to),
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
