//! Files below a directory that no link leads out of: while a run looks a path up, the app may swap
//! one of its directories for a link to anywhere.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use copal_core::path::RelPath;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::open::regular;
use super::top::{Root, Top};

/// A path below a top. The way to the top may lead through links; from there on none is followed.
#[derive(Debug, Clone, Copy)]
pub struct Beneath<'a> {
    top: &'a Path,
    /// The top itself, where it is held: its path may lead elsewhere for a while.
    held: Option<&'a Arc<OwnedFd>>,
    path: &'a Path,
}

impl<'a> Beneath<'a> {
    /// What lies at `path` in a source.
    pub fn of<R: Root + ?Sized>(source: &'a R, path: &'a RelPath) -> Self {
        Self::below(source, Path::new(OsStr::from_bytes(path.as_bytes())))
    }

    /// What lies under the name `stored` in a directory of Copal's own.
    pub fn stored(top: &'a Path, stored: &'a str) -> Self {
        Self::below(top, Path::new(stored))
    }

    /// What lies at `path` below `top`.
    pub fn below<R: Root + ?Sized>(top: &'a R, path: &'a Path) -> Self {
        Self {
            top: top.path(),
            held: top.held(),
            path,
        }
    }

    /// A file by its path alone: its directory is the top.
    pub fn at(file: &'a Path) -> Self {
        let top = file.parent().unwrap_or(Path::new("/"));
        Self::below(top, file.file_name().map_or(file, Path::new))
    }

    /// What lies at `path` below the same top.
    pub fn other<'b>(self, path: &'b Path) -> Beneath<'b>
    where
        'a: 'b,
    {
        Beneath { path, ..self }
    }

    /// Its top.
    pub fn top(self) -> Top {
        Top::of(self.top, self.held)
    }

    /// Its path below that.
    pub fn path(self) -> &'a Path {
        self.path
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
        Ok((self.other(parent).hold()?, name))
    }

    /// A directory, to open what lies below it.
    pub(super) fn hold(self) -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        self.open(self.path, flags)
    }

    fn open(self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        if let Some(held) = self.held {
            return open_below(held.as_fd(), path, flags);
        }
        let top = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let top = rustix::fs::open(self.top, top, Mode::empty())?;
        open_below(top.as_fd(), path, flags)
    }
}

fn open_below(top: BorrowedFd<'_>, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
    // The top itself.
    let is_top = path.as_os_str().is_empty();
    let path = if is_top { Path::new(".") } else { path };
    let flags = flags | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let opened = match rustix::fs::openat2(top, path, flags, Mode::empty(), resolve) {
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

fn step_by_step(top: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut here: Option<OwnedFd> = None;
    let mut names = path.components().peekable();
    while let Some(name) = names.next() {
        let name = match name {
            Component::Normal(name) => name,
            Component::CurDir => OsStr::new("."),
            _ => return Err(Errno::XDEV),
        };
        let directory = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let last = names.peek().is_none();
        let flags = if last { flags } else { directory };
        let above = here.as_ref().map_or(top, AsFd::as_fd);
        here = Some(rustix::fs::openat(above, name, flags, Mode::empty())?);
    }
    here.ok_or(Errno::INVAL)
}

#[cfg(test)]
#[path = "beneath_tests.rs"]
mod tests;
