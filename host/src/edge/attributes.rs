//! Putting mode, owner and time back on a restored file.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::path::Path;

use copal_core::manifest::Attributes;
use filetime::FileTime;

/// Whether every owner could be put back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owners {
    /// Entries whose owner is the restoring user instead: only root may give files away.
    pub not_permitted: u64,
}

/// Puts owner, mode and time back, in this order: a new owner clears the set-user-id bit.
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
    let time = FileTime::from_unix_time(
        wanted.mtime.as_second(),
        u32::try_from(wanted.mtime.subsec_nanosecond()).unwrap_or(0),
    );
    if now.is_symlink() {
        // A link has no mode of its own on Linux.
        return filetime::set_symlink_file_times(path, time, time);
    }
    fs::set_permissions(path, Permissions::from_mode(wanted.mode.bits()))?;
    filetime::set_file_times(path, time, time)
}
