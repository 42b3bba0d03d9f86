//! The top of a tree, held as long as a run lasts: another directory may take its place by its name, and
//! give it back.

use std::fs::{self, File, Metadata};
use std::io;
use std::ops::Deref;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};

/// A directory below which files are found.
pub trait Root {
    /// Its path.
    fn path(&self) -> &Path;

    /// The directory itself, where it is held.
    fn held(&self) -> Option<&Arc<OwnedFd>> {
        None
    }
}

impl Root for Path {
    fn path(&self) -> &Path {
        self
    }
}

impl Root for PathBuf {
    fn path(&self) -> &Path {
        self
    }
}

/// A directory with its path. Clones hold the same one.
#[derive(Debug, Clone)]
pub struct Top {
    path: PathBuf,
    held: Option<Arc<OwnedFd>>,
}

impl Top {
    /// Holds the directory that lies there now: whatever is opened below it from then on is in this one.
    pub fn hold(path: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let held = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Self {
            path: path.to_owned(),
            held: Some(Arc::new(held)),
        })
    }

    /// Whatever lies there whenever it is asked for.
    pub fn at(path: PathBuf) -> Self {
        Self { path, held: None }
    }

    pub(super) fn of(path: &Path, held: Option<&Arc<OwnedFd>>) -> Self {
        Self {
            path: path.to_owned(),
            held: held.cloned(),
        }
    }
}

impl Root for Top {
    fn path(&self) -> &Path {
        &self.path
    }

    fn held(&self) -> Option<&Arc<OwnedFd>> {
        self.held.as_ref()
    }
}

impl Deref for Top {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

/// What the file system says of a top.
pub fn metadata<R: Root + ?Sized>(top: &R) -> io::Result<Metadata> {
    match top.held() {
        Some(held) => File::from(held.try_clone()?).metadata(),
        None => fs::metadata(top.path()),
    }
}
