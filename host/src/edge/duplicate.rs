//! A second file with one's content: a clone, another name, or a copy. None writes to the first.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::SeekFrom as Within;
use rustix::io::Errno;

use super::open::open_regular;
use super::stat::Version;

/// What came of a duplication.
#[derive(Debug)]
pub enum Duplicate {
    /// It is there. The metadata is of the file that was duplicated, at that moment; boxed for its size.
    Made(Box<Metadata>),
    /// The file that was to be duplicated is gone.
    Gone,
    /// It can't be done this way here, and may be in another.
    Unfit(io::Error),
    /// The file that was to be duplicated changed in the middle of it.
    Changed,
}

/// Why there is no duplicate.
#[derive(Debug)]
pub enum Failed {
    /// The file can't be read.
    Reading(io::Error),
    /// Its duplicate can't be written.
    Writing(io::Error),
}

/// Clones `from` to the new file `to`: both share their blocks until one is written to.
pub fn reflink(from: &Path, to: &Path) -> Result<Duplicate, Failed> {
    let Some(from) = open(from)? else {
        return Ok(Duplicate::Gone);
    };
    let clone = create(to)?;
    match rustix::fs::ioctl_ficlone(&clone, &from) {
        Ok(()) => {
            let metadata = from.metadata().map_err(Failed::Reading)?;
            Ok(Duplicate::Made(Box::new(metadata)))
        }
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
pub fn link(from: &Path, to: &Path) -> Result<Duplicate, Failed> {
    match rustix::fs::link(from, to) {
        Ok(()) => {}
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
pub fn copy(from: &Path, to: &Path) -> Result<Duplicate, Failed> {
    let Some(mut from) = open(from)? else {
        return Ok(Duplicate::Gone);
    };
    let before = from.metadata().map_err(Failed::Reading)?;
    let mut copy = create(to)?;
    copy_data(&mut from, &mut copy, before.len())?;
    let after = from.metadata().map_err(Failed::Reading)?;
    if Version::of(&before) == Version::of(&after) {
        return Ok(Duplicate::Made(Box::new(before)));
    }
    fs::remove_file(to).map_err(Failed::Writing)?;
    Ok(Duplicate::Changed)
}

fn open(path: &Path) -> Result<Option<File>, Failed> {
    match open_regular(path) {
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

/// Copies the stretches that hold data.
fn copy_data(from: &mut File, to: &mut File, size: u64) -> Result<(), Failed> {
    to.set_len(size).map_err(Failed::Writing)?;
    let mut at = 0;
    while at < size {
        let start = match rustix::fs::seek(&*from, Within::Data(at)) {
            Ok(start) => start,
            // Nothing but a hole up to the end.
            Err(Errno::NXIO) => break,
            Err(error) => return Err(Failed::Reading(error.into())),
        };
        let end = rustix::fs::seek(&*from, Within::Hole(start));
        let end = end.map_err(|error| Failed::Reading(error.into()))?;
        copy_stretch(from, to, start, end.min(size))?;
        at = end;
    }
    Ok(())
}

fn copy_stretch(from: &mut File, to: &mut File, start: u64, end: u64) -> Result<(), Failed> {
    from.seek(SeekFrom::Start(start)).map_err(Failed::Reading)?;
    to.seek(SeekFrom::Start(start)).map_err(Failed::Writing)?;
    let length = end.saturating_sub(start);
    let Err(error) = io::copy(&mut Read::by_ref(from).take(length), to) else {
        return Ok(());
    };
    // Tells a write that failed from a read that failed by trying the read again.
    let mut byte = [0];
    let position = to.stream_position().unwrap_or(start);
    match from.read_at(&mut byte, position) {
        Ok(_) => Err(Failed::Writing(error)),
        Err(_) => Err(Failed::Reading(error)),
    }
}

#[cfg(test)]
#[path = "duplicate_tests.rs"]
mod tests;
