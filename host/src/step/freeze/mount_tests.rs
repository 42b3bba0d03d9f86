//! On file systems that can clone, that can't, that are full, and that are two.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;
use std::time::{Duration, Instant};

use copal_testkit::{FileSystem, Mount};

use super::tests::{World, digest, how, read, sha256};
use super::*;
use crate::edge::frozen::{hinders_link, hinders_reflink};

fn world_on(mount: &Mount) -> World {
    World::at(mount.path().to_owned(), None)
}

fn left(world: &World) -> Vec<std::ffi::OsString> {
    let entries = fs::read_dir(&world.dir).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name());
    names
        .filter(|name| name.to_string_lossy().starts_with(".copal"))
        .collect()
}

#[test]
fn clones_keep_what_is_written_to_in_place_and_look_like_the_live_file() {
    for (kind, size) in [(FileSystem::Xfs, 512), (FileSystem::Btrfs, 256)] {
        let Some(mount) = Mount::new(kind, size) else {
            continue;
        };
        let world = world_on(&mount);
        let place = world.dir.join(".copal-staging-app");
        assert_eq!(hinders_reflink(&world.path("a.txt"), &place), Ok(()));
        let before = fs::metadata(world.path("a.txt")).unwrap();
        let staged = world.frozen(Way::Reflink);
        for name in ["a.txt", "young.txt"] {
            fs::write(world.path(name), "in place, after the release").unwrap();
        }
        let read = read(staged);
        let taken: Vec<_> = how(&read).into_iter().map(|(_, taken)| taken).collect();
        assert_eq!(taken, [Taken::Reflink; 4], "{kind:?}");
        assert_eq!(digest(&read, "a.txt"), sha256("a.txt"));
        assert_eq!(digest(&read, "young.txt"), sha256("young"));
        assert_eq!(read.files[0].attributes, attributes(&before));
        let clone = read.staged.frozen_at("a.txt");
        let cloned = fs::metadata(clone).unwrap();
        assert_eq!(
            (cloned.mtime(), cloned.mtime_nsec()),
            (before.mtime(), before.mtime_nsec())
        );
        drop(read);
        assert!(left(&world).is_empty(), "{kind:?}");
    }
}

#[test]
fn ext4_links_and_says_why_it_does_not_clone() {
    let Some(mount) = Mount::new(FileSystem::Ext4, 64) else {
        return;
    };
    let world = world_on(&mount);
    let place = world.dir.join(".copal-staging-app");
    let hindrance = hinders_reflink(&world.path("a.txt"), &place).unwrap_err();
    assert_eq!(hindrance, "the file system does not clone files");
    assert_eq!(hinders_link(&world.source(), &place), Ok(()));
    // Asked for clones all the same, it copies.
    let read = read(world.frozen(Way::Reflink));
    assert!(how(&read).iter().all(|(_, taken)| *taken == Taken::Copy));
}

#[test]
fn a_file_system_mounted_in_the_source_is_copied_where_the_rest_is_linked() {
    let Some(mount) = Mount::new(FileSystem::Tmpfs, 4) else {
        return;
    };
    let world = World::new();
    fs::create_dir_all(world.path("mounted")).unwrap();
    let bound = Command::new("mount")
        .arg("--bind")
        .args([mount.path(), &world.path("mounted")])
        .status();
    assert!(bound.unwrap().success());
    world.write("mounted/c.txt", "elsewhere");
    world.age("mounted/c.txt");
    let read = read(world.frozen(Way::Link));
    let gone = Command::new("umount").arg(world.path("mounted")).status();
    assert!(gone.unwrap().success());
    let taken = how(&read);
    assert!(
        taken.contains(&(&b"mounted/c.txt"[..], Taken::Copy)),
        "{taken:?}"
    );
    assert!(taken.contains(&(&b"a.txt"[..], Taken::Link)), "{taken:?}");
    assert_eq!(digest(&read, "mounted/c.txt"), sha256("elsewhere"));
}

#[test]
fn a_disk_that_is_full_is_told_of_and_nothing_is_left_on_it() {
    for kind in [FileSystem::Tmpfs, FileSystem::Ext4] {
        let Some(mount) = Mount::new(kind, 16) else {
            continue;
        };
        let world = world_on(&mount);
        let large = "x".repeat(5 << 20);
        world.write("large-1", &large);
        world.write("large-2", &large);
        let error = world.staged(&world.forecast(Way::Copy, &[])).unwrap_err();
        let StageError::Staging { path, source } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(source.kind(), std::io::ErrorKind::StorageFull, "{kind:?}");
        assert!(path.starts_with(world.dir.join(".copal-staging-app")));
        assert!(left(&world).is_empty(), "{kind:?}");
    }
}

#[test]
fn what_can_not_be_written_to_is_told_of_before_anything_is_held() {
    let Some(mount) = Mount::new(FileSystem::Tmpfs, 4) else {
        return;
    };
    let world = world_on(&mount);
    let read_only = Command::new("mount")
        .args(["-o", "remount,ro"])
        .arg(mount.path())
        .status();
    assert!(read_only.unwrap().success());
    let place = world.dir.join(".copal-staging-app");
    let hindrance = hinders_link(&world.source(), &place).unwrap_err();
    assert!(hindrance.contains("can't be written to"), "{hindrance}");
}

/// `cargo test --release --workspace --lib freezing_time -- --ignored --nocapture`
#[test]
#[ignore = "a measurement: prints how long services wait for 10,000 files"]
#[expect(clippy::print_stdout, reason = "it prints what it measures")]
fn freezing_time_of_ten_thousand_files() {
    const FILES: usize = 10_000;
    for (kind, size, way) in [
        (FileSystem::Ext4, 512, Way::Link),
        (FileSystem::Xfs, 512, Way::Reflink),
        (FileSystem::Btrfs, 512, Way::Reflink),
        (FileSystem::Ext4, 512, Way::Copy),
    ] {
        let Some(mount) = Mount::new(kind, size) else {
            continue;
        };
        let world = world_on(&mount);
        for n in 0..FILES {
            let name = format!("uploads/{n:05}-document.pdf");
            world.write(&name, &"content ".repeat(512));
            world.age(&name);
        }
        let mut times: Vec<Duration> = Vec::new();
        for _ in 0..5 {
            let took = world.time_to_stage(way);
            times.push(took);
        }
        times.sort();
        println!(
            "{kind:?} {way}: {FILES} files in {:?} (median of 5: {:?})",
            times, times[2]
        );
    }
}

impl World {
    fn time_to_stage(&self, way: Way) -> Duration {
        let forecast = self.forecast(way, &[]);
        let mut began = None;
        let staged = self.staged_after(&forecast, || began = Some(Instant::now()));
        let took = began.unwrap().elapsed();
        drop(staged.unwrap());
        took
    }
}

#[test]
fn a_frozen_tree_is_private() {
    let world = World::new();
    let staged = world.frozen(Way::Link);
    let directory = staged.frozen.as_ref().unwrap().path();
    for path in [directory, directory.parent().unwrap()] {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{}", path.display());
    }
}
