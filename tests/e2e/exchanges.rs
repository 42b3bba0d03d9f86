//! Restores in place that are killed, with the app held by a `pre-restore` hook: the source is the old tree or
//! the snapshot, never a mix, and the app is back on nothing else.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use copal_testkit::{FileSystem, Mount, World};

use crate::common::{PATIENCE, is_root, skip};
use crate::holds::Held;
use crate::in_place::{RESTORE, beside};
use crate::specimen::{configure, hook, specimen};

/// A source that something is mounted on, as long as this lives.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.0).status();
        assert!(unmounted.unwrap().success());
    }
}

fn mount(world: &World) -> Mounted {
    let source = world.source();
    let mut mount = Command::new("mount");
    let mounted = mount.arg("--bind").args([&source, &source]).status();
    assert!(mounted.unwrap().success());
    Mounted(source)
}

const SERVICE: &str = "[service.app]\ndriver = \"command\"\nstop = [\"sh\", \"stop\"]\nstart = [\"sh\", \"start\"]\nstate = [\"sh\", \"state\"]\nready = \"5s\"\n";

/// A job with a snapshot, a source that has changed since, and a hook that stops the app for a restore.
fn changed() -> Held {
    let held = Held::new();
    held.world.copal(&["backup"]).succeeds();
    held.world.write("hooks/own.wasm", specimen());
    let own = hook(
        "own",
        "config = { within = \"pre-restore\", act = { stop = \"app\" } }\ngrants.service = [\"app\"]",
    );
    configure(&held.world, &format!("{own}{SERVICE}"));
    held.world.write("source/letter.txt", "Dear nobody,\n");
    held.world.write("source/cache/model", "large");
    held.world.write("source/app.db-wal", "stale");
    fs::write(held.world.path("did"), "").unwrap();
    held
}

/// Which tree is live; a mix is none.
#[track_caller]
fn live(world: &World) -> &'static str {
    let letter = fs::read_to_string(world.path("source/letter.txt")).unwrap();
    let has_old = ["cache/model", "app.db-wal"].map(|it| world.path("source").join(it).exists());
    let has_both =
        ["letter.txt", "notes/first.txt"].map(|it| world.path("source").join(it).exists());
    assert_eq!(has_both, [true; 2]);
    match (letter.as_str(), has_old) {
        ("Dear nobody,\n", [true, true]) => "old",
        ("Dear reader,\n", [false, false]) => "new",
        mix => panic!("a mix: {mix:?}"),
    }
}

#[track_caller]
fn killed_at(held: &Held, points: &str) {
    let mut command = held.world.command(&RESTORE);
    command.env("COPAL_TEST_KILL_AT", points);
    let output = command.output().unwrap();
    assert!(output.status.code().is_none(), "{points}: {output:?}");
}

/// Each moment of a restore at which it may be killed from its first hold on, and which tree is live then.
const MOMENTS: [(&str, &[&str]); 9] = [
    ("run:after:holding", &["old"]),
    ("run:after:held", &["old"]),
    ("run:before:exchanging", &["old"]),
    ("run:after:exchanging", &["old"]),
    ("run:before:move", &["old"]),
    ("run:before:move#2", &["old", "new"]),
    ("run:before:exchanged", &["old", "new"]),
    ("run:after:exchanged", &["new"]),
    ("run:before:released", &["new"]),
];

fn comes_back(held: &Held, points: &str, expected: &[&str]) {
    held.comes_back(PATIENCE);
    held.journal_is_gone();
    let which = live(&held.world);
    assert!(expected.contains(&which), "{points}: {which}");
    let recovered = held.world.copal(&["recover"]);
    assert_eq!(recovered.succeeds().stdout(), "nothing is held\n");
    let undo = held.world.copal(&["restore", "--undo"]);
    if which == "old" {
        undo.exits_with(1).says("no restore of");
    } else {
        undo.succeeds();
    }
    assert_eq!(live(&held.world), "old");
    // The next one is as if nothing had been.
    held.world.copal(&RESTORE).succeeds();
    assert_eq!(live(&held.world), "new");
    assert!(held.runs());
}

#[test]
fn the_app_is_stopped_for_the_exchange_and_back_after_it() {
    let held = changed();
    held.world.copal(&RESTORE).succeeds();
    assert_eq!(held.did(), ["stop", "start"]);
    assert_eq!(live(&held.world), "new");
    assert_eq!(held.latest()["holds"][0]["service"], "app");
    held.world.copal(&["restore", "--undo"]).succeeds();
    assert_eq!(held.did(), ["stop", "start", "stop", "start"]);
    assert_eq!(live(&held.world), "old");
    assert!(held.journals().is_empty());
}

#[test]
fn a_pause_is_no_hold_for_a_restore_as_what_is_paused_has_the_old_tree_open() {
    let held = changed();
    let own = hook(
        "own",
        "config = { within = \"pre-restore\", act = { pause = \"app\" } }\ngrants.service = [\"app\"]",
    );
    configure(&held.world, &format!("{own}{SERVICE}"));
    held.world
        .copal(&RESTORE)
        .exits_with(1)
        .says("in pre-backup alone, and this is pre-restore");
    assert_eq!(live(&held.world), "old");
    assert!(held.did().is_empty());
}

