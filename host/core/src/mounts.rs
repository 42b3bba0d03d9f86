//! Mounts: file systems that were mounted inside a source, or directories and files that were shown in it, and are
//! not any more.
//!
//! Without its disk a directory is empty or gone, and all that lay in it looks like files that the app
//! deleted. That it was a mount point is what tells one from the other.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::manifest::{Entry, FileEntry, Manifest};
use crate::path::RelPath;
use crate::snapshot::SnapshotId;
use crate::units::ByteCount;

/// What a file system is known by: its kind, and the number that it has of its own. Some have the number of
/// their device, which may be another after a reboot, and some none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSystem {
    /// The kind, as `statfs` tells it.
    pub kind: u64,
    /// The number; 0 for none.
    pub number: u64,
}

/// By the kernel's `magic.h`: tmpfs and ramfs.
const IN_MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];

impl FileSystem {
    /// Whether it is kept in memory, and so begins empty each time.
    fn is_in_memory(self) -> bool {
        IN_MEMORY.contains(&self.kind)
    }
}

/// What a manifest knows of a place at which something was mounted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// The file system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<FileSystem>,
    /// Which directory or file of it was seen there: `/` for all of it. Percent-encoded where it is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shows: Option<String>,
    /// That it was missing already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_since: Option<Had>,
}

/// What was on a disk before it was missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Had {
    /// The last snapshot that has it.
    pub last: SnapshotId,
    /// How many files of it that has.
    pub files: u64,
}

/// What is at a directory now, at which a file system was mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Now {
    /// None is.
    Nothing,
    /// One.
    Mounted(Option<FileSystem>),
}

/// A file system that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The directory at which it was mounted.
    pub path: RelPath,
    /// What it is known by.
    pub is: Option<FileSystem>,
    /// Which directory or file of it was seen there.
    pub shows: Option<String>,
    /// What was on it.
    pub had: Had,
    /// Whether another is mounted there.
    pub is_replaced: bool,
}

/// A source as it is now.
#[derive(Debug)]
pub struct Seen<'a> {
    /// Where it lies, as a manifest has it.
    pub source: &'a str,
    /// The files that belong to the snapshot.
    pub files: HashMap<&'a RelPath, ByteCount>,
    /// What of its file system is seen at each place of the source at which something is mounted, as [`Disk`] has it.
    pub shown: &'a BTreeMap<RelPath, String>,
    /// What the filters left out; `true` for a directory that was never entered.
    pub left_out: &'a [(RelPath, bool)],
}

/// How far what lies at a mount point is what lay there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Likeness {
    /// Nobody can tell: one file of the same name is enough.
    Any,
    /// It is no mount point, or another file system or directory. An app that finds its directory empty makes some of its files
    /// anew: it is the same disk, or what was moved from it, if most files are there in the same size.
    Most,
}

impl Seen<'_> {
    /// File systems that were mounted for the last snapshot, and are not, or another in their place, with whose
    /// files nothing is there of the kind. One that is left out by now is nobody's loss, nor is an empty one, or
    /// one whose files lie in a plain directory now; and a source that lies elsewhere may have other disks.
    pub fn lost_since(&self, last: &Manifest, now: impl Fn(&RelPath) -> Now) -> Vec<Lost> {
        if last.source != self.source {
            return Vec::new();
        }
        let mounts = last.mounts.iter();
        let there = mounts.filter(|mount| !self.is_left_out(mount));
        there
            .filter_map(|mount| self.loss(last, mount, now(mount)))
            .collect()
    }

    fn loss(&self, last: &Manifest, mount: &RelPath, now: Now) -> Option<Lost> {
        let disk = last.disks.get(mount).cloned().unwrap_or_default();
        let parts = disk.shows.as_ref().zip(self.shown.get(mount));
        let is_another_part = parts.is_some_and(|(was, is)| was != is);
        let likeness = match now {
            Now::Nothing => Likeness::Most,
            Now::Mounted(now) => match disk.is.zip(now) {
                // Each is another, and empty by itself. In a disk's place it is like any other.
                Some((was, is)) if was.is_in_memory() && is.is_in_memory() => return None,
                _ if is_another_part => Likeness::Most,
                Some((was, is)) if was == is && was.number != 0 => return None,
                Some((was, is)) if was != is => Likeness::Most,
                _ => Likeness::Any,
            },
        };
        let had = disk.missing_since.unwrap_or_else(|| Had {
            last: last.id,
            files: files_of(last, mount).count() as u64,
        });
        let is_there = if disk.missing_since.is_some() {
            // Which files these were, that snapshot knows alone.
            now != Now::Nothing && self.count_in(mount) * 2 > had.files
        } else if had.files > 0 {
            self.has_files_of(last, mount, likeness)
        } else {
            // What an archive stands in for is in no manifest: there, whatever lies in it now counts.
            !is_archived(last, mount) || likeness == Likeness::Any || self.count_in(mount) > 0
        };
        (!is_there).then(|| Lost {
            path: mount.clone(),
            is: disk.is,
            shows: disk.shows,
            had,
            is_replaced: now != Now::Nothing,
        })
    }

    fn is_left_out(&self, path: &RelPath) -> bool {
        let mut whole = self.left_out.iter().filter(|(_, whole)| *whole);
        whole.any(|(left_out, _)| path.is_within(left_out))
    }

    fn count_in(&self, mount: &RelPath) -> u64 {
        let files = self.files.keys();
        files.filter(|path| path.is_within(mount)).count() as u64
    }

    fn has_files_of(&self, last: &Manifest, mount: &RelPath, likeness: Likeness) -> bool {
        let mut before = files_of(last, mount);
        match likeness {
            Likeness::Any => before.any(|(entry, _)| self.files.contains_key(&entry.path)),
            Likeness::Most => {
                let is_same = |(entry, file): &(&Entry, &FileEntry)| {
                    self.files.get(&entry.path) == Some(&file.size)
                };
                let (same, others): (Vec<_>, Vec<_>) = before.partition(is_same);
                same.len() > others.len()
            }
        }
    }
}

fn files_of<'m>(
    last: &'m Manifest,
    mount: &RelPath,
) -> impl Iterator<Item = (&'m Entry, &'m FileEntry)> {
    let files = last.entries.iter().filter_map(|it| Some((it, it.file()?)));
    files.filter(|(entry, _)| entry.path.is_within(mount))
}

/// Whether an archive stands in for the directory, or for one above it.
fn is_archived(last: &Manifest, mount: &RelPath) -> bool {
    let mut files = last.entries.iter().filter_map(|it| Some((it, it.file()?)));
    files.any(|(entry, file)| {
        let dirs = || mount.ancestors().chain([mount.clone()]);
        let suffix = file.taken.archive_suffix();
        suffix.is_some_and(|it| dirs().any(|dir| dir.with_suffix(it) == entry.path))
    })
}

#[cfg(test)]
#[path = "mounts_tests.rs"]
mod tests;
