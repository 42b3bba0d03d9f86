//! Snapshots and mirrors that lie in a directory of this machine.

use std::io;
use std::path::{Path, PathBuf};

use copal_core::manifest::MANIFEST;

use super::everything::below;
use super::exchange::is_own_name;

/// The first directory below this one that has a manifest: a snapshot, or a mirror. Links are not followed. A
/// manifest at the top itself came with what rclone restored, and so did one of an old tree that is kept there,
/// which stays where it is.
pub fn sealed_below(top: &Path) -> io::Result<Option<PathBuf>> {
    for entry in below(top) {
        let entry = entry?;
        let has_manifest = || entry.path().join(MANIFEST).symlink_metadata().is_ok();
        if entry.file_type()?.is_dir() && has_manifest() && !is_own(top, &entry.path()) {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

fn is_own(top: &Path, path: &Path) -> bool {
    let below = path.strip_prefix(top).ok();
    let first = below.and_then(|below| below.iter().next());
    first.is_some_and(is_own_name)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_manifest_anywhere_below_is_found_and_links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().join("top");
        fs::create_dir_all(top.join("a/b/.copal")).unwrap();
        fs::create_dir_all(dir.path().join("vault/snapshot/.copal")).unwrap();
        fs::write(dir.path().join("vault/snapshot").join(MANIFEST), "{}").unwrap();
        std::os::unix::fs::symlink("../vault", top.join("vault")).unwrap();
        fs::create_dir(top.join(".copal")).unwrap();
        fs::write(top.join(MANIFEST), "{}").unwrap();
        fs::create_dir_all(top.join(".copal-before-1a-2b/.copal")).unwrap();
        fs::write(top.join(".copal-before-1a-2b").join(MANIFEST), "{}").unwrap();
        assert_eq!(sealed_below(&top).unwrap(), None);
        fs::write(top.join("a/b").join(MANIFEST), "{}").unwrap();
        assert_eq!(sealed_below(&top).unwrap(), Some(top.join("a/b")));
    }
}
