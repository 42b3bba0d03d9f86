//! A second file with one's content: a clone, another name, or a copy. None writes to the first.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD};
use rustix::io::Errno;

use super::beneath::Beneath;
use super::content::{self, Failed};
use super::interrupt::Interrupt;
use super::stat::Version;

/// What came of a duplication.
#[derive(Debug)]
pub enum Duplicate {
    /// It is there. The metadata is of the file that was duplicated, just before; boxed for its size.
    Made(Box<Metadata>),
    /// The file that was to be duplicated is gone.
    Gone,
    /// It can't be done this way here, and may be in another.
    Unfit(io::Error),
    /// The file that was to be duplicated changed in the middle of it.
    Changed,
}

impl Duplicate {
    /// Whether there is none because something lies where it was to be.
    pub fn found_taken(result: &Result<Self, Failed>) -> bool {
        match result {
            Ok(Self::Unfit(error)) | Err(Failed::Writing(error)) => {
                error.kind() == io::ErrorKind::AlreadyExists
            }
            Ok(Self::Made(_) | Self::Gone | Self::Changed)
            | Err(Failed::Reading(_) | Failed::Interrupted(_)) => false,
        }
    }
}

/// Clones `from` to the new file `to`: both share their blocks until one is written to.
pub fn reflink(from: Beneath<'_>, to: &Path) -> Result<Duplicate, Failed> {
    let Some(from) = open(from)? else {
        return Ok(Duplicate::Gone);
    };
    let clone = create(to)?;
    // Before it: what is written from now on gives the file another version than this.
    let metadata = from.metadata().map_err(Failed::Reading)?;
    match rustix::fs::ioctl_ficlone(&clone, &from) {
        Ok(()) => Ok(Duplicate::Made(Box::new(metadata))),
        Err(error) => {
            fs::remove_file(to).map_err(Failed::Writing)?;
            match error {
                Errno::NOSPC | Errno::DQUOT | Errno::IO => Err(Failed::Writing(error.into())),
                other => Ok(Duplicate::Unfit(other.into())),
            }
        }
    }
}

/// Gives the file `from` the new name `to` as well. From then on `to` must never be written to.
pub fn link(from: Beneath<'_>, to: &Path) -> Result<Duplicate, Failed> {
    let (directory, name) = match from.parent() {
        Ok(parent) => parent,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Duplicate::Gone),
        Err(error) => return Err(Failed::Reading(error)),
    };
    // By the directory's handle, and a link itself where there is one.
    match rustix::fs::linkat(&directory, name, CWD, to, AtFlags::empty()) {
        Ok(()) => {}
        // Which of the two is missing, only the file's directory can tell.
        Err(error @ Errno::NOENT) if !to.parent().is_some_and(Path::is_dir) => {
            return Err(Failed::Writing(error.into()));
        }
        Err(Errno::NOENT) => return Ok(Duplicate::Gone),
        Err(error @ (Errno::NOSPC | Errno::DQUOT | Errno::IO)) => {
            return Err(Failed::Writing(error.into()));
        }
        // Of another file system, of somebody else's (fs.protected_hardlinks), of too many names.
        Err(error) => return Ok(Duplicate::Unfit(error.into())),
    }
    let linked = fs::symlink_metadata(to).map_err(Failed::Writing)?;
    if linked.is_file() {
        return Ok(Duplicate::Made(Box::new(linked)));
    }
    // Something else has taken the file's place since it was found.
    fs::remove_file(to).map_err(Failed::Writing)?;
    Ok(Duplicate::Gone)
}

/// Copies `from` to the new file `to`, holes as holes.
pub fn copy(from: Beneath<'_>, to: &Path, interrupt: &Interrupt) -> Result<Duplicate, Failed> {
    let Some(from) = open(from)? else {
        return Ok(Duplicate::Gone);
    };
    let before = from.metadata().map_err(Failed::Reading)?;
    content::copy(&from, &create(to)?, interrupt)?;
    let after = from.metadata().map_err(Failed::Reading)?;
    if Version::of(&before) == Version::of(&after) {
        return Ok(Duplicate::Made(Box::new(before)));
    }
    fs::remove_file(to).map_err(Failed::Writing)?;
    Ok(Duplicate::Changed)
}

fn open(file: Beneath<'_>) -> Result<Option<File>, Failed> {
    match file.open_regular() {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failed::Reading(error)),
    }
}

/// Never an existing file: that might be another name of a live one.
fn create(path: &Path) -> Result<File, Failed> {
    let mut new = OpenOptions::new();
    let new = new.write(true).create_new(true).mode(0o600);
    new.open(path).map_err(Failed::Writing)
}

#[cfg(test)]
#[path = "duplicate_tests.rs"]
mod tests;