#[test]
fn an_app_that_was_down_stays_down() {
    let held = changed();
    fs::remove_file(held.world.path("app")).unwrap();
    held.world.copal(&RESTORE).succeeds();
    assert_eq!(live(&held.world), "new");
    assert!(!held.runs());
}

#[test]
fn killed_at_any_moment_it_leaves_one_tree_and_the_app_up() {
    for (point, expected) in MOMENTS {
        let held = changed();
        killed_at(&held, point);
        comes_back(&held, point, expected);
    }
}

#[test]
fn the_same_where_the_source_is_a_mount_point_and_is_exchanged_one_level_down() {
    if !is_root() {
        return skip("mounting needs root");
    }
    let later = [
        "run:before:move#3",
        "run:before:move#7",
        "run:before:move#9",
    ];
    let later = later.map(|point| (point, &["old"][..]));
    for (point, expected) in MOMENTS.into_iter().chain(later) {
        let held = changed();
        let _mounted = mount(&held.world);
        killed_at(&held, point);
        let expected = match point {
            "run:before:move#2" | "run:before:exchanged" => &["old"][..],
            _ => expected,
        };
        comes_back(&held, point, expected);
    }
}

#[test]
fn a_guard_that_is_killed_in_the_midst_of_going_back_leaves_it_to_recover() {
    if !is_root() {
        return skip("mounting needs root");
    }
    for n in 1..4 {
        let held = changed();
        let _mounted = mount(&held.world);
        killed_at(&held, &format!("run:before:move#5,guard:before:move#{n}"));
        let recovered = held.world.copal(&["recover"]);
        let text = recovered.succeeds().stdout();
        assert!(text.contains("is as it was before"), "{text}");
        assert!(text.contains("released `app`"), "{text}");
        comes_back(&held, "the guard", &["old"]);
    }
}

#[test]
fn an_app_stays_down_while_another_disk_is_mounted_where_the_trees_are_half_exchanged() {
    let held = changed();
    let Some(disk) = Mount::new(FileSystem::Tmpfs, 8) else {
        return;
    };
    let Some(blank) = Mount::new(FileSystem::Tmpfs, 8) else {
        return;
    };
    let source = held.world.source();
    let mut copied = Command::new("cp");
    copied.arg("-a").arg(source.join(".")).arg(disk.path());
    assert!(copied.status().unwrap().success());
    let mounted = Mount::bind(disk.path(), &source);
    killed_at(&held, "run:before:move#3,guard:before:move");
    drop(mounted);
    let in_its_place = Mount::bind(blank.path(), &source);
    let kept = held.world.copal(&["recover"]);
    kept.exits_with(5).says("is its disk mounted?");
    assert!(!held.runs());
    drop(in_its_place);
    let _mounted = Mount::bind(disk.path(), &source);
    held.world.copal(&["recover"]).succeeds();
    assert_eq!(live(&held.world), "old");
    assert!(held.runs());
}

#[test]
fn what_a_snapshot_has_in_lost_and_found_is_told_where_that_of_a_mount_point_stays() {
    if !is_root() {
        return skip("mounting needs root");
    }
    let held = changed();
    held.world.write("source/lost+found/#12", "found");
    held.world.copal(&["backup"]).succeeds();
    let _mounted = mount(&held.world);
    fs::remove_file(held.world.path("source/lost+found/#12")).unwrap();
    let told = held.world.copal(&RESTORE);
    told.exits_with(3)
        .says("the source's own `lost+found` stays")
        .says("/lost+found`");
    assert!(held.runs());
}

#[test]
fn a_mount_point_is_restored_undone_and_backed_up_without_its_old_trees() {
    if !is_root() {
        return skip("mounting needs root");
    }
    let held = changed();
    let _mounted = mount(&held.world);
    held.world.copal(&RESTORE).succeeds();
    assert_eq!(live(&held.world), "new");
    assert_eq!(beside(&held.world), [""; 0]);
    let own = || -> Vec<String> {
        let entries = fs::read_dir(held.world.source()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(".copal-")).collect()
    };
    let [kept] = &own()[..] else {
        panic!("{:?}", own())
    };
    assert!(kept.starts_with(".copal-before-"), "{kept}");
    let listed = {
        held.world.copal(&["backup"]).succeeds();
        held.world.copal(&["ls", "latest"])
    };
    assert!(!listed.stdout().contains(".copal-"), "{listed}");
    held.world.copal(&["restore", "--undo"]).succeeds();
    assert_eq!(live(&held.world), "old");
    held.world.copal(&["restore", "--undo"]).succeeds();
    assert_eq!(live(&held.world), "new");
    assert_eq!(own().len(), 1);
    held.world.copal(&["restore", "--discard"]).succeeds();
    assert_eq!(own(), [""; 0]);
    assert_eq!(live(&held.world), "new");
}
