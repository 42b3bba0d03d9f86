//! Opening a file that a walk found, and nothing else.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a file for reading, unless something else has taken its place: a link is not followed, and
/// a pipe is not waited for.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.cast_signed())
        .open(path)?;
    regular(file)
}

/// The file, if it is a regular one.
pub(super) fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    // To the caller the file that it means is gone.
    Err(io::Error::new(
        io::ErrorKind::NotFound,
        "it is not a regular file any more",
    ))
}
