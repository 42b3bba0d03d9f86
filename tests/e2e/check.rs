//! `copal check`: what a backup would stumble over, each in its line, whatever else is wrong.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt};

use copal_testkit::{HttpServer, Output, World};
use insta::assert_snapshot;
use rustix::fs::{FlockOperation, flock};

use crate::common::{files_below, leaves_no_staging, small_world};
use crate::process::Ordinary;
use crate::specimen::{hook, pinned, specimen, world_with_specimen};

const JOB: &str =
    "name = \"letters\"\nsource.path = \"source\"\n[[destination]]\nremote = \"vault:\"\n\n";

const HOOKS: &str = "[[hook]]\nuse = \"exclude\"\n\n[[hook]]\nuse = \"sqlite-backup\"\ngrants = { sqlite = [\"*\"] }\n";

/// A world with a database and a job that is well.
fn well_world() -> World {
    let world = small_world();
    fill(&world);
    world
}

fn fill(world: &World) {
    let database = world.write("source/app.db", "");
    let connection = rusqlite::Connection::open(&database).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE t (x); CREATE INDEX i ON t (x);
             WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
             INSERT INTO t SELECT hex(i) || ' of many' FROM n;",
        )
        .unwrap();
    world.write("copal.toml", format!("{JOB}{HOOKS}"));
}

/// The state of the first finding about a part, and what it says.
#[track_caller]
fn found(output: &Output, part: &str) -> (String, String) {
    let json = output.json();
    let findings = json["findings"].as_array().unwrap();
    let of_part = |one: &&serde_json::Value| one["part"] == part;
    let worst = |state: &str| {
        let mut of_part = findings.iter().filter(of_part);
        of_part.find(|one| one["state"] == state)
    };
    let one = ["failed", "warning", "ok"].into_iter().find_map(worst);
    let one = one.unwrap_or_else(|| panic!("nothing about {part}\n{output}"));
    let is_ok = one["state"] == "ok";
    assert_eq!(one["next"] == "", is_ok, "{one:#}");
    (one["state"].as_str().unwrap().to_owned(), one.to_string())
}

#[track_caller]
fn finds(output: &Output, part: &str, state: &str, said: &str) {
    let (is, told) = found(output, part);
    assert_eq!(is, state, "{told}\n{output}");
    assert!(told.contains(said), "«{said}»\n{told}");
}

fn check(world: &World) -> Output {
    world.copal(&["check", "--json"])
}

#[test]
fn a_job_that_is_well_has_a_line_for_each_part_and_leaves_no_trace() {
    let world = well_world();
    let before = files_below(&world.source());
    let text = world.copal(&["check", "--quiet"]);
    text.succeeds();
    let filters = [(r"room for [\d.,]+ \w+ in", "room for [size] in")];
    insta::with_settings!({ filters => filters }, {
        assert_snapshot!("check_text", text.redacted_stdout());
    });
    assert_eq!(text.stderr(), "");
    let json = check(&world);
    json.succeeds();
    let told = json.json();
    assert_eq!(told["name"], "letters");
    assert_eq!(told["config"], "copal.toml");
    assert_eq!(told["ok"], true);
    finds(&json, "database", "ok", "copied by `sqlite-backup`");
    finds(&json, "destination", "ok", "no snapshot yet");
    finds(&json, "last-run", "warning", "no good backup");
    assert_eq!(files_below(&world.vault()), [""; 0]);
    assert_eq!(files_below(&world.source()), before);
    leaves_no_staging(&world);

    world.copal(&["backup"]).succeeds();
    let json = check(&world);
    json.succeeds();
    finds(&json, "destination", "ok", "the last snapshot is 2");
    finds(&json, "last-run", "ok", "good, begun at 2");
}

#[test]
fn without_a_configuration_the_command_line_says_what_is_checked() {
    let world = well_world();
    let arguments = ["check", "--source", "source", "--to", "vault:", "--json"];
    let output = world.copal(&arguments);
    output.succeeds();
    assert_eq!(output.json()["config"], serde_json::Value::Null);
}

#[test]
fn files_that_runs_are_to_write_and_can_not_are_named() {
    let world = well_world();
    let files = "[log]\nfile = \"logs/copal.log\"\n[metrics]\nfile = \"gone/copal.prom\"\n";
    world.write("copal.toml", format!("{JOB}{HOOKS}{files}"));
    world.write("logs", "a file");
    let output = check(&world);
    output.succeeds();
    finds(&output, "log", "warning", "can't write the log");
    finds(&output, "metrics", "warning", "can't write the metrics");
    fs::remove_file(world.path("logs")).unwrap();
    fs::create_dir(world.path("gone")).unwrap();
    let output = check(&world);
    finds(&output, "log", "ok", "logs/copal.log` can be written");
    finds(&output, "metrics", "ok", "gone/copal.prom` can be written");
    assert!(!world.path("gone/copal.prom").exists());
}

