use super::*;
use crate::manifest::Taken;
use crate::manifest::tests::{file, manifest};

const DISK: FileSystem = FileSystem {
    kind: 0xef53,
    number: 7,
};
const BLANK: FileSystem = FileSystem { number: 8, ..DISK };
/// One of a kind that has no numbers.
const NETWORK: FileSystem = FileSystem {
    kind: 0x6969,
    number: 0,
};

/// A source that had files on a disk at `disk`, and one beside it.
struct Before(Manifest);

impl Before {
    fn with(files: &[&str], is: Option<FileSystem>) -> Self {
        let mut paths = vec!["beside"];
        paths.extend(files);
        let mut last = manifest(paths.iter().map(|path| file(path, None)).collect());
        let disk: RelPath = "disk".parse().unwrap();
        last.mounts = vec![disk.clone()];
        let missing_since = None;
        let known = Disk {
            is,
            shows: Some(SHOWN.to_owned()),
            missing_since,
        };
        last.disks.insert(disk, known);
        Self(last)
    }

    fn with_three(is: Option<FileSystem>) -> Self {
        Self::with(&["disk/a", "disk/b", "disk/c"], is)
    }

    /// What is lost where so much is left, all of one size.
    fn lost(&self, left: &[&str], size: u64, now: Now) -> Vec<Lost> {
        self.lost_of(&self.0.source, left, size, &[], now)
    }

    fn lost_of(
        &self,
        source: &str,
        left: &[&str],
        size: u64,
        left_out: &[(&str, bool)],
        now: Now,
    ) -> Vec<Lost> {
        let left: Vec<RelPath> = left.iter().map(|path| path.parse().unwrap()).collect();
        let left_out: Vec<(RelPath, bool)> = left_out
            .iter()
            .map(|(path, whole)| (path.parse().unwrap(), *whole))
            .collect();
        let seen = Seen {
            source,
            files: left.iter().map(|path| (path, ByteCount(size))).collect(),
            shown: &self.shown(),
            left_out: &left_out,
        };
        seen.lost_since(&self.0, |_| now)
    }
}

impl Before {
    /// The same directory of a disk as before, of whichever it is.
    fn shown(&self) -> BTreeMap<RelPath, String> {
        let all = self.0.mounts.iter();
        all.map(|path| (path.clone(), SHOWN.to_owned())).collect()
    }
}

const SHOWN: &str = "/app";
/// The size of each file of the last snapshot.
const SAME: u64 = 3;

#[test]
fn a_mount_point_that_is_none_any_more_and_has_nothing_is_lost() {
    let before = Before::with_three(Some(DISK));
    let lost = before.lost(&["beside"], SAME, Now::Nothing);
    let expected = Lost {
        path: "disk".parse().unwrap(),
        is: Some(DISK),
        shows: Some(SHOWN.to_owned()),
        had: Had {
            last: before.0.id,
            files: 3,
        },
        is_replaced: false,
    };
    assert_eq!(lost, [expected]);
    let strange = before.lost(&["beside", "disk/NOT-MOUNTED"], SAME, Now::Nothing);
    assert_eq!(strange.len(), 1);
    let source = before.0.source.clone();
    for (whole, expected) in [(false, 1), (true, 0)] {
        let left_out = [("disk", whole)];
        let lost = before.lost_of(&source, &["beside"], SAME, &left_out, Now::Nothing);
        assert_eq!(lost.len(), expected);
    }
}

#[test]
fn files_that_the_app_made_anew_where_its_disk_is_missing_end_no_alarm() {
    let before = Before::with_three(Some(DISK));
    let elsewhere = Now::Mounted(Some(BLANK));
    for now in [Now::Nothing, elsewhere] {
        assert_eq!(before.lost(&["disk/a"], SAME, now).len(), 1);
        // A new database has the old one's name.
        let all = ["disk/a", "disk/b", "disk/c"];
        assert_eq!(before.lost(&all, 1, now).len(), 1);
        // What was moved to a plain directory, or to another disk.
        assert!(before.lost(&all, SAME, now).is_empty());
        assert!(before.lost(&all[1..], SAME, now).is_empty());
    }
    assert!(before.lost(&[], SAME, elsewhere)[0].is_replaced);
}

#[test]
fn a_disk_that_is_there_may_be_emptied() {
    let before = Before::with_three(Some(DISK));
    let there = Now::Mounted(Some(DISK));
    assert!(before.lost(&["beside"], SAME, there).is_empty());
}

