//! What the file system says of a file, and whether it has changed since.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use copal_core::manifest::{Attributes, Mode};
use copal_core::units::ByteCount;
use jiff::{SignedDuration, Timestamp};

/// A file's identity and version: equal before and after a read, the read saw one content.
///
/// The change time (ctime) catches what the modification time can't: a program that writes in place
/// and puts the old mtime back. No program can set a ctime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// Longer than a tick of any system's clock (10 ms), and than one that comes late.
const TICK: SignedDuration = SignedDuration::from_secs(1);

impl Version {
    /// The version that this metadata describes.
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// A file of this length that lies elsewhere: equal to none that lies here.
    pub fn elsewhere(size: ByteCount) -> Self {
        Self {
            device: 0,
            inode: 0,
            size: size.0,
            modified: (0, 0),
            changed: (0, 0),
        }
    }

    /// Device and inode: which file it is, whatever its name.
    pub fn file(&self) -> (u64, u64) {
        (self.device, self.inode)
    }

    /// Whether file, size and modification time are the same, which a new or a lost name of the file
    /// leaves as they are.
    pub fn has_content_of(&self, other: &Self) -> bool {
        let changed = other.changed;
        Self { changed, ..*self } == *other
    }

    /// Whether a change after `moment`, at which this version was seen, would show: a file system takes
    /// its times from a clock that moves in ticks, so that two changes within one look the same.
    pub fn would_show_a_change_after(&self, moment: Timestamp) -> bool {
        let ticks_ago = (moment - TICK).as_second();
        self.modified.0 < ticks_ago && self.changed.0 < ticks_ago
    }

    /// The length of the file in this version.
    pub fn size(&self) -> ByteCount {
        ByteCount(self.size)
    }
}

/// Mode, owner and time, as a manifest keeps them.
pub fn attributes(metadata: &Metadata) -> Attributes {
    let nanosecond = i32::try_from(metadata.mtime_nsec()).unwrap_or(0);
    Attributes {
        mode: Mode::from_st_mode(metadata.mode()),
        uid: metadata.uid(),
        gid: metadata.gid(),
        // A time outside the years -9999 to 9999 comes from a broken clock; it becomes 1970.
        mtime: Timestamp::new(metadata.mtime(), nanosecond).unwrap_or(Timestamp::UNIX_EPOCH),
    }
}
