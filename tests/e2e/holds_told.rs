//! What people are told of services that are not held: of those that do not run or are not there, and of
//! those that can't be.

use std::fs;

use copal_testkit::{World, docker_engine};

use crate::common::small_world;
use crate::holds::Held;

/// Runs until it is stopped, and at once then.
pub(crate) const APP: &str = "trap 'exit 0' TERM; while :; do sleep 0.1; done";

pub(crate) fn docker_world(host: &str, container: &str, how: &str) -> World {
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
    let shown = held.world.copal(&["history", "show", "latest"]);
    let shown = shown.succeeds().stdout();
    assert!(shown.contains(" → not held: it does not run"), "{shown}");

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
    let world = docker_world(&engine.host(), "no-such-app", "stop");
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
    let world = docker_world(&engine.host(), "planned", "stop");
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
fn a_command_that_is_not_there_is_refused_before_anything_is_held() {
    let held = Held::new();
    let lines = fs::read_to_string(held.world.path("copal.toml")).unwrap();
    for (there, missing) in [
        ("stop = [\"sh\"", "stop = [\"/nowhere/stop\""),
        ("start = [\"sh\"", "start = [\"no-such-program\""),
    ] {
        held.world
            .write("copal.toml", lines.replace(there, missing));
        refused_by_all(
            &held.world,
            2,
            "there is no such program",
            "the program's whole path",
        );
    }
    assert_eq!(held.did(), [""; 0]);
}

#[test]
fn a_container_that_would_be_gone_is_refused_with_what_to_write() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let container = engine.run("vanishing", &["--rm"], APP).unwrap();
    container.wait_for("running");
    let world = docker_world(&engine.host(), "vanishing", "stop");
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
fn a_part_of_a_project_that_is_not_there_is_told_though_the_rest_is_held() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let labels = [
        "--label",
        "com.docker.compose.project=told",
        "--label",
        "com.docker.compose.service=web",
    ];
    let web = engine.run("told-web-1", &labels, APP).unwrap();
    web.wait_for("running");
    let world = docker_world(&engine.host(), "none", "stop");
    let lines = fs::read_to_string(world.path("copal.toml")).unwrap();
    let lines = lines.replace(
        "driver = \"docker\"\ncontainer = \"none\"",
        "driver = \"compose\"\nproject = \"told\"\nservices = [\"web\", \"worker\"]",
    );
    world.write("copal.toml", lines);
    let row = "service      app: compose told (web, worker), running, but no container of `worker`";
    assert_eq!(service_row(&world, &["plan"]), row);
    world.copal(&["backup", "--dry-run"]).exits_with(3);
    let output = world.copal(&["backup"]);
    output.exits_with(3);
    let told = "\n  not held: app (no container of `worker`; the rest of it was held)\n";
    assert!(output.stdout().contains(told), "{output}");
    assert!(
        output.stdout().contains("held: app: stopped for"),
        "{output}"
    );
    web.wait_for("running");
}
