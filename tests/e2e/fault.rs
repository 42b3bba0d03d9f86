//! Bad input and bad luck, as a person meets them: a message, an exit code, and nothing left over.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use copal_testkit::{Mount, Output, World};
use insta::assert_snapshot;

use crate::common::{
    back_up, fails_cleanly, files_below, is_root, leaves_no_staging, leaves_nothing, sealed_id,
    skip, small_world, world,
};
use crate::process::Ordinary;
use crate::remotes::add_crypt;

fn back_up_from_to(world: &World, source: &str, to: &str) -> Output {
    world.copal(&["backup", "--source", source, "--to", to])
}

#[test]
fn without_a_configuration_the_places_are_named_where_one_is_looked_for() {
    let world = small_world();
    let output = world.copal(&["backup"]);
    fails_cleanly(&world, &output, 2);
    assert_snapshot!(output.redacted_stderr());
    let named = world.copal(&["backup", "-c", "no/such.toml"]);
    fails_cleanly(&world, &named, 2);
    assert_snapshot!(named.redacted_stderr());
}

#[test]
fn a_source_that_is_missing_or_a_file_is_refused() {
    let world = small_world();
    let missing = back_up_from_to(&world, "no/such", "vault:");
    fails_cleanly(&world, &missing, 2);
    assert_snapshot!(missing.redacted_stderr());
    let file = back_up_from_to(&world, "source/letter.txt", "vault:");
    fails_cleanly(&world, &file, 2);
    assert_snapshot!(file.redacted_stderr());
}

#[test]
fn a_destination_in_the_source_is_refused_by_whatever_name_it_goes() {
    let world = small_world();
    add_crypt(&world);
    let inside = format!("type = alias\nremote = {}/x", world.source().display());
    world.add_remote("inside", &inside);
    let hidden = fs::read_to_string(world.rclone_conf()).unwrap();
    let hidden = hidden.replace("remote = vault:hidden", "remote = inside:hidden");
    fs::write(world.rclone_conf(), hidden).unwrap();
    std::os::unix::fs::symlink("source", world.path("detour")).unwrap();
    let before = files_below(&world.source());
    for to in [
        "source", "source/x", "inside:", "inside:y", "safe:", "detour/y",
    ] {
        let output = back_up_from_to(&world, "source", to);
        fails_cleanly(&world, &output, 2);
        output.says("lies inside the source");
    }
    assert_eq!(files_below(&world.source()), before);
    assert_snapshot!(back_up_from_to(&world, "source", "safe:").redacted_stderr());
}

/// No path shows that both are the same.
#[test]
fn a_destination_that_is_mounted_in_the_source_is_refused_unless_it_is_left_out() {
    let world = small_world();
    fs::create_dir_all(world.path("source/deep/seen")).unwrap();
    fs::create_dir_all(world.path("vault/not-yet")).unwrap();
    let seen = world.path("source/deep/seen");
    for (of, to) in [
        ("vault", "vault:"),
        ("vault", "vault:a/new/one"),
        ("vault", "vault:not-yet"),
    ] {
        let Some(_mount) = Mount::bind(&world.path(of), &seen) else {
            return;
        };
        let output = back_up_from_to(&world, "source", to);
        output.exits_with(2).says("lies inside the source");
        assert_eq!(files_below(&world.vault()), [""; 0]);
    }
    // The snapshots of this job alone are seen there.
    let id = back_up(&world);
    let Some(_mount) = Mount::bind(&world.path("vault/source"), &seen) else {
        return;
    };
    let refused = back_up_from_to(&world, "source", "vault:");
    refused.exits_with(2).says("lies inside the source");
    assert_snapshot!(refused.redacted_stderr());
    world.write(
        "copal.toml",
        "name = \"source\"\nsource.path = \"source\"\ndestination = [{ remote = \"vault:\" }]\n\n[[hook]]\nuse = \"exclude\"\nconfig = { paths = [\"deep/seen/\"] }\n",
    );
    let kept = sealed_id(&world.copal(&["backup", "--json"]));
    let snapshot = world.path("vault/source").join(kept);
    assert!(snapshot.join("letter.txt").exists());
    assert!(!snapshot.join("deep/seen").join(id).exists());
}

#[test]
fn a_source_that_is_mounted_from_within_the_destination_is_refused() {
    let world = small_world();
    fs::create_dir_all(world.path("vault/app")).unwrap();
    fs::create_dir_all(world.path("other")).unwrap();
    let before = files_below(&world.source());
    let Some(_mount) = Mount::bind(&world.source(), &world.path("vault/app")) else {
        return;
    };
    back_up_from_to(&world, "source", "vault:app")
        .exits_with(2)
        .says("lies inside the source");
    let Some(_vault) = Mount::bind(&world.vault(), &world.path("other")) else {
        return;
    };
    fs::create_dir_all(world.path("other/deep/app2")).unwrap();
    back_up_from_to(&world, "other/deep/app2", "vault:")
        .exits_with(2)
        .says("lies inside the destination");
    assert_eq!(files_below(&world.source()), before);
}

