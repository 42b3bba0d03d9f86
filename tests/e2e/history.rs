//! What is known of runs afterwards.

use std::fs;

use copal_testkit::World;

use crate::common::{back_up, small_world};
use crate::specimen::{configure, hook, world_with_a_spilling_hook, world_with_specimen};

fn shown(world: &World, run: &str) -> serde_json::Value {
    world
        .copal(&["history", "show", run, "--json"])
        .succeeds()
        .json()
}

#[test]
fn runs_are_listed_and_one_is_told_by_the_beginning_of_its_id() {
    let world = small_world();
    assert_eq!(world.copal(&["history"]).succeeds().stdout(), "");
    world
        .copal(&["history", "show", "latest"])
        .exits_with(1)
        .says("no run is known");
    let first = back_up(&world);
    fs::remove_dir_all(world.path("source")).unwrap();
    let gone = ["backup", "--source", "source", "--to", "vault:"];
    world.copal(&gone).exits_with(2);

    let rows = world.copal(&["history", "--json"]).succeeds().json();
    assert_eq!(rows[0]["outcome"], "succeeded");
    assert_eq!(rows[0]["snapshots"][0], first.as_str());
    assert_eq!(rows[1]["outcome"], "failed");
    assert_eq!(rows[1]["exit"], 2);
    let list = world.copal(&["history"]);
    assert!(list.succeeds().stdout().contains("can't open the source"));

    let record = shown(&world, rows[0]["run"].as_str().unwrap());
    assert_eq!(record["snapshots"][0]["id"], first.as_str());
    assert_eq!(
        shown(&world, "latest")["errors"][0]["what"]
            .as_str()
            .unwrap()
            .find("can't open"),
        Some(0)
    );
    world
        .copal(&["history", "show", "no-such"])
        .exits_with(2)
        .says("copal history");
}

#[test]
fn a_record_tells_each_deed_with_its_arguments_and_result() {
    let world = world_with_specimen();
    let counts = hook(
        "counts",
        "config.act = { count = \"runs\" }\nconfig.within = \"staged\"\ngrants.state = true",
    );
    configure(&world, &counts);
    world.copal(&["backup"]).succeeds();
    let record = shown(&world, "latest");
    let hooks = record["hooks"].as_array().unwrap();
    let staged = hooks.iter().find(|one| one["phase"] == "staged").unwrap();
    let deeds = staged["deeds"].as_array().unwrap();
    let names: Vec<_> = deeds.iter().map(|deed| &deed["deed"]).collect();
    assert_eq!(names, ["state.get", "state.set"], "{staged:#}");
    let text = world.copal(&["history", "show", "latest"]);
    let text = text.succeeds().stdout();
    assert!(text.contains("state.set key=runs"), "{text}");
}

#[test]
fn a_denial_is_in_the_record_with_the_line_that_grants_it() {
    let world = world_with_specimen();
    let bold = hook(
        "bold",
        "config.act = { count = \"runs\" }\nconfig.within = \"staged\"",
    );
    configure(&world, &bold);
    world.copal(&["backup"]).exits_with(2);
    let text = world.copal(&["history", "show", "latest"]);
    let text = text.succeeds().stdout();
    assert!(text.contains("grants = { state = true }"), "{text}");
}

#[test]
fn a_denial_that_a_hook_gets_over_is_in_the_record_too() {
    let world = world_with_specimen();
    let bold = hook(
        "bold",
        "config = { act = { copy-anyway = \"app.db\" }, within = \"pre-backup\" }",
    );
    configure(&world, &bold);
    world.copal(&["backup"]).succeeds();
    let record = shown(&world, "latest");
    let hooks = record["hooks"].as_array().unwrap();
    let bold = hooks.iter().find(|one| one["phase"] == "pre-backup");
    let denials = &bold.unwrap()["denials"];
    assert_eq!(denials[0]["value"], "app.db", "{record:#}");
    assert_eq!(denials.as_array().unwrap().len(), 1);
}

#[test]
fn a_secret_is_in_no_record_even_when_a_hook_says_it_aloud() {
    let world = world_with_a_spilling_hook();
    let output = world.copal(&["backup", "-vv"]);
    output.exits_with(1);
    assert!(!output.stderr().contains("hunter2"), "{output}");
    let bytes = fs::read(world.path("home/.local/state/copal/history.sqlite3")).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("hunter2"));
    let record = shown(&world, "latest");
    assert!(record["hooks"].to_string().contains("reveal"), "{record:#}");
}

#[test]
fn a_history_that_can_not_be_kept_is_told_and_the_snapshot_is_there() {
    let world = small_world();
    let file = world.path("home/.local/state/copal/history.sqlite3");
    fs::create_dir_all(&file).unwrap();
    let run = ["backup", "--source", "source", "--to", "vault:"];
    let output = world.copal(&run);
    output.exits_with(3).says("history.sqlite3");
    assert!(output.stdout().starts_with("sealed "), "{output}");
    fs::remove_dir(&file).unwrap();

    world.write(
        "home/.local/state/copal/history.sqlite3",
        "nothing that SQLite would know",
    );
    world.copal(&run).exits_with(3).says("damaged-");
    let record = shown(&world, "latest");
    assert_eq!(record["outcome"], "warned");
    assert_eq!(record["exit"], 3);
    world.copal(&run).succeeds();
}

#[test]
fn a_history_that_is_locked_for_too_long_does_not_stop_a_run() {
    let world = small_world();
    back_up(&world);
    let file = world.path("home/.local/state/copal/history.sqlite3");
    let other = rusqlite::Connection::open(file).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let output = world.copal(&["backup", "--source", "source", "--to", "vault:"]);
    output.exits_with(3).says("database is locked");
    assert!(output.stdout().starts_with("sealed "), "{output}");
}
