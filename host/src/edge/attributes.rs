//! Putting mode, owner and time back on a restored file.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::path::Path;

use copal_core::manifest::Attributes;
use filetime::FileTime;
use jiff::Timestamp;

/// Whether every owner could be put back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owners {
    /// Entries whose owner is the restoring user instead: only root may give files away.
    pub not_permitted: u64,
}

/// Puts owner, time and mode back; the mode after the owner, since a new one clears the set-user-id
/// bit.
pub fn apply(path: &Path, wanted: &Attributes, owners: &mut Owners) -> io::Result<()> {
    let now = fs::symlink_metadata(path)?;
    if (now.uid(), now.gid()) != (wanted.uid, wanted.gid) {
        match lchown(path, Some(wanted.uid), Some(wanted.gid)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                owners.not_permitted += 1;
            }
            Err(error) => return Err(error),
        }
    }
    set_time(path, wanted)?;
    if now.is_symlink() {
        // A link has no mode of its own on Linux.
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(wanted.mode.bits()))
}

/// Puts the time back.
pub fn set_time(path: &Path, wanted: &Attributes) -> io::Result<()> {
    let time = file_time(wanted.mtime);
    // By path, without opening it: its mode may forbid that.
    filetime::set_symlink_file_times(path, time, time)
}

/// The file system counts nanoseconds upwards from the second, also before 1970.
fn file_time(time: Timestamp) -> FileTime {
    const SECOND: i128 = 1_000_000_000;
    let nanoseconds = time.as_nanosecond();
    let second = i64::try_from(nanoseconds.div_euclid(SECOND));
    let rest = u32::try_from(nanoseconds.rem_euclid(SECOND));
    FileTime::from_unix_time(
        second.expect("a timestamp's seconds fit"),
        rest.expect("less than a second of nanoseconds fits"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_before_1970_keeps_its_nanoseconds() {
        for (nanosecond, second, rest) in [
            (-1, -1, 999_999_999),
            (-86_400_000_000_001, -86_401, 999_999_999),
            (-2_000_000_000, -2, 0),
            (1_000_000_005, 1, 5),
        ] {
            let time = file_time(Timestamp::from_nanosecond(nanosecond).unwrap());
            assert_eq!((time.unix_seconds(), time.nanoseconds()), (second, rest));
        }
    }
}