#[test]
fn a_source_in_the_destination_is_refused_by_whatever_name_it_goes() {
    let world = world();
    world.write("vault/app/data", "x");
    add_crypt(&world);
    let above = fs::read_to_string(world.rclone_conf()).unwrap();
    let above = above.replace("remote = vault:hidden", "remote = vault:");
    fs::write(world.rclone_conf(), above).unwrap();
    for to in [".", "vault", "vault:", "vault:app", "safe:"] {
        let output = back_up_from_to(&world, "vault/app", to);
        output.exits_with(2).says("lies inside the");
        assert_eq!(output.stdout(), "");
    }
    assert_eq!(files_below(&world.vault()), ["app/data"]);
    leaves_no_staging(&world);
    assert_snapshot!(back_up_from_to(&world, "vault/app", "vault:").redacted_stderr());
}

fn unreadable(make: impl Fn(&World) -> PathBuf) -> String {
    let ordinary = Ordinary::new();
    let world = ordinary.world();
    world.write("source/fine", "x");
    let path = make(world);
    fs::set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
    let output = ordinary.copal(&["backup", "--source", "source", "--to", "vault:"]);
    fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
    fails_cleanly(world, &output, 1);
    output.redacted_stderr()
}

#[test]
fn a_file_that_can_not_be_read_fails_the_run_by_name() {
    assert_snapshot!(unreadable(|world| world.write("source/secret/file", "x")));
}

#[test]
fn a_directory_that_can_not_be_read_fails_the_run_by_name() {
    let directory = |world: &World| {
        world.write("source/secret/file", "x");
        world.path("source/secret")
    };
    assert_snapshot!(unreadable(directory));
}

#[test]
fn a_destination_that_may_not_be_written_fails_the_run() {
    let ordinary = Ordinary::new();
    let world = ordinary.world();
    world.write("source/fine", "x");
    fs::set_permissions(world.vault(), Permissions::from_mode(0o555)).unwrap();
    let output = ordinary.copal(&["backup", "--source", "source", "--to", "vault:"]);
    fs::set_permissions(world.vault(), Permissions::from_mode(0o755)).unwrap();
    fails_cleanly(world, &output, 1);
    output.says("can't write to").says("Permission denied");
    output.says("give the rights, run Copal as another user");
}

/// A disk of so many megabytes; gone when this is.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where it can't be mounted, which is said.
    fn at(path: &Path, megabytes: u32) -> Option<Self> {
        if !is_root() {
            skip("a small disk needs root to be mounted");
            return None;
        }
        fs::create_dir_all(path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(path)
            .output()
            .unwrap();
        if mounted.status.success() {
            Some(Self(path.to_owned()))
        } else {
            skip(&String::from_utf8_lossy(&mounted.stderr));
            None
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(&self.0).status());
    }
}

#[test]
fn a_destination_disk_without_room_fails_the_run_before_anything_is_sent() {
    let world = world();
    for n in 0..4 {
        world.write(format!("source/{n}"), vec![n; 6 << 20]);
    }
    let Some(_disk) = SmallDisk::at(&world.vault(), 16) else {
        return;
    };
    let output = back_up_from_to(&world, "source", "vault:");
    fails_cleanly(&world, &output, 1);
    output.says("has room for 16.0 MiB, and the snapshot needs 24.0 MiB");
    assert_eq!(fs::read_dir(world.vault()).unwrap().count(), 0);
    fs::remove_file(world.path("source/3")).unwrap();
    fs::remove_file(world.path("source/2")).unwrap();
    back_up(&world);
}

#[test]
fn staging_without_room_for_the_databases_fails_before_anything_is_paused() {
    let world = world();
    let database = rusqlite_file(&world, "source/large.db");
    assert!(fs::metadata(database).unwrap().len() > 2 << 20);
    let staging = world.path("home/.local/state");
    let Some(_disk) = SmallDisk::at(&staging, 1) else {
        return;
    };
    let output = back_up_from_to(&world, "source", "vault:");
    fails_cleanly(&world, &output, 1);
    output.says("has room for").says("make room");
}

fn rusqlite_file(world: &World, path: &str) -> PathBuf {
    let path = world.write(path, "");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (randomblob(3000000));")
        .unwrap();
    path
}

#[test]
fn a_restore_onto_a_full_disk_restores_nothing() {
    let world = world();
    world.write("source/large", vec![1; 3 << 20]);
    back_up(&world);
    let Some(_disk) = SmallDisk::at(&world.path("small"), 2) else {
        return;
    };
    let restore = ["restore", "latest", "--from", "vault:", "--to", "small"];
    let output = world.copal(&restore);
    output.exits_with(1).says("has room for").says(" next: ");
    assert_eq!(fs::read_dir(world.path("small")).unwrap().count(), 0);
    leaves_no_staging(&world);
}

#[test]
fn a_directory_that_snapshots_need_for_themselves_is_refused() {
    let world = small_world();
    world.write("source/.copal/mine", "x");
    let output = back_up_from_to(&world, "source", "vault:");
    fails_cleanly(&world, &output, 2);
    output.says(".copal");
    leaves_nothing(&world);
}