#[test]
fn another_directory_of_a_disk_is_like_another_disk() {
    let mut before = Before::with_three(Some(DISK));
    let there = Now::Mounted(Some(DISK));
    let known = before.0.disks.values_mut().next().unwrap();
    known.shows = Some("/elsewhere".to_owned());
    let all = ["disk/a", "disk/b", "disk/c"];
    assert!(before.lost(&["disk/a"], SAME, there)[0].is_replaced);
    assert_eq!(before.lost(&all, 1, there).len(), 1);
    // What was moved to it.
    assert!(before.lost(&all, SAME, there).is_empty());
    // A manifest of an earlier version does not tell.
    before.0.disks.values_mut().next().unwrap().shows = None;
    assert!(before.lost(&["disk/a"], SAME, there).is_empty());
}

#[test]
fn a_file_that_was_mounted_is_lost_with_its_mount_unless_it_lies_there_as_it_was() {
    let before = Before::with(&["disk"], None);
    assert_eq!(before.lost(&["disk"], 0, Now::Nothing).len(), 1);
    assert_eq!(before.lost(&[], SAME, Now::Nothing).len(), 1);
    assert!(before.lost(&["disk"], SAME, Now::Nothing).is_empty());
    // While it is mounted it may be of any size.
    assert!(before.lost(&["disk"], 0, Now::Mounted(None)).is_empty());
}

#[test]
fn what_is_kept_in_memory_begins_empty_and_is_no_disk() {
    let tmpfs = |number| FileSystem {
        kind: 0x0102_1994,
        number,
    };
    let now = Now::Mounted(Some(tmpfs(2)));
    let was_one = Before::with_three(Some(tmpfs(1)));
    assert!(was_one.lost(&["beside"], SAME, now).is_empty());
    let was_a_disk = Before::with_three(Some(DISK));
    assert!(was_a_disk.lost(&["disk/a"], SAME, now)[0].is_replaced);
}

#[test]
fn where_nobody_can_tell_one_disk_from_another_one_file_is_enough() {
    let network = Now::Mounted(Some(NETWORK));
    for (was, now) in [
        (None, network),
        (Some(NETWORK), network),
        (Some(DISK), Now::Mounted(None)),
    ] {
        let before = Before::with_three(was);
        assert_eq!(before.lost(&["beside"], SAME, now).len(), 1);
        assert!(before.lost(&["disk/a"], 1, now).is_empty());
    }
    let before = Before::with_three(Some(NETWORK));
    let other = Now::Mounted(Some(BLANK));
    assert_eq!(before.lost(&["disk/a"], SAME, other).len(), 1);
}

#[test]
fn one_that_has_no_file_is_nobodys_loss() {
    let before = Before::with(&[], Some(DISK));
    for now in [Now::Nothing, Now::Mounted(Some(BLANK)), Now::Mounted(None)] {
        assert!(before.lost(&["beside"], SAME, now).is_empty());
    }
}

#[test]
fn one_that_is_missing_already_is_so_until_it_is_back() {
    let mut before = Before::with(&["disk/fresh.db"], Some(DISK));
    let had = Had {
        last: "2026-11-20T030000Z".parse().unwrap(),
        files: 3,
    };
    let disk = before.0.disks.values_mut().next().unwrap();
    disk.missing_since = Some(had);
    let fresh = ["disk/fresh.db"];
    let blank = Now::Mounted(Some(BLANK));
    for now in [Now::Nothing, blank, Now::Mounted(None)] {
        assert_eq!(before.lost(&fresh, SAME, now)[0].had, had);
    }
    let there = Now::Mounted(Some(DISK));
    assert!(before.lost(&fresh, SAME, there).is_empty());
    let many = ["disk/a", "disk/b"];
    assert!(before.lost(&many, SAME, blank).is_empty());
}

#[test]
fn a_source_that_lies_elsewhere_need_not_have_the_same_disks() {
    let before = Before::with_three(Some(DISK));
    let lost = before.lost_of("/mnt/other", &["beside"], SAME, &[], Now::Nothing);
    assert!(lost.is_empty());
}

#[test]
fn of_one_in_an_archive_whatever_lies_there_counts() {
    let mut before = Before::with(&[], Some(DISK));
    let mut archive = file("vectors.tar", None);
    let crate::manifest::EntryKind::File(archived) = &mut archive.kind else {
        unreachable!()
    };
    archived.taken = Taken::Tar;
    before.0.entries.push(archive);
    before.0.mounts = vec!["vectors/disk".parse().unwrap()];
    for (files, expected) in [(&[][..], 1), (&["vectors/disk/index"][..], 0)] {
        assert_eq!(before.lost(files, 1, Now::Nothing).len(), expected);
    }
}
