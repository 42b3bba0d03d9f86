//! What is mounted where.

use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// Whether something is mounted at `path`, also where it is of the same device.
pub fn is_mounted(path: &Path) -> bool {
    points().iter().any(|point| point == path)
}

/// Where something is mounted at `path` or below it. No link is to be on the way to it.
pub fn at_or_below(path: &Path) -> Vec<PathBuf> {
    let mut points = points();
    points.retain(|point| point.starts_with(path));
    points
}

/// Source: proc(5), `/proc/pid/mountinfo`; where there is none, the device has to do.
fn points() -> Vec<PathBuf> {
    let Ok(mounts) = fs::read("/proc/self/mountinfo") else {
        return Vec::new();
    };
    mounts
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.split(|byte| *byte == b' ').nth(4))
        .map(|point| PathBuf::from(std::ffi::OsString::from_vec(unescape(point))))
        .collect()
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
        assert!(is_mounted(Path::new("/proc")));
        assert!(!is_mounted(Path::new("/proc/self")));
        assert!(at_or_below(Path::new("/")).contains(&PathBuf::from("/proc")));
        assert!(!at_or_below(Path::new("/pro")).contains(&PathBuf::from("/proc")));
    }
}
