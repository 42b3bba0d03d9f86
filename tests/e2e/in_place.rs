//! Restores in the place of the source: the old tree or the new, never a mix, and the old one is kept.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use copal_testkit::World;

use crate::common::{back_up, folder, is_root, leaves_no_staging, skip, small_world};
use crate::specimen::{configure, own_that_tells, told, world_with_specimen};

pub(crate) const RESTORE: [&str; 3] = ["restore", "latest", "--in-place"];

/// Directories beside the source that restores have made.
pub(crate) fn beside(world: &World) -> Vec<String> {
    let entries = fs::read_dir(world.root()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("source.")).collect();
    names.sort();
    names
}

/// A world whose source has changed since its snapshot.
pub(crate) fn changed_world(hooks: &str) -> World {
    let world = world_with_specimen();
    configure(&world, "");
    world.copal(&["backup"]).succeeds();
    configure(&world, hooks);
    world.write("source/letter.txt", "Dear nobody,\n");
    world.write("source/cache/model", "large");
    world
}

pub(crate) fn letter(world: &World) -> String {
    fs::read_to_string(world.path("source/letter.txt")).unwrap()
}

fn as_it_was(world: &World) {
    assert_eq!(letter(world), "Dear nobody,\n");
    assert_eq!(beside(world), [""; 0], "beside the source");
    leaves_no_staging(world);
}

#[test]
fn the_snapshot_takes_the_place_and_what_was_there_is_kept() {
    let world = changed_world("");
    let mode = fs::metadata(world.source()).unwrap().permissions().mode();
    let output = world.copal(&RESTORE);
    let text = output.succeeds().stdout();
    assert_eq!(letter(&world), "Dear reader,\n");
    assert_eq!(
        fs::read_link(world.path("source/link")).unwrap(),
        PathBuf::from("notes/first.txt")
    );
    assert_eq!(
        fs::metadata(world.source()).unwrap().permissions().mode(),
        mode
    );
    let [old] = &beside(&world)[..] else {
        panic!("{output}")
    };
    assert!(old.starts_with("source.before-"), "{old}");
    assert!(text.contains(old.as_str()), "the path is told: {text}");
    let kept = world.path(old);
    assert_eq!(
        fs::read_to_string(kept.join("letter.txt")).unwrap(),
        "Dear nobody,\n"
    );
    assert!(kept.join("cache/model").exists());
    let record = world
        .copal(&["history", "show", "latest", "--json"])
        .succeeds()
        .json();
    assert_eq!(record["kind"], "restore");
    assert!(
        record["notes"].to_string().contains(old.as_str()),
        "{record:#}"
    );
    leaves_no_staging(&world);
}

#[test]
fn logs_of_databases_go_with_the_old_tree() {
    let world = world_with_specimen();
    let live = rusqlite::Connection::open(world.path("source/app.db")).unwrap();
    live.pragma_update(None, "journal_mode", "wal").unwrap();
    live.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES ('old')")
        .unwrap();
    configure(&world, "");
    world.copal(&["backup"]).succeeds();
    live.execute_batch("INSERT INTO t VALUES ('new')").unwrap();
    assert!(world.path("source/app.db-wal").exists());
    // It has the old one open, and will not see what is restored.
    let output = world.copal(&RESTORE);
    output
        .exits_with(3)
        .says(&format!("process {} ", std::process::id()))
        .says("restart the app now");
    assert!(!world.path("source/app.db-wal").exists());
    assert!(!world.path("source/app.db-shm").exists());
    let restored = rusqlite::Connection::open(world.path("source/app.db")).unwrap();
    let count: i64 = restored
        .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
        .unwrap();
    assert_eq!(count, 1);
}

