//! What is on the disks of this machine, and not only on its way there.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Has the file systems of these directories write down all that was written to them. After this a power
/// failure takes none of it.
///
/// # Errors
/// The directory, and what the system said: a disk that failed, most likely.
pub fn write_down(directories: &[PathBuf]) -> Result<(), (PathBuf, io::Error)> {
    for directory in directories {
        sync(directory).map_err(|error| (directory.clone(), error))?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn sync(directory: &Path) -> io::Result<()> {
    let directory = File::open(directory)?;
    Ok(rustix::fs::syncfs(&directory)?)
}

#[cfg(not(target_os = "linux"))]
fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?;
    rustix::fs::sync();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_named() {
        let dir = tempfile::tempdir().unwrap();
        write_down(&[dir.path().to_owned()]).unwrap();
        let gone = dir.path().join("gone");
        let (named, error) = write_down(std::slice::from_ref(&gone)).unwrap_err();
        assert_eq!((named, error.kind()), (gone, io::ErrorKind::NotFound));
    }
}
