//! What people are told of holds: of those that did not happen, of those that can't, and of what became
//! of the others.

use std::fs;

use copal_testkit::{World, docker_engine, wait_until};
use rustix::process::Signal;

use crate::common::{PATIENCE, small_world};
use crate::holds::Held;

/// Runs until it is stopped, and at once then.
const APP: &str = "trap 'exit 0' TERM; while :; do sleep 0.1; done";

fn docker_world(host: &str, container: &str, how: &str) -> World {
    let world = small_world();
    world.write(
        "copal.toml",
        format!(
            "name = \"letters\"\nsource.path = \"source\"\ndestination = [{{ remote = \"vault:\" }}]\ndocker.host = \"{host}\"\n\n[[hook]]\nuse = \"quiesce\"\nconfig = {{ how = \"{how}\" }}\ngrants = {{ service = [\"app\"] }}\n\n[service.app]\ndriver = \"docker\"\ncontainer = \"{container}\"\n",
        ),
    );
    world
}

fn service_row(world: &World, command: &[&str]) -> String {
    let shown = world.copal(command).stdout().to_owned();
    let row = shown.lines().find(|line| line.starts_with("service "));
    row.unwrap_or_default().to_owned()
}

#[test]
fn a_service_that_was_down_is_told_with_the_snapshot_and_is_no_shortcoming() {
    let held = Held::new();
    fs::remove_file(held.world.path("app")).unwrap();
    let row = "service      app: command, does not run, and would be left so";
    assert_eq!(service_row(&held.world, &["plan"]), row);
    assert_eq!(service_row(&held.world, &["backup", "--dry-run"]), row);
    let output = held.world.copal(&["backup", "-q"]);
    assert!(
        output
            .succeeds()
            .stdout()
            .contains("\n  not held: app (it does not run)\n"),
        "{output}"
    );
    let json = held.world.copal(&["backup", "--json"]).succeeds().json();
    let told =
        serde_json::json!([{ "service": "app", "why": "it does not run", "missing": false }]);
    assert_eq!(json["not_held"], told);
    assert_eq!(held.latest()["notes"][1], "not held: app (it does not run)");

    held.run_app();
    let row = "service      app: command, running";
    assert_eq!(service_row(&held.world, &["plan"]), row);
    let json = held.world.copal(&["backup", "--json"]).succeeds().json();
    assert_eq!(json["not_held"], serde_json::json!([]));
}

#[test]
fn a_container_that_is_not_there_makes_a_run_fall_short() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let world = docker_world(&engine.host().to_string(), "no-such-app", "stop");
    let row =
        "service      app: docker no-such-app, no container `no-such-app`: nothing would be held";
    assert_eq!(service_row(&world, &["plan"]), row);
    world.copal(&["backup", "--dry-run"]).exits_with(3);
    let output = world.copal(&["backup"]);
    output.exits_with(3);
    insta::assert_snapshot!(output.redacted_stderr());
    assert!(
        output
            .stdout()
            .contains("\n  not held: app (no container `no-such-app`)\n"),
        "{output}"
    );
}

#[test]
fn what_a_service_does_is_in_the_plan() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let container = engine.run("planned", &[], APP).unwrap();
    container.wait_for("running");
    let world = docker_world(&engine.host().to_string(), "planned", "stop");
    let row = "service      app: docker planned, running";
    assert_eq!(service_row(&world, &["plan"]), row);
    assert_eq!(service_row(&world, &["backup", "--dry-run"]), row);
    let json = world.copal(&["plan", "--json"]).succeeds().json();
    assert_eq!(json["services"][0]["state"], "running");
}

fn refused_by_all(world: &World, code: i32, why: &str, next: &str) {
    for command in [&["plan"][..], &["backup", "--dry-run"], &["backup"]] {
        let output = world.copal(command);
        output.exits_with(code).says(why).says(next);
    }
}

#[test]
fn a_service_that_can_not_be_paused_is_refused_before_anything_is_held() {
    let held = Held::new();
    let lines = fs::read_to_string(held.world.path("copal.toml")).unwrap();
    let pausing = lines.replace("how = \"stop\"", "how = \"pause\"");
    held.world.write("copal.toml", pausing);
    refused_by_all(
        &held.world,
        2,
        "can't pause service `app`",
        "config = { how = \"stop\" }",
    );
    let long = lines.replace("100ms", "40s");
    held.world.write("copal.toml", long);
    refused_by_all(
        &held.world,
        2,
        "a grace of 40s",
        "raise `max_pause` in [staging]",
    );
    assert_eq!(held.did(), [""; 0]);
}

#[test]
fn a_container_that_would_be_gone_is_refused_with_what_to_write() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let container = engine.run("vanishing", &["--rm"], APP).unwrap();
    container.wait_for("running");
    let world = docker_world(&engine.host().to_string(), "vanishing", "stop");
    refused_by_all(&world, 2, "it was started with `--rm`", "how = \"pause\"");
    assert_eq!(container.status(), "running");
}

#[test]
fn an_engine_that_is_not_there_is_noticed_before_a_run() {
    let world = docker_world("unix:///nowhere/docker.sock", "app", "stop");
    refused_by_all(
        &world,
        1,
        "can't reach the Docker engine",
        "/nowhere/docker.sock",
    );
}

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
    let world = docker_world(&engine.host().to_string(), "deaf", "stop");
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
    let world = docker_world(&engine.host().to_string(), "anew", "stop");
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
    let world = small_world();
    let output = world.copal(&["backup", "-v"]);
    output.succeeds().never_says("ERROR");
}
