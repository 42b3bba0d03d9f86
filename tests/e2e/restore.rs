//! A restore puts everything back as it was, or nothing at all.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::Path;
use std::process::Command;

use copal_testkit::tree::{Aspect, make_odd, same_tree};

use crate::common::{back_up, files_below, folder, is_root, sealed_id, skip, small_world, world};
use crate::process::{Ordinary, open};

fn differences(a: &Path, b: &Path) -> Vec<String> {
    let found = same_tree(a, b).unwrap();
    found.iter().map(ToString::to_string).collect()
}

/// Owners of every kind, where the tests may give files away.
fn make_foreign(source: &Path) {
    if !is_root() {
        return;
    }
    fs::create_dir(source.join("owners")).unwrap();
    fs::write(source.join("owners/file"), "not root's").unwrap();
    symlink("file", source.join("owners/link")).unwrap();
    fs::write(source.join("owners/set-user-id"), "").unwrap();
    for (name, user, group) in [
        ("owners/file", 1234, 5678),
        ("owners/link", 1235, 5679),
        ("owners/set-user-id", 1236, 5680),
        ("owners", 1237, 5681),
    ] {
        lchown(source.join(name), Some(user), Some(group)).unwrap();
    }
    let set_user_id = Permissions::from_mode(0o4711);
    fs::set_permissions(source.join("owners/set-user-id"), set_user_id).unwrap();
}

#[test]
fn an_odd_tree_comes_back_exactly_as_it_was() {
    let world = world();
    make_odd(&world.source()).unwrap();
    make_foreign(&world.source());
    fs::set_permissions(world.source(), Permissions::from_mode(0o751)).unwrap();
    let id = back_up(&world);

    let restore = ["restore", &id, "--from", "vault:", "--to", "restored"];
    let restored = world.copal(&restore);
    restored.succeeds().never_says("owners:");
    assert_eq!(
        differences(&world.source(), &world.path("restored")),
        [""; 0]
    );
    let (was, is) = (world.source(), world.path("restored"));
    let (was, is) = (fs::metadata(was).unwrap(), fs::metadata(is).unwrap());
    assert_eq!(was.mode(), is.mode(), "the top directory's own mode");
    assert_eq!(
        (was.mtime(), was.mtime_nsec()),
        (is.mtime(), is.mtime_nsec())
    );
    stock_tools_agree(&world, &id);
    world
        .copal(&["verify", &id, "--full", "--from", "vault:"])
        .succeeds();
    open(world.root());
}

