//! What is mounted where.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Whether a directory can't be renamed: something is mounted there, also where that is of the same device, or
/// it is a subvolume. No link is to be on the way to it.
///
/// # Errors
/// Where it, or the directory above it, can't be seen.
pub fn is_fixed(directory: &Path) -> io::Result<bool> {
    let above = directory.parent().unwrap_or(directory);
    Ok(fs::metadata(directory)?.dev() != fs::metadata(above)?.dev() || is_mounted(directory))
}

/// Where the mounts can't be seen, the device has to do.
fn is_mounted(path: &Path) -> bool {
    let points = here().unwrap_or_default();
    points.iter().any(|(_, point)| point == path)
}

/// Where something is mounted at `path` or below it. No link is to be on the way to it.
///
/// # Errors
/// Where that can't be seen.
pub fn at_or_below(path: &Path) -> io::Result<Vec<PathBuf>> {
    let points = here()?.into_iter().map(|(_, at)| at);
    Ok(points.filter(|point| point.starts_with(path)).collect())
}

/// What is mounted here, as [`of`] has it.
///
/// # Errors
/// Where that can't be seen.
pub fn here() -> io::Result<Vec<(PathBuf, PathBuf)>> {
    of(Path::new("/proc/self"))
}

/// What a process, by its directory below `/proc`, has mounted: the directory in its file system, and where
/// that is seen by the process.
/// Source: proc(5), `/proc/pid/mountinfo`
///
/// # Errors
/// Where that can't be seen.
pub fn of(process: &Path) -> io::Result<Vec<(PathBuf, PathBuf)>> {
    let path = |text: &[u8]| PathBuf::from(OsString::from_vec(unescape(text)));
    let mounts = fs::read(process.join("mountinfo"))?;
    let lines = mounts.split(|byte| *byte == b'\n');
    let mounts = lines.filter_map(|line| {
        let mut fields = line.split(|byte| *byte == b' ').skip(3);
        Some((path(fields.next()?), path(fields.next()?)))
    });
    Ok(mounts.collect())
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
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read_with_their_escapes() {
        assert_eq!(unescape(br"/mnt/a\040b\134c"), br"/mnt/a b\c");
        assert_eq!(unescape(br"/mnt/a\9"), br"/mnt/a\9");
    }

    #[test]
    fn what_is_mounted_is_found_at_and_below_a_path() {
        let below = |path| at_or_below(Path::new(path)).unwrap();
        assert!(is_mounted(Path::new("/proc")));
        assert!(!is_mounted(Path::new("/proc/self")));
        assert!(below("/").contains(&PathBuf::from("/proc")));
        assert!(!below("/pro").contains(&PathBuf::from("/proc")));
    }
}