#[test]
fn a_hook_that_could_tell_of_no_backup_is_named_with_what_mends_it_and_nothing_is_sent() {
    let (mut world, server) = (well_world(), HttpServer::start());
    world.set("CHECK", "7c1a-open-sesame");
    let check_with = |config: &str, grants: &str| {
        let hook = format!(
            "[[hook]]\nuse = \"notify\"\nconfig = {{ url = \"{}\", {config} }}\n\
             grants = {{ http = [\"POST {}\"], secrets = [\"check\"]{grants} }}\n[secret.check]\nenv = \"CHECK\"\n",
            server.url("/ping/{check}"),
            server.origin()
        );
        world.write("copal.toml", format!("{JOB}{HOOKS}{hook}"));
        let output = check(&world);
        output.succeeds().never_says("7c1a-open-sesame");
        output
    };
    let unfit = check_with("format = \"jsn\"", ", state = true");
    finds(&unfit, "hook", "warning", "unknown variant `jsn`");
    let ungranted = check_with("format = \"json\"", "");
    finds(&ungranted, "hook", "warning", "state = true");
    let well = check_with("format = \"json\"", ", state = true");
    finds(&well, "hook", "ok", "built in");
    assert_eq!(server.connections(), 0);
    assert!(
        !world
            .path("home/.local/state/copal/hook-state.sqlite3")
            .exists()
    );
}

#[test]
fn more_to_upload_than_is_allowed_is_told_before_the_first_snapshot() {
    let world = well_world();
    let limited = format!("{JOB}{HOOKS}[limits]\nmax_transfer = \"1 KiB\"\n");
    world.write("copal.toml", limited);
    let output = check(&world);
    output.exits_with(1);
    finds(
        &output,
        "destination",
        "failed",
        "`max_transfer` is 1.0 KiB",
    );
    world.copal(&["backup"]).exits_with(1);
    world.write("copal.toml", format!("{JOB}{HOOKS}"));
    world.copal(&["backup"]).succeeds();
    world.write(
        "copal.toml",
        format!("{JOB}{HOOKS}[limits]\nmax_transfer = \"1 KiB\"\n"),
    );
    let output = check(&world);
    output.succeeds();
    finds(&output, "destination", "ok", "the last snapshot is 2");
    world.copal(&["backup"]).succeeds();
}

#[test]
fn a_source_that_is_missing_keeps_nothing_else_from_being_looked_at() {
    let world = well_world();
    world.write(
        "copal.toml",
        JOB.replace("source\"\n", "nowhere\"\n") + HOOKS,
    );
    let output = check(&world);
    output.exits_with(2);
    finds(&output, "source", "failed", "can't open the source");
    finds(&output, "destination", "ok", "can be written to");
    finds(&output, "hook", "ok", "built in");
    finds(&output, "lock", "ok", "free");
}

#[test]
fn a_snapshot_of_a_time_to_come_and_a_damaged_one_are_told_whether_or_not_the_source_is_there() {
    let world = well_world();
    world.copal(&["backup"]).succeeds();
    let snapshots = world.vault().join("letters");
    let taken = fs::read_dir(&snapshots).unwrap().next().unwrap().unwrap();
    fs::write(taken.path().join(".copal/manifest.json"), "torn").unwrap();
    fs::create_dir(snapshots.join("2150-01-01T000000Z")).unwrap();
    fs::write(snapshots.join("2150-01-01T000000Z/a"), "a").unwrap();
    for source in ["source", "nowhere"] {
        let job = JOB.replace("\"source\"\n", &format!("\"{source}\"\n"));
        world.write("copal.toml", job + HOOKS);
        let output = check(&world);
        finds(&output, "clock", "warning", "is still to come");
        finds(&output, "clock", "warning", "vault:");
        finds(&output, "destination", "warning", "is damaged");
    }
}

