//! What a run says, kept for whoever looks later.

use std::fs;

use copal_testkit::World;

use crate::common::small_world;
use crate::remotes::add_crypt;
use crate::specimen::world_with_a_spilling_hook;

const LOGS: &str = "home/.local/state/copal/log";

fn world_with_log(log: &str) -> World {
    let world = small_world();
    let job = "name = \"app\"\nsource.path = \"source\"\n[[destination]]\nremote = \"vault:\"\n";
    world.write("copal.toml", format!("{job}{log}"));
    world
}

fn last_run(world: &World) -> serde_json::Value {
    let shown = world.copal(&["history", "show", "latest", "--json"]);
    shown.succeeds().json()
}

#[test]
fn a_run_is_in_the_log_of_its_job_line_by_line_with_its_id() {
    let world = world_with_log("");
    // rclone has something to say of each: in a plain folder it is asked for little.
    add_crypt(&world);
    let job = fs::read_to_string(world.path("copal.toml")).unwrap();
    world.write("copal.toml", job.replace("vault:", "safe:"));
    world.copal(&["backup", "--quiet"]).succeeds();
    let log = fs::read_to_string(world.path(LOGS).join("app.log")).unwrap();
    let record = last_run(&world);
    let run = record["run"].as_str().unwrap();
    assert!(log.lines().all(|line| line.contains(run)), "{log}");
    for told in [
        "copal: backup of `app` begins",
        "copal: step transfer",
        " rclone: ",
        "copal: snapshot ",
        "copal: backup succeeded after",
    ] {
        assert!(log.contains(told), "{told}: {log}");
    }
    let steps = record["steps"].as_array().unwrap();
    let steps: Vec<_> = steps.iter().map(|it| it["step"].as_str()).collect();
    assert!(steps.contains(&Some("transfer")), "{record:#}");
    assert!(record["log"].is_null(), "all went well");

    // What only looks says nothing there, and neither does a rehearsal.
    world.copal(&["backup", "--dry-run"]).succeeds();
    world.copal(&["snapshots"]).succeeds();
    let later = fs::read_to_string(world.path(LOGS).join("app.log")).unwrap();
    assert_eq!(log, later);
}

#[test]
fn a_log_in_json_has_an_object_a_line() {
    let world = world_with_log("[log]\nfile = \"logs/app.log\"\nformat = \"json\"\n");
    world.copal(&["backup"]).succeeds();
    let log = fs::read_to_string(world.path("logs/app.log")).unwrap();
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["time"].is_string(), "{line}");
        assert!(line["origin"].is_string(), "{line}");
    }
    assert!(!world.path(LOGS).exists(), "there is one log");
}

#[test]
fn a_job_may_have_no_log() {
    let world = world_with_log("[log]\nfile = false\n");
    world.copal(&["backup"]).succeeds();
    assert!(!world.path(LOGS).exists());
}

#[test]
fn a_log_that_can_not_be_written_is_told_and_the_snapshot_is_there() {
    let world = world_with_log("[log]\nfile = \"logs\"\n");
    fs::create_dir(world.path("logs")).unwrap();
    let output = world.copal(&["backup"]);
    output.exits_with(3).says("can't write the log");
    assert!(output.stdout().starts_with("sealed "), "{output}");
    assert_eq!(last_run(&world)["exit"], 3);
}

#[test]
fn a_failure_has_the_last_lines_of_its_log_in_the_history() {
    let world = world_with_log("");
    fs::remove_dir_all(world.path("source")).unwrap();
    let output = world.copal(&["backup", "--unattended"]);
    output.exits_with(2).says("the last lines of the log");
    let told = "copal: step plan";
    assert!(output.stderr().contains(told), "{output}");
    let record = last_run(&world);
    assert!(record["log"].to_string().contains(told), "{record:#}");
    let shown = world.copal(&["history", "show", "latest"]);
    assert!(shown.succeeds().stdout().contains(told), "{shown}");
}

#[test]
fn stderr_is_for_programs_where_they_ask_for_it() {
    let world = world_with_log("");
    fs::remove_dir_all(world.path("source")).unwrap();
    let output = world.copal(&["backup", "-v", "--log-format", "json"]);
    output.exits_with(2);
    let lines = output.stderr().lines();
    let lines = lines.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let failed: Vec<_> = lines.filter(|line| line["level"] == "error").collect();
    let said = failed[0]["message"].as_str().unwrap();
    assert!(said.starts_with("can't open the source"), "{output}");
    assert!(failed[0]["fields"]["next"].is_string(), "{output}");
}

#[test]
fn a_hook_is_named_in_the_log_and_its_secret_is_not_there() {
    let world = world_with_a_spilling_hook();
    world.copal(&["backup", "-vv"]).exits_with(1);
    let log = fs::read_dir(world.path(LOGS)).unwrap().next().unwrap();
    let log = fs::read_to_string(log.unwrap().path()).unwrap();
    assert!(log.contains(" hook spill: "), "{log}");
    assert!(!log.contains("hunter2"), "{log}");
}
