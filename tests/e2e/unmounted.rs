//! A disk that was mounted inside the source and is missing is no directory that the app emptied.

use std::fs;

use copal_testkit::{FileSystem, Mount, Output, World};

use crate::common::{files_below, world};

/// A source with files of its own, and of a disk that is mounted in it as long as this is held.
struct Disk {
    world: World,
    disk: Mount,
}

impl Disk {
    /// The job's destination has these lines of its own.
    fn with(lines: &str) -> Option<Self> {
        Self::of(FileSystem::Tmpfs, lines)
    }

    fn of(kind: FileSystem, lines: &str) -> Option<Self> {
        let world = world();
        let disk = Mount::new(kind, 16)?;
        // Not every kind of disk has one.
        drop(fs::remove_dir(disk.path().join("lost+found")));
        for n in 0..5 {
            fs::write(disk.path().join(format!("{n}.txt")), "on the disk").unwrap();
        }
        for n in 0..9 {
            world.write(format!("source/{n}.txt"), "beside it");
        }
        fs::create_dir(world.path("source/disk")).unwrap();
        world.write(
            "copal.toml",
            format!("name = 'app'\nsource.path = 'source'\n[[destination]]\nremote = 'vault:'\n{lines}\n"),
        );
        Some(Self { world, disk })
    }

    fn mount(&self) -> Option<Mount> {
        Mount::bind(self.disk.path(), &self.world.path("source/disk"))
    }

    /// One of which there is a backup, while it is mounted.
    fn backed_up(lines: &str) -> Option<(Self, Mount)> {
        let disk = Self::with(lines)?;
        let mounted = disk.mount()?;
        disk.run(&["backup"]).succeeds();
        Some((disk, mounted))
    }

    fn run(&self, command: &[&str]) -> Output {
        self.world.copal(command)
    }
}

const MIRROR: &str = "layout = 'mirror'\nmax_delete = 1000";

#[test]
fn a_mirror_is_refused_while_a_disk_of_its_source_is_missing() {
    let Some((disk, mounted)) = Disk::backed_up(MIRROR) else {
        return;
    };
    let before = files_below(&disk.world.vault());
    drop(mounted);
    for command in [&["backup", "--dry-run"][..], &["backup"]] {
        let refused = disk.run(command);
        refused
            .exits_with(1)
            .says("nothing is mounted any more at `disk`")
            .says("the mirror would lose all that lay on it")
            .says("--accept-missing");
        assert_eq!(files_below(&disk.world.vault()), before);
    }
    fs::remove_dir(disk.world.path("source/disk")).unwrap();
    disk.run(&["backup"]).exits_with(1).says("`disk`");
    disk.run(&["backup", "--accept-missing"]).succeeds();
    assert!(!disk.world.vault().join("disk/0.txt").exists());
    disk.run(&["backup"]).succeeds();
}

#[test]
fn a_snapshot_is_made_without_it_and_that_is_told_until_it_is_accepted() {
    let Some((disk, mounted)) = Disk::backed_up("") else {
        return;
    };
    drop(mounted);
    for _ in 0..2 {
        let told = disk.run(&["backup"]);
        told.exits_with(3)
            .says("nothing is mounted any more at `disk`")
            .says("the new snapshot does not have what lay on it")
            .says("--accept-missing");
    }
    let again = disk.mount();
    disk.run(&["backup"]).succeeds();
    drop(again);
    disk.run(&["backup", "--accept-missing"]).succeeds();
    disk.run(&["backup"]).succeeds();
}

#[test]
fn a_disk_most_of_whose_files_lie_in_a_plain_directory_now_is_not_missed() {
    let Some((disk, mounted)) = Disk::backed_up(MIRROR) else {
        return;
    };
    drop(mounted);
    // The app makes some of its files anew.
    disk.world.write("source/disk/0.txt", "on the disk");
    let refused = disk.run(&["backup"]);
    refused
        .exits_with(1)
        .says("nothing is mounted any more at `disk`");
    for n in 0..5 {
        disk.world
            .write(format!("source/disk/{n}.txt"), "on the disk");
    }
    disk.run(&["backup"]).succeeds();
}

#[test]
fn a_blank_disk_in_the_place_of_the_missing_one_is_told_apart() {
    let Some((disk, mounted)) = Disk::backed_up(MIRROR) else {
        return;
    };
    drop(mounted);
    let Some(blank) = Mount::new(FileSystem::Ext4, 16) else {
        return;
    };
    let at = disk.world.path("source/disk");
    let Some(in_its_place) = Mount::bind(blank.path(), &at) else {
        return;
    };
    fs::remove_dir(blank.path().join("lost+found")).unwrap();
    fs::write(at.join("0.txt"), "made anew").unwrap();
    let refused = disk.run(&["backup"]);
    refused
        .exits_with(1)
        .says("another disk or directory, or one that has lost most of its files, is mounted at `disk`")
        .says("--accept-missing");
    assert!(disk.world.vault().join("disk/4.txt").exists());
    drop(in_its_place);
    let _again = disk.mount();
    disk.run(&["backup"]).succeeds();
}