#[test]
fn a_file_that_can_not_be_read_and_a_folder_that_can_not_be_written_to_are_both_named() {
    let ordinary = Ordinary::new();
    let world = ordinary.world();
    let secret = world.write("source/secret", "x");
    world.write("copal.toml", format!("{JOB}{HOOKS}"));
    fs::set_permissions(&secret, Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(world.vault(), Permissions::from_mode(0o555)).unwrap();
    let output = ordinary.copal(&["check", "--json"]);
    fs::set_permissions(world.vault(), Permissions::from_mode(0o755)).unwrap();
    output.exits_with(1);
    finds(&output, "source", "failed", "source/secret");
    finds(&output, "destination", "failed", "can't write to");
}

#[test]
fn a_torn_database_is_told_by_what_sqlite_says_of_it() {
    let world = well_world();
    let database = File::options()
        .write(true)
        .open(world.path("source/app.db"))
        .unwrap();
    let size = database.metadata().unwrap().len();
    database
        .write_all_at(&[0xa5; 4096], size / 2 / 4096 * 4096)
        .unwrap();
    let output = check(&world);
    output.exits_with(1);
    finds(
        &output,
        "database",
        "failed",
        "the database `app.db` is damaged",
    );
    let text = world.copal(&["check"]);
    let lines = text.stdout();
    for line in [
        "✗ database    app.db: the database",
        "    why: ",
        "   next: ",
    ] {
        assert!(lines.contains(line), "«{line}»\n{text}");
    }
}

#[test]
fn a_database_that_no_hook_stands_in_for_is_told_with_the_lines_that_mend_it() {
    let world = well_world();
    world.write("copal.toml", format!("{JOB}[[hook]]\nuse = \"exclude\"\n"));
    let output = check(&world);
    output.exits_with(2);
    finds(
        &output,
        "database",
        "failed",
        "no hook stands in for the database `app.db`",
    );
    finds(&output, "destination", "ok", "can be written to");
}

#[test]
fn a_hook_that_changed_is_told_and_the_rest_is_looked_at() {
    let world = world_with_specimen();
    fill(&world);
    let changed = pinned(b"another", "own", "grants = { sqlite = [\"*\"] }");
    world.write("copal.toml", format!("{JOB}{changed}"));
    let output = check(&world);
    output.exits_with(2);
    finds(&output, "hook", "failed", "is not the one that was granted");
    finds(&output, "database", "warning", "can't be told");
    finds(&output, "destination", "ok", "can be written to");

    let lacks = hook("own", "grants.command = [\"dump\"]");
    let lacks = format!("{HOOKS}\n{lacks}[command.dump]\nrun = [\"./no/such\"]\n");
    assert!(!specimen().is_empty());
    world.write("copal.toml", format!("{JOB}{lacks}"));
    let output = check(&world);
    output.exits_with(2);
    finds(&output, "hook", "failed", "[command.dump]");
}

#[test]
fn who_holds_the_lock_is_told_and_it_stays_theirs() {
    let world = well_world();
    let me = std::process::id();
    let path = world.write(
        "home/.local/state/copal/lock/letters",
        format!("{me} 2026-11-27T03:00:00Z\n"),
    );
    let lock = File::open(&path).unwrap();
    flock(&lock, FlockOperation::NonBlockingLockExclusive).unwrap();
    let output = check(&world);
    output.succeeds();
    finds(&output, "lock", "warning", &format!("process {me}"));
    assert_eq!(output.json()["ok"], true);
    drop(lock);
    finds(&check(&world), "lock", "ok", "free");
}

#[test]
fn a_backup_that_is_too_old_and_one_that_failed_are_told() {
    let world = well_world();
    let job = format!("max_age = \"1ms\"\n{JOB}{HOOKS}");
    world.write("copal.toml", &job);
    world.copal(&["backup"]).succeeds();
    let output = check(&world);
    output.succeeds();
    finds(&output, "last-run", "warning", "longer ago than `max_age`");

    let gone = world.path("source");
    fs::rename(&gone, world.path("gone")).unwrap();
    world.copal(&["backup"]).exits_with(2);
    fs::rename(world.path("gone"), &gone).unwrap();
    let output = check(&world);
    output.succeeds();
    let told = output.stdout();
    assert!(
        told.contains("ended with 2: can't open the source"),
        "{output}"
    );
}

#[test]
fn a_remote_that_rclone_does_not_know_is_told_at_the_destination() {
    let world = well_world();
    world.write(
        "copal.toml",
        format!("{JOB}{HOOKS}").replace("vault:", "nobody:x"),
    );
    let output = check(&world);
    output.exits_with(2);
    finds(&output, "destination", "failed", "nobody");
    finds(&output, "rclone", "ok", "rclone.conf");
}

#[test]
fn an_engine_that_is_away_and_an_option_that_rclone_does_not_take_are_told_in_their_places() {
    let world = well_world();
    let services = "docker.host = \"unix:///no/such.sock\"\n[rclone]\ntransferz = 3\n[service.app]\ndriver = \"docker\"\ncontainer = \"app\"\n[[hook]]\nuse = \"quiesce\"\ngrants = { service = [\"app\"] }\n\n";
    let job = JOB.replace(
        "[[destination]]\nremote = \"vault:\"",
        "destination = [{ remote = \"vault:\" }]",
    );
    world.write("copal.toml", format!("{job}{services}{HOOKS}"));
    let output = check(&world);
    output.exits_with(2);
    finds(
        &output,
        "service",
        "failed",
        "can't reach the Docker engine",
    );
    finds(&output, "rclone", "failed", "did you mean `transfers`?");
    finds(&output, "destination", "failed", "transferz");
    finds(&output, "source", "ok", "all readable");
    finds(&output, "staging", "ok", "room for");
}
