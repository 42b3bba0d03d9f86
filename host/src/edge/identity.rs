//! What tells a directory from another that has come to have its name.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A directory, under whichever name. Its inode alone is not enough: a file system gives that of a directory
/// that was removed to the next one that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    inode: u64,
    /// When it was made, where the file system tells.
    #[serde(default)]
    born: Option<Timestamp>,
}

impl Identity {
    /// That of what this was said of.
    pub fn of(metadata: &Metadata) -> Self {
        let born = metadata.created().ok();
        Self {
            inode: metadata.ino(),
            born: born.and_then(|born| Timestamp::try_from(born).ok()),
        }
    }

    /// Whether this is said of the same directory. A file system that does not tell any more, or did not yet,
    /// when it was made leaves the inode.
    pub fn is(self, metadata: &Metadata) -> bool {
        let now = Self::of(metadata);
        let same_birth = match (self.born, now.born) {
            (Some(then), Some(now)) => then == now,
            _ => true,
        };
        metadata.is_dir() && self.inode == now.inode && same_birth
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_directory_is_known_by_any_name_and_one_that_got_its_inode_is_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("one");
        fs::create_dir(&path).unwrap();
        let one = Identity::of(&fs::metadata(&path).unwrap());
        fs::rename(&path, dir.path().join("two")).unwrap();
        let metadata = fs::metadata(dir.path().join("two")).unwrap();
        assert!(one.is(&metadata));
        let text = serde_json::to_string(&one).unwrap();
        assert!(
            serde_json::from_str::<Identity>(&text)
                .unwrap()
                .is(&metadata)
        );

        let earlier = Identity {
            born: Some(Timestamp::UNIX_EPOCH),
            ..one
        };
        assert_eq!(earlier.is(&metadata), one.born.is_none());
        assert!(Identity { born: None, ..one }.is(&metadata));
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let file = fs::metadata(&file).unwrap();
        assert!(!Identity::of(&file).is(&file), "a file is no directory");
    }
}
