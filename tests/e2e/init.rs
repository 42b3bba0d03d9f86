//! `copal init`: a configuration after a look around, which `copal check` passes.

use std::fs;
use std::process::{Command, Stdio};

use copal_testkit::{DockerEngine, Output, World, docker_engine};
use insta::assert_snapshot;

use crate::common::{files_below, small_world};

fn config(world: &World, file: &str) -> String {
    world
        .redactions()
        .apply(&fs::read_to_string(world.path(file)).unwrap())
}

/// An app's directory, which its name says nothing of.
fn world_with_app() -> World {
    let world = small_world();
    let database = world.write("data/webui.db", "");
    let connection = rusqlite::Connection::open(&database).unwrap();
    connection.execute_batch("CREATE TABLE t (x)").unwrap();
    world
}

#[track_caller]
fn passes(world: &World, file: &str) {
    let checked = world.copal(&["check", "-c", file, "--json"]);
    checked.succeeds();
    assert_eq!(checked.json()["ok"], true, "{checked}");
}

#[test]
fn a_directory_gets_a_configuration_that_a_check_passes_and_a_backup_takes() {
    let world = world_with_app();
    let init = [
        "init",
        "--source",
        "data",
        "--remote",
        "vault:backups",
        "--yes",
    ];
    let output = world.copal(&init);
    output.succeeds();
    assert_snapshot!("init_told", output.redacted_stdout());
    assert_snapshot!("init_open_webui", config(&world, "copal.toml"));
    passes(&world, "copal.toml");
    // The database is Open WebUI's by its name alone.
    let plan = world.copal(&["plan"]);
    plan.succeeds();

    let init = ["init", "--source", "source", "--remote", "vault:", "--yes"];
    let other = [&init[..], &["--output", "other.toml", "--json"]].concat();
    let output = world.copal(&other);
    output.succeeds();
    assert_eq!(output.json()["next"][0], "copal -c other.toml check");
    assert_snapshot!("init_other", config(&world, "other.toml"));
    passes(&world, "other.toml");
    world.copal(&["backup", "-c", "other.toml"]).succeeds();
}

#[test]
fn a_file_that_is_there_is_written_over_by_force_alone() {
    let world = small_world();
    world.write("copal.toml", "mine");
    let init = ["init", "--source", "source", "--remote", "vault:", "--yes"];
    let output = world.copal(&init);
    output
        .exits_with(2)
        .says("is there already")
        .says("--force");
    assert_eq!(config(&world, "copal.toml"), "mine");
    world.copal(&[&init[..], &["--force"]].concat()).succeeds();
    passes(&world, "copal.toml");
    let left = fs::read_dir(world.root()).unwrap();
    let left = left.filter(|one| {
        let name = one.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with(".copal-")
    });
    assert_eq!(left.count(), 0, "no half file");
}

#[test]
fn what_is_not_known_is_an_error_where_nobody_can_be_asked() {
    let mut world = small_world();
    world.set("DOCKER_HOST", "unix:///no/such.sock");
    let output = world.copal(&["init", "--remote", "vault:"]);
    output
        .exits_with(2)
        .says("it is not known what to back up")
        .says("--source DIR");
    let output = world.copal(&["init", "--source", "source", "--yes"]);
    output
        .exits_with(2)
        .says("it is not known where snapshots go")
        .says("vault:");
    let secret = ":sftp,host=h,pass=hunter2:backups";
    let output = world.copal(&["init", "--source", "source", "--remote", secret]);
    output
        .exits_with(2)
        .says("has a secret in it")
        .never_says("hunter2");
    let output = world.copal(&["init", "--source", "no/such", "--remote", "vault:"]);
    output
        .exits_with(2)
        .says("can't look at the source")
        .says("data that is lost comes back first");
    let by_rclone = format!(":local:{}", world.path("source/notes").display());
    for inside in ["source/notes", "source/new/backups", &by_rclone] {
        let output = world.copal(&["init", "--source", "source", "--remote", inside]);
        output
            .exits_with(2)
            .says("lies in the source")
            .says("--remote");
    }
    assert!(!files_below(world.root()).contains(&"copal.toml".to_owned()));
}

#[test]
fn what_docker_was_to_tell_of_and_did_not_is_said() {
    let mut world = small_world();
    world.set("DOCKER_HOST", "unix:///no/such.sock");
    for flag in ["--container", "--volume"] {
        let output = world.copal(&["init", flag, "chat", "--remote", "vault:", "--force"]);
        output
            .succeeds()
            .says("chat` was not looked at, as Docker does not answer");
    }
    let output = world.copal(&[
        "init", "--source", "source", "--remote", "vault:", "--force",
    ]);
    output.succeeds().never_says("Docker");
}

/// On a terminal, which `script` is.
#[test]
fn on_a_terminal_what_is_not_known_is_asked() {
    let mut world = world_with_app();
    world.set("DOCKER_HOST", "unix:///no/such.sock");
    let like = world.command(&["init"]);
    let typed = format!("'{}' init", like.get_program().display());
    let mut script = Command::new("script");
    script.args(["-qec", &typed, "/dev/null"]);
    script.current_dir(world.root()).env_clear();
    for (name, value) in like.get_envs() {
        script.env(name, value.unwrap_or_default());
    }
    let child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    let mut input = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, b"no/such\n7\ndata\nvault:backups\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
    assert!(
        !told.contains("A number") && told.contains("can't look at the source `no/such`"),
        "{told}"
    );
    assert!(
        told.contains("What is to be backed up?") && told.contains("remotes: vault:"),
        "{told}"
    );
    passes(&world, "copal.toml");
}

fn in_engine(engine: &DockerEngine, arguments: &[&str]) -> (World, Output) {
    let mut world = small_world();
    world.set("DOCKER_HOST", engine.host());
    let init = ["init", "--remote", "vault:", "--yes"];
    let output = world.copal(&[&init[..], arguments].concat());
    (world, output)
}

#[test]
fn a_container_is_found_by_its_name_and_its_volume_is_what_is_backed_up() {
    let Some(engine) = docker_engine() else {
        return;
    };
    engine.docker(&["volume", "create", "chat_data"]).unwrap();
    let mount = ["-v", "chat_data:/app/backend/data"];
    let app = "trap 'exit 0' TERM; echo hi > /app/backend/data/l.txt; while :; do sleep 0.1; done";
    let container = engine.run("my-open-webui", &mount, app).unwrap();
    container.wait_for("running");
    for arguments in [
        &[][..],
        &["--container", "my-open-webui"],
        &["--volume", "chat_data"],
    ] {
        let (world, output) = in_engine(engine, arguments);
        output.succeeds();
        let text = config(&world, "copal.toml");
        assert!(text.contains("volume = \"chat_data\""), "{text}");
        assert!(text.contains("#container = \"my-open-webui\""), "{text}");
        assert!(text.contains("use = \"open-webui\""), "{text}");
        passes(&world, "copal.toml");
    }
}
