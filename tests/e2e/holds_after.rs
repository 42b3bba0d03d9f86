//! What people are told when a hold is over: who ended it, what was lost, and whose it was.

use std::fs;

use copal_testkit::{docker_engine, wait_until};
use rustix::process::Signal;

use crate::common::PATIENCE;
use crate::holds::Held;
use crate::holds_told::{APP, docker_world};

#[test]
fn a_release_that_comes_later_is_in_the_history_of_its_run() {
    let held = Held::with("", "test -e mended || exit 7", "");
    let output = held.world.copal(&["backup"]);
    let output = output.exits_with(5);
    output.says("It is of the job `letters`: no snapshot was made");
    let before = held.latest();
    assert!(before["holds"][0]["away_ms"].is_null(), "{before:#}");

    held.world
        .copal(&["recover"])
        .exits_with(5)
        .says("A run of the job `letters` held it");
    held.world.write("mended", "");
    let settled = || {
        held.world.copal(&["recover"]);
        held.journals().is_empty().then_some(())
    };
    wait_until("the release", PATIENCE, settled).unwrap();
    let after = held.latest();
    assert_eq!(after["exit"], 5);
    assert_eq!(after["run"], before["run"]);
    assert!(after["holds"][0]["away_ms"].is_u64(), "{after:#}");
    let by = after["holds"][0]["released_by"].as_str().unwrap();
    assert!(matches!(by, "recovery" | "guard"), "{by}");
    let notes = after["notes"].as_array().unwrap();
    let later = format!("`app` was released later, by the {by} at ");
    assert!(
        notes
            .iter()
            .any(|note| note.as_str().unwrap().starts_with(&later)),
        "{after:#}"
    );
    let shown = held
        .world
        .copal(&["history", "show", "latest", "--name", "letters"]);
    assert!(
        !shown.succeeds().stdout().contains("not released"),
        "{shown}"
    );
}

#[test]
fn a_service_that_is_not_back_is_told_with_its_job_and_its_snapshot() {
    let held = Held::new();
    held.script("start", "echo start >> did");
    let output = held.world.copal(&["backup"]);
    output
        .exits_with(5)
        .says("It is of the job `letters`: the snapshot ")
        .says(" is sealed");
}

#[test]
fn max_pause_names_its_own_run_and_is_told_once() {
    let held = Held::with("sleep 5", "", "max_pause = \"500ms\"");
    let output = held.world.copal(&["backup"]);
    let run = held.latest()["run"].as_str().unwrap().to_owned();
    output
        .exits_with(1)
        .says(&format!("`copal history show {run}`"));
    let told = output.stderr().matches("max_pause` (").count();
    assert_eq!(told, 1, "{output}");
}

#[test]
fn of_a_run_that_is_stopped_recover_says_so() {
    let held = Held::with("touch here; while [ ! -e go ]; do sleep 0.05; done", "", "");
    let running = held.world.start(&["backup"]);
    let here = || held.world.path("here").exists().then_some(());
    wait_until("the hold", PATIENCE, here).unwrap();
    let shown = held.world.copal(&["recover"]);
    assert!(
        shown.succeeds().stdout().contains("goes on (process"),
        "{shown}"
    );
    running.signal(Signal::STOP);
    let told = || {
        let shown = held.world.copal(&["recover"]);
        shown.stdout().contains("is stopped (process").then_some(())
    };
    wait_until("the word of it", PATIENCE, told).unwrap();
    held.world.write("go", "");
    running.signal(Signal::CONT);
    running.finish(PATIENCE).unwrap();
    assert!(held.runs());
}

/// It takes no notice of SIGTERM.
#[test]
fn a_container_that_had_to_be_killed_is_told_so() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let deaf = "trap '' TERM; while :; do sleep 0.1; done";
    let container = engine.run("deaf", &[], deaf).unwrap();
    container.wait_for("running");
    let world = docker_world(&engine.host(), "deaf", "stop");
    let lines = fs::read_to_string(world.path("copal.toml")).unwrap();
    let quick = lines.replace("how = \"stop\"", "how = \"stop\", grace = \"1s\"");
    world.write("copal.toml", quick);
    let output = world.copal(&["backup"]);
    assert!(
        output.succeeds().stdout().contains(", killed after 1.0 s"),
        "{output}"
    );
    container.wait_for("running");
}

#[test]
fn what_was_made_anew_since_is_not_said_to_be_released() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let container = engine.run("anew", &[], APP).unwrap();
    container.wait_for("running");
    let world = docker_world(&engine.host(), "anew", "stop");
    let mut command = world.command(&["backup"]);
    command.env(
        "COPAL_TEST_KILL_AT",
        "run:after:held,guard:before:releasing",
    );
    assert!(command.status().unwrap().code().is_none());
    drop(container);
    let told = || {
        let shown = world.copal(&["recover"]);
        let told = shown
            .stdout()
            .contains("nothing of `app` is held any more: `anew`");
        told.then_some(())
    };
    wait_until("the word of it", PATIENCE, told).unwrap();
}

#[test]
fn a_first_backup_that_logs_more_says_nothing_of_what_is_not_there_yet() {
    let held = Held::new();
    let output = held.world.copal(&["backup", "-v"]);
    output.succeeds().never_says("ERROR");
}