#[test]
fn a_source_that_is_gone_comes_back() {
    let world = changed_world("");
    fs::remove_dir_all(world.source()).unwrap();
    let output = world.copal(&RESTORE);
    let told = output.succeeds().stdout();
    assert!(told.contains("no old tree is kept"), "{told}");
    assert_eq!(letter(&world), "Dear reader,\n");
    assert_eq!(beside(&world), [""; 0]);
    let undone = world.copal(&["restore", "--undo"]);
    undone
        .exits_with(1)
        .says("has kept no old tree")
        .says("nothing was at the source")
        .never_says("COPAL_STATE_DIR");
    assert_eq!(letter(&world), "Dear reader,\n");
}

#[test]
fn hooks_are_called_around_it_with_the_outcome() {
    let world = world_with_specimen();
    let own = own_that_tells(&world);
    configure(&world, "");
    world.copal(&["backup"]).succeeds();
    configure(&world, &own);
    world.copal(&RESTORE).succeeds();
    assert_eq!(
        told(&world),
        ["own pre-restore none", "own post-restore Succeeded"]
    );
}

#[test]
fn a_damaged_snapshot_changes_nothing_and_hooks_hear_of_it() {
    let world = world_with_specimen();
    let own = own_that_tells(&world);
    let id = back_up(&world);
    fs::write(folder(&world, &id).join("letter.txt"), "Dear writer,\n").unwrap();
    let config = format!(
        "name = \"source\"\nsource.path = \"source\"\ndestination = [{{ remote = \"vault:\" }}]\n\n{own}"
    );
    world.write("copal.toml", config);
    world.write("source/letter.txt", "Dear nobody,\n");
    let output = world.copal(&RESTORE);
    output.exits_with(1).says("letter.txt").says(" next: ");
    as_it_was(&world);
    assert_eq!(told(&world), ["own post-restore Failed"]);
}

#[test]
fn what_another_restore_left_is_named_and_left_alone() {
    let world = changed_world("");
    world.write("source.restoring-1/half", "half");
    let output = world.copal(&RESTORE);
    assert!(
        output.succeeds().stdout().contains("source.restoring-1"),
        "{output}"
    );
    assert!(world.path("source.restoring-1/half").exists());
}

#[test]
fn what_can_not_be_exchanged_is_refused_with_what_to_do() {
    let world = changed_world("");
    let before = fs::metadata(world.source()).unwrap().ino();
    for (arguments, code) in [
        (
            &["restore", "latest", "--in-place", "--path", "letter.txt"][..],
            2,
        ),
        (&["restore", "latest", "--in-place", "--to", "x"][..], 2),
        (&["restore", "latest"][..], 2),
    ] {
        world.copal(arguments).exits_with(code);
    }
    assert_eq!(fs::metadata(world.source()).unwrap().ino(), before);
    as_it_was(&world);

    if is_root() {
        return skip("a directory that can't be written, as root");
    }
    let parent = fs::Permissions::from_mode(0o555);
    fs::set_permissions(world.root(), parent).unwrap();
    let output = world.copal(&RESTORE);
    fs::set_permissions(world.root(), fs::Permissions::from_mode(0o755)).unwrap();
    output.exits_with(2).says("not writable").says("--to DIR");
    as_it_was(&world);
}

#[test]
fn a_source_that_holds_copals_own_state_is_refused() {
    let mut world = changed_world("");
    let state = world.path("source/state");
    world.set("COPAL_STATE_DIR", &state);
    world.copal(&RESTORE).exits_with(2).says("COPAL_STATE_DIR");
    assert_eq!(letter(&world), "Dear nobody,\n");
    assert_eq!(beside(&world), [""; 0]);
}

#[test]
fn another_place_of_snapshots_can_be_named() {
    let world = small_world();
    let id = back_up(&world);
    configure(&world, "");
    world.write("source/letter.txt", "Dear nobody,\n");
    let restore = [
        "restore",
        &id,
        "--in-place",
        "--from",
        "vault:",
        "--name",
        "source",
    ];
    world.copal(&restore).succeeds();
    assert_eq!(letter(&world), "Dear reader,\n");
}
