//! Hooks of one's own, from file to message.

use std::fs;

use copal_testkit::World;
use insta::assert_snapshot;

use crate::common::{fails_cleanly, leaves_no_staging, small_world};
use crate::specimen::{configure, hook, pinned, specimen, world_with_specimen};

fn world_with_hook(more: &str) -> World {
    let world = world_with_specimen();
    configure(&world, &hook("own", more));
    world
}

#[test]
fn a_hook_that_behaves_lets_the_run_succeed() {
    let world = world_with_hook("config.skip = \"second.txt\"");
    world.copal(&["backup"]).succeeds();
    let listing = world.copal(&["ls", "latest"]);
    let listing = listing.succeeds().stdout();
    assert!(listing.contains("first.txt") && !listing.contains("second.txt"));
}

#[test]
fn a_hook_that_fails_fails_the_run_in_its_own_words() {
    let world = world_with_hook("config.act = \"fail\"");
    let output = world.copal(&["backup"]);
    fails_cleanly(&world, &output, 1);
    output.says("the specimen fails as it was told");
}

#[test]
fn a_hook_that_panics_fails_the_run_with_its_last_words() {
    let world = world_with_hook("config.act = \"panic\"");
    let output = world.copal(&["backup"]);
    fails_cleanly(&world, &output, 1);
    output.says("the specimen panics as it was told");
}

#[test]
fn a_hook_that_fails_after_the_seal_lets_the_snapshot_stand_and_shows_in_the_exit_code() {
    let world = small_world();
    let misled = "[[hook]]\nuse = \"log-outcome\"\nconfig.unheard-of = true\n";
    configure(&world, misled);
    let output = world.copal(&["backup"]);
    output.exits_with(3).says("log-outcome").says("unheard-of");
    assert!(output.stdout().starts_with("sealed letters/"), "{output}");
    world.copal(&["verify"]).succeeds();
    leaves_no_staging(&world);
}

fn world_with_database(hooks: &str) -> World {
    let world = small_world();
    let path = world.write("source/app.db", "");
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(connection);
    configure(&world, hooks);
    world
}

const WITH_GRANT: &str =
    "\n[[hook]]\nname = \"granted\"\nuse = \"sqlite-backup\"\ngrants.sqlite = [\"*\"]\n";

#[test]
fn a_hook_that_fails_before_the_backup_ends_the_run() {
    let lost = "[[hook]]\nname = \"lost\"\nuse = \"sqlite-backup\"\n\
        config.databases = [\"no.db\"]\ngrants.sqlite = [\"*\"]\n";
    let world = world_with_database(&format!("{WITH_GRANT}{lost}"));
    let output = world.copal(&["backup"]);
    fails_cleanly(&world, &output, 1);
    assert_snapshot!(output.redacted_stderr());
}

#[test]
fn a_hook_without_a_grant_is_told_the_line_and_with_it_the_same_run_passes() {
    let bold =
        "[[hook]]\nname = \"bold\"\nuse = \"sqlite-backup\"\nconfig.databases = [\"app.db\"]\n";
    let world = world_with_database(&format!("{bold}{WITH_GRANT}"));
    let denied = world.copal(&["backup"]);
    fails_cleanly(&world, &denied, 2);
    assert_snapshot!(denied.redacted_stderr());
    let mut lines = denied.stderr().lines();
    let line = lines.find_map(|line| Some(line.split_once("where it has one: ")?.1));
    configure(&world, &format!("{bold}{}\n{WITH_GRANT}", line.unwrap()));
    world.copal(&["backup"]).succeeds();
}

#[test]
fn a_component_that_is_missing_cut_short_or_none_is_refused_by_name() {
    let world = world_with_hook("");
    let whole = specimen();
    for (name, bytes) in [
        ("missing", None),
        ("truncated", Some(&whole[..whole.len() / 2])),
        ("empty", Some(&[][..])),
        ("text", Some(b"#!/bin/sh\n")),
    ] {
        let file = world.path("hooks/own.wasm");
        fs::remove_file(&file).unwrap();
        if let Some(bytes) = bytes {
            fs::write(&file, bytes).unwrap();
        }
        // Its owner granted it as it is.
        configure(&world, &pinned(bytes.unwrap_or_default(), "own", ""));
        for command in ["plan", "backup"] {
            let output = world.copal(&[command]);
            fails_cleanly(&world, &output, 2);
            // Where it was cut differs with each build of the component.
            insta::with_settings!({ filters => [(r"\d{3,}", "[n]")] }, {
                assert_snapshot!(format!("component_{name}"), output.redacted_stderr());
            });
        }
        fs::write(&file, whole).unwrap();
    }
}

/// The hook packs a directory, and then leaves in `/staging` what can't join a snapshot.
#[test]
fn what_a_failing_hook_had_packed_is_not_sealed() {
    let world = world_with_specimen();
    let tell = format!(
        "[command.litter]\nrun = [\"sh\", \"-c\", \"cd {}/home/.local/state/copal/staging/letters/run-*/made/staging-of-own && ln -s x link; true\", \"{{phase}}\", \"{{outcome}}\"]\n\n",
        world.root().display()
    );
    let own = hook(
        "own",
        "on_error = \"warn\"\nconfig = { tell = \"litter\", act = { archive = \"notes\" }, within = \"pre-backup\" }\ngrants = { files = [\"staging\"], archive = [\"notes\"], command = [\"litter\"] }",
    );
    configure(&world, &format!("{tell}{own}"));
    let output = world.copal(&["backup"]);
    output.exits_with(3).says("`/staging/link` is a link");
    let listing = world.copal(&["ls", "latest"]);
    let listing = listing.succeeds().stdout();
    assert!(listing.contains("notes/first.txt"), "{listing}");
    assert!(!listing.contains("notes.tar"), "{listing}");
}
