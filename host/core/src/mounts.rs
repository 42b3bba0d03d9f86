//! Mounts: file systems that were mounted inside a source, and are not any more.
//!
//! Without its disk a directory is empty or gone, and all that lay in it looks like files that the app
//! deleted. That it was a mount point is what tells one from the other.

use std::collections::HashSet;

use crate::manifest::Manifest;
use crate::path::RelPath;

/// A source as it is now.
#[derive(Debug)]
pub struct Seen<'a> {
    /// Where it lies, as a manifest has it.
    pub source: &'a str,
    /// The files that belong to the snapshot.
    pub files: HashSet<&'a RelPath>,
    /// What the filters left out; `true` for a directory that was never entered.
    pub left_out: &'a [(RelPath, bool)],
}

impl Seen<'_> {
    /// Mount points of the last snapshot that are none any more, and of whose files nothing is there. One
    /// that is left out by now is nobody's loss, nor is one whose files lie in a plain directory now; and a
    /// source that lies elsewhere may have other disks.
    pub fn lost_since(
        &self,
        last: &Manifest,
        is_mounted: impl Fn(&RelPath) -> bool,
    ) -> Vec<RelPath> {
        if last.source != self.source {
            return Vec::new();
        }
        let mounts = last.mounts.iter();
        let missing = mounts
            .filter(|mount| !self.is_left_out(mount) && !self.has_files_of(last, mount))
            .filter(|mount| !is_mounted(mount));
        missing.cloned().collect()
    }

    fn is_left_out(&self, path: &RelPath) -> bool {
        let mut whole = self.left_out.iter().filter(|(_, whole)| *whole);
        whole.any(|(left_out, _)| path.is_within(left_out))
    }

    /// What an archive stands in for is in no manifest: there, whatever lies in it now counts.
    fn has_files_of(&self, last: &Manifest, mount: &RelPath) -> bool {
        let entries = last.entries.iter();
        let files = entries.filter(|entry| entry.file().is_some());
        let mut before = files.filter(|it| it.path.is_within(mount)).peekable();
        if before.peek().is_none() {
            return self.files.iter().any(|path| path.is_within(mount));
        }
        before.any(|entry| self.files.contains(&entry.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::{file, manifest};

    /// What is lost of a source that had files on a disk at `disk` and beside it, of which so many are left.
    fn lost(left: &[&str], left_out: &[(&str, bool)], is_mounted: bool) -> Vec<String> {
        lost_of("/opt/open-webui", left, left_out, is_mounted)
    }

    fn lost_of(
        source: &str,
        left: &[&str],
        left_out: &[(&str, bool)],
        is_mounted: bool,
    ) -> Vec<String> {
        let had = ["beside", "disk/a", "disk/b"];
        let mut last = manifest(had.map(|path| file(path, None)).to_vec());
        last.mounts = vec!["disk".parse().unwrap()];
        let left: Vec<RelPath> = left.iter().map(|path| path.parse().unwrap()).collect();
        let left_out: Vec<(RelPath, bool)> = left_out
            .iter()
            .map(|(path, whole)| (path.parse().unwrap(), *whole))
            .collect();
        let seen = Seen {
            source,
            files: left.iter().collect(),
            left_out: &left_out,
        };
        let found = seen.lost_since(&last, |_| is_mounted);
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_mount_point_that_is_none_any_more_and_has_nothing_is_lost() {
        assert_eq!(lost(&["beside"], &[], false), ["disk"]);
        assert_eq!(lost(&["beside", "disk/NOT-MOUNTED"], &[], false), ["disk"]);
        assert_eq!(lost(&["beside"], &[("disk", false)], false), ["disk"]);
    }

    #[test]
    fn one_that_was_emptied_moved_to_a_plain_directory_or_left_out_is_not() {
        assert!(lost(&["beside"], &[], true).is_empty());
        assert!(lost(&["beside", "disk/b"], &[], false).is_empty());
        assert!(lost(&["beside"], &[("disk", true)], false).is_empty());
    }

    #[test]
    fn a_source_that_lies_elsewhere_need_not_have_the_same_disks() {
        assert!(lost_of("/mnt/other", &["beside"], &[], false).is_empty());
    }

    #[test]
    fn of_one_in_an_archive_whatever_lies_there_counts() {
        let mut last = manifest(vec![file("vectors.tar", None)]);
        last.mounts = vec!["vectors/disk".parse().unwrap()];
        let path: RelPath = "vectors/disk/index".parse().unwrap();
        for (files, expected) in [(vec![], 1), (vec![&path], 0)] {
            let seen = Seen {
                source: &last.source,
                files: files.into_iter().collect(),
                left_out: &[],
            };
            assert_eq!(seen.lost_since(&last, |_| false).len(), expected);
        }
    }
}