/// Directories of one disk, of which a mount shows another than the last time.
#[test]
fn another_directory_of_the_same_disk_in_its_place_is_told_apart() {
    let Some(disk) = Disk::of(FileSystem::Ext4, MIRROR) else {
        return;
    };
    let [first, second] = ["first", "second"].map(|name| disk.disk.path().join(name));
    fs::create_dir(&first).unwrap();
    fs::create_dir(&second).unwrap();
    for n in 0..5 {
        fs::write(first.join(format!("{n}.txt")), "on the disk").unwrap();
    }
    let at = disk.world.path("source/disk");
    let mounted = Mount::bind(&first, &at);
    disk.run(&["backup"]).succeeds();
    drop(mounted);
    let in_its_place = Mount::bind(&second, &at);
    fs::write(second.join("0.txt"), "made anew").unwrap();
    disk.run(&["backup"]).exits_with(1).says(
        "another disk or directory, or one that has lost most of its files, is mounted at `disk`",
    );
    assert!(disk.world.vault().join("disk/4.txt").exists());
    drop(in_its_place);
    let _again = Mount::bind(&first, &at);
    fs::remove_file(first.join("0.txt")).unwrap();
    disk.run(&["backup"]).succeeds();
}

#[test]
fn a_directory_and_a_file_that_are_shown_in_the_source_are_missed_like_disks() {
    let Some(disk) = Disk::with(MIRROR) else {
        return;
    };
    let world = &disk.world;
    world.write("data/uploads/a.txt", "of the app");
    world.write("data/main.conf", "port = 8080");
    // What an engine makes to mount upon.
    world.write("source/main.conf", "");
    let (at, file) = (world.path("source/disk"), world.path("source/main.conf"));
    let (Some(uploads), Some(conf)) = (
        Mount::bind(&world.path("data/uploads"), &at),
        Mount::bind(&world.path("data/main.conf"), &file),
    ) else {
        return;
    };
    disk.run(&["backup"]).succeeds();
    drop(conf);
    disk.run(&["backup"])
        .exits_with(1)
        .says("nothing is mounted any more at `main.conf`");
    drop(uploads);
    disk.run(&["backup"])
        .exits_with(1)
        .says("nothing is mounted any more at `disk`")
        .says("`main.conf`");
    let _again = Mount::bind(&world.path("data/uploads"), &at);
    world.write("source/main.conf", "port = 8080");
    disk.run(&["backup"]).succeeds();
    assert!(world.vault().join("disk/a.txt").exists());
}

#[test]
fn what_is_kept_in_memory_is_in_no_disks_place() {
    let Some(disk) = Disk::of(FileSystem::Ext4, MIRROR) else {
        return;
    };
    let mounted = disk.mount();
    disk.run(&["backup"]).succeeds();
    drop(mounted);
    let Some(empty) = Mount::new(FileSystem::Tmpfs, 8) else {
        return;
    };
    let _in_its_place = Mount::bind(empty.path(), &disk.world.path("source/disk"));
    disk.run(&["backup"])
        .exits_with(1)
        .says("is mounted at `disk`");
    assert!(disk.world.vault().join("disk/4.txt").exists());
}

#[test]
fn an_alarm_about_a_disk_outlasts_what_the_app_makes_in_its_place_and_names_who_has_its_files() {
    let Some((disk, mounted)) = Disk::backed_up("") else {
        return;
    };
    let snapshots = disk.run(&["snapshots", "--json"]).json();
    let whole = snapshots[0]["snapshot"].as_str().unwrap().to_owned();
    drop(mounted);
    for n in 0..3 {
        disk.world
            .write(format!("source/disk/{n}.new"), "made anew");
        let told = disk.run(&["backup"]);
        told.exits_with(3)
            .says("nothing is mounted any more at `disk`")
            .says(&format!(
                "the last snapshot with files of that disk is {whole}"
            ));
    }
    disk.run(&["backup", "--accept-missing"]).succeeds();
    disk.run(&["backup"]).succeeds();
}

#[test]
fn a_disk_that_has_no_file_is_not_missed() {
    let Some(disk) = Disk::with(MIRROR) else {
        return;
    };
    for n in 0..5 {
        fs::remove_file(disk.disk.path().join(format!("{n}.txt"))).unwrap();
    }
    let mounted = disk.mount();
    disk.run(&["backup"]).succeeds();
    drop(mounted);
    disk.run(&["backup"]).succeeds();
}

#[test]
fn a_part_that_lies_on_a_missing_disk_is_told_of_as_missing_with_it() {
    let map = "layout = 'mirror'\nmap = { 'disk/data' = 'data' }";
    let Some(disk) = Disk::with(map) else {
        return;
    };
    fs::create_dir(disk.disk.path().join("data")).unwrap();
    fs::write(disk.disk.path().join("data/a"), "a").unwrap();
    let mounted = disk.mount();
    disk.run(&["backup"]).succeeds();
    drop(mounted);
    let refused = disk.run(&["backup"]);
    refused
        .exits_with(1)
        .says("nothing is mounted any more at `disk`")
        .says("mount it");
}