/// A person without Copal has `sha256sum` and rclone.
fn stock_tools_agree(world: &copal_testkit::World, id: &str) {
    let folder = folder(world, id);
    let checked = Command::new("sha256sum")
        .args(["--check", "--strict", "--quiet", ".copal/SHA256SUMS"])
        .current_dir(&folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(checked.status.success(), "{said}");

    let place = folder.to_str().unwrap();
    let check = serde_json::json!({
        "dstFs": place,
        "checkFileFs": place,
        "checkFileHash": "sha256",
        "checkFileRemote": ".copal/SHA256SUMS",
    });
    let checked = world.copal(&["rclone", "operations/check", &check.to_string()]);
    let report = checked.json();
    for list in ["differ", "error", "missingOnDst"] {
        assert_eq!(report[list], serde_json::json!([]), "{list}: {checked}");
    }
    // Copal's own two files are all that the sums say nothing of.
    assert_eq!(
        report["missingOnSrc"],
        serde_json::json!([".copal/SHA256SUMS", ".copal/manifest.json"])
    );
}

#[test]
fn an_ordinary_user_restores_everything_and_is_told_whose_the_files_were() {
    if !is_root() {
        return skip("foreign owners need root to be made");
    }
    let ordinary = Ordinary::new();
    let world = ordinary.world();
    make_odd(&world.source()).unwrap();
    make_foreign(&world.source());
    // By root, into the same remote.
    let by_root = crate::common::world();
    let vault = world.vault().display().to_string();
    by_root
        .command(&["backup", "--to", &vault, "--name", "source", "--source"])
        .arg(world.source())
        .output()
        .unwrap();
    let kept = world.path("kept");
    let copied = Command::new("cp")
        .arg("-a")
        .args([&world.source(), &kept])
        .status()
        .unwrap();
    assert!(copied.success());

    let restore = ["restore", "latest", "--from", "vault:", "--to", "restored"];
    let restored = ordinary.copal(&[&restore[..], &["--json"]].concat());
    restored.succeeds();
    let foreign = restored.json()["owners_not_restored"].as_u64().unwrap();
    assert!(foreign > 4, "{restored}");
    let mut found = same_tree(&kept, &world.path("restored")).unwrap();
    found.retain(|difference| difference.aspect != Aspect::Owner);
    assert_eq!(found, []);
    fs::remove_dir_all(world.path("restored")).unwrap();
    let restored = ordinary.copal(&restore);
    restored.succeeds();
    assert!(restored.stdout().contains("owners: "), "{restored}");
}

#[test]
fn an_ordinary_user_restores_directories_that_nobody_may_write_to() {
    let ordinary = Ordinary::new();
    let world = ordinary.world();
    world.write("source/sealed off/inside", "kept");
    let sealed_off = world.path("source/sealed off");
    fs::set_permissions(&sealed_off, Permissions::from_mode(0o555)).unwrap();
    let backup = ordinary.copal(&["backup", "--source", "source", "--to", "vault:"]);
    backup.succeeds();
    let restored = ordinary.copal(&["restore", "latest", "--from", "vault:", "--to", "out"]);
    restored.succeeds();
    assert_eq!(differences(&world.source(), &world.path("out")), [""; 0]);
}

#[test]
fn nothing_is_restored_into_a_place_that_is_taken() {
    let world = small_world();
    back_up(&world);
    world.write("taken/mine", "keep");
    world.write("file", "keep");
    for (to, why) in [("taken", "is not empty"), ("file", "is not a directory")] {
        let output = world.copal(&["restore", "latest", "--from", "vault:", "--to", to]);
        output.exits_with(2).says(why).says(" next: ");
        assert_eq!(output.stdout(), "");
    }
    assert_eq!(files_below(&world.path("taken")), ["mine"]);
    assert_eq!(fs::read_to_string(world.path("file")).unwrap(), "keep");
}

#[test]
fn a_restore_that_meets_damage_restores_nothing() {
    let world = small_world();
    let id = back_up(&world);
    fs::write(folder(&world, &id).join("notes/first.txt"), "eno").unwrap();
    fs::create_dir(world.path("empty")).unwrap();
    for to in ["new", "empty"] {
        let output = world.copal(&["restore", "latest", "--from", "vault:", "--to", to]);
        output.exits_with(1).says("notes/first.txt").says(" next: ");
    }
    assert!(!world.path("new").exists());
    assert_eq!(fs::read_dir(world.path("empty")).unwrap().count(), 0);
}

#[test]
fn what_is_whole_of_a_damaged_snapshot_is_restored_on_demand() {
    let world = small_world();
    let database = rusqlite::Connection::open(world.path("source/app.db")).unwrap();
    database.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(database);
    let id = back_up(&world);
    let damaged = folder(&world, &id);
    for name in ["app.db", "notes/first.txt"] {
        fs::write(damaged.join(name), "eno").unwrap();
    }
    fs::remove_file(damaged.join("notes/second.txt")).unwrap();
    let restore = ["restore", "latest", "--from", "vault:", "--to", "new"];
    let output = world.copal(&restore);
    output.exits_with(1).says("next: ");
    assert!(!world.path("new").exists());
    let accepting = [&restore[..], &["--accept-damaged"]].concat();
    let output = world.copal(&accepting);
    output
        .exits_with(3)
        .says("`app.db`, `notes/first.txt`, `notes/second.txt`")
        .says("other snapshots");
    let told = output.stdout();
    for name in ["app.db", "notes/first.txt", "notes/second.txt"] {
        assert!(told.contains(&format!("left out: {name}\n")), "{output}");
    }
    assert_eq!(files_below(&world.path("new")), ["letter.txt", "link"]);
    assert!(world.path("new/notes").is_dir());
    // Of a part that is whole nothing is left out.
    let arguments = ["restore", "latest", "--from", "vault:", "--to", "part"];
    let part = ["--path", "letter.txt", "--accept-damaged", "--json"];
    let output = world.copal(&[&arguments[..], &part].concat());
    output.succeeds();
    assert_eq!(output.json()["left_out"], serde_json::json!([]));
    let in_place = ["restore", "latest", "--in-place", "--accept-damaged"];
    world.copal(&in_place).exits_with(2);
}

#[test]
fn a_part_is_restored_with_the_directories_above_it() {
    let world = small_world();
    world.write("source/notes/deep/three", "3");
    world.write("source/two\nlines/inside", "odd");
    back_up(&world);
    let restore = ["restore", "latest", "--from", "vault:", "--to"];
    for (to, paths, expected) in [
        ("a", &["notes/deep"][..], &["notes/deep/three"][..]),
        ("b", &["notes/deep/"], &["notes/deep/three"]),
        ("c", &["link", "letter.txt"], &["letter.txt", "link"]),
        ("d", &["two%0Alines"], &["two\nlines/inside"]),
    ] {
        let paths = paths.iter().flat_map(|path| ["--path", path]);
        let arguments: Vec<_> = restore.into_iter().chain([to]).chain(paths).collect();
        world.copal(&arguments).succeeds();
        assert_eq!(files_below(&world.path(to)), expected);
    }
    let arguments = [&restore[..], &["e", "--path", "no/such"]].concat();
    let output = world.copal(&arguments);
    output.exits_with(2).says("no/such").says(" next: ");
    assert!(!world.path("e").exists());
}

#[test]
fn what_cannot_be_read_or_is_missing_is_left_out_on_demand_and_the_message_says_so() {
    let ordinary = Ordinary::new();
    let world = ordinary.world();
    for name in ["letter.txt", "notes/first.txt", "notes/second.txt"] {
        world.write(format!("source/{name}"), name);
    }
    let to = ["backup", "--source", "source", "--to", "vault:", "--json"];
    let id = sealed_id(&ordinary.copal(&to));
    let secret = folder(world, &id).join("notes/first.txt");
    fs::set_permissions(secret, Permissions::from_mode(0o000)).unwrap();
    let restore = ["restore", "latest", "--from", "vault:", "--to", "new"];
    let refused = ordinary.copal(&restore);
    refused.exits_with(1).says("--accept-damaged");
    assert!(!world.path("new").exists());
    let accepting = [&restore[..], &["--accept-damaged"]].concat();
    let output = ordinary.copal(&accepting);
    output.exits_with(3).says("`notes/first.txt`");
    let there = ["letter.txt", "notes/second.txt"];
    assert_eq!(files_below(&world.path("new")), there, "{output}");

    fs::remove_file(folder(world, &id).join("notes/second.txt")).unwrap();
    let part = ["--path", "notes/second.txt"];
    let missing = ordinary.copal(&[&restore[..5], &["part"], &part[..]].concat());
    missing
        .exits_with(1)
        .says("second.txt")
        .says("--accept-damaged");
}

#[test]
fn a_directory_into_which_a_killed_restore_had_begun_to_move_files_is_told_as_such() {
    let world = small_world();
    back_up(&world);
    let restore = ["restore", "latest", "--from", "vault:", "--to", "new"];
    world.copal(&restore).succeeds();
    let tree = world.path("new/.copal-restoring/tree");
    fs::create_dir_all(&tree).unwrap();
    fs::rename(world.path("new/notes"), tree.join("notes")).unwrap();
    let before = files_below(&world.path("new"));
    let output = world.copal(&restore);
    output
        .exits_with(2)
        .says("a part of a restore that was killed")
        .says("If nothing has used new since");
    assert_eq!(files_below(&world.path("new")), before);
    // Before that it has nothing but what is not proven, which goes.
    let alone = world.path("alone/.copal-restoring/tree/notes");
    fs::create_dir_all(&alone).unwrap();
    let again = world.copal(&[&restore[..5], &["alone"]].concat());
    again.succeeds();
    assert_eq!(differences(&world.source(), &world.path("alone")), [""; 0]);
}

#[test]
fn a_restore_that_fails_leaves_no_directory_that_it_made() {
    let world = small_world();
    let id = back_up(&world);
    fs::write(folder(&world, &id).join("notes/first.txt"), "eno").unwrap();
    fs::create_dir(world.path("there")).unwrap();
    for to in ["a/b/c", "there/b/c"] {
        let restore = ["restore", "latest", "--from", "vault:", "--to", to];
        world.copal(&restore).exits_with(1).says("notes/first.txt");
    }
    assert!(!world.path("a").exists());
    assert_eq!(fs::read_dir(world.path("there")).unwrap().count(), 0);
}
