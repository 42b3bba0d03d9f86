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
        let world = world();
        let disk = Mount::new(FileSystem::Tmpfs, 8)?;
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
fn a_disk_whose_files_lie_in_a_plain_directory_now_is_not_missed() {
    let Some((disk, mounted)) = Disk::backed_up(MIRROR) else {
        return;
    };
    drop(mounted);
    disk.world.write("source/disk/0.txt", "moved");
    disk.run(&["backup"]).succeeds();
}
