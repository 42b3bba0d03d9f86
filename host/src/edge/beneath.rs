//! Files below a directory that no link leads out of: while a run looks a path up, the app may swap
//! one of its directories for a link to anywhere.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use copal_core::path::RelPath;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::open::regular;

/// A path below a top. The way to the top may lead through links; from there on none is followed.
#[derive(Debug, Clone, Copy)]
pub struct Beneath<'a> {
    top: &'a Path,
    path: &'a Path,
}

impl<'a> Beneath<'a> {
    /// What lies at `path` in a source.
    pub fn of(source: &'a Path, path: &'a RelPath) -> Self {
        let path = Path::new(OsStr::from_bytes(path.as_bytes()));
        Self { top: source, path }
    }

    /// What lies under the name `stored` in a directory of Copal's own.
    pub fn stored(top: &'a Path, stored: &'a str) -> Self {
        let path = Path::new(stored);
        Self { top, path }
    }

    /// What lies at `path` below `top`.
    pub fn below(top: &'a Path, path: &'a Path) -> Self {
        Self { top, path }
    }

    /// A file by its path alone: its directory is the top.
    pub fn at(file: &'a Path) -> Self {
        let top = file.parent().unwrap_or(Path::new("/"));
        let path = file.file_name().map_or(file, Path::new);
        Self { top, path }
    }

    /// What lies at `path` below the same top.
    pub fn other<'b>(self, path: &'b Path) -> Beneath<'b>
    where
        'a: 'b,
    {
        Beneath::below(self.top, path)
    }

    /// Its top, and its path below that.
    pub fn parts(self) -> (&'a Path, &'a Path) {
        (self.top, self.path)
    }

    /// Where it lies, for messages.
    pub fn place(self) -> PathBuf {
        self.top.join(self.path)
    }

    /// Opens a regular file for reading. To the caller a file behind a link is gone.
    pub fn open_regular(self) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        regular(self.open(self.path, flags)?.into())
    }

    /// Opens a directory, to list it.
    pub(super) fn open_directory(self) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        Ok(self.open(self.path, flags)?.into())
    }

    /// What the file system says of it, of a link itself.
    pub fn metadata(self) -> io::Result<Metadata> {
        let there = self.open(self.path, OFlags::PATH | OFlags::NOFOLLOW)?;
        File::from(there).metadata()
    }

    /// The directory in which it lies, and its name there.
    pub(super) fn parent(self) -> io::Result<(OwnedFd, &'a OsStr)> {
        let name = self.path.file_name().ok_or(Errno::INVAL)?;
        let parent = self.path.parent().unwrap_or(Path::new(""));
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        Ok((self.open(parent, flags)?, name))
    }

    fn open(self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let top = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let top = rustix::fs::open(self.top, top, Mode::empty())?;
        if path.as_os_str().is_empty() {
            return Ok(top);
        }
        let flags = flags | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let opened = match rustix::fs::openat2(&top, path, flags, Mode::empty(), resolve) {
            // An old kernel, or a container that does not let it through.
            Err(Errno::NOSYS | Errno::PERM) => step_by_step(top, path, flags),
            opened => opened,
        };
        opened.map_err(|error| match error {
            Errno::LOOP | Errno::NOTDIR | Errno::XDEV => io::Error::new(
                io::ErrorKind::NotFound,
                "a link or a file lies on the way to it",
            ),
            other => other.into(),
        })
    }
}

fn step_by_step(top: OwnedFd, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut here = top;
    let mut names = path.components().peekable();
    while let Some(name) = names.next() {
        let Component::Normal(name) = name else {
            return Err(Errno::XDEV);
        };
        let directory = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let last = names.peek().is_none();
        let flags = if last { flags } else { directory };
        here = rustix::fs::openat(&here, name, flags, Mode::empty())?;
    }
    Ok(here)
}

#[cfg(test)]
#[path = "beneath_tests.rs"]
mod tests;
