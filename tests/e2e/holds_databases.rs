//! Services whose databases are still copied when they are released: a moment stands by a lock, which
//! keeps out an app that wants its database for itself alone.

use std::fs;

use copal_testkit::{docker_engine, leave_a_database};

use crate::holds::Held;
use crate::holds_docker::{APP, world};

const COPIES: &str = "\n[[hook]]\nuse = \"sqlite-backup\"\ngrants = { sqlite = [\"*\"] }\n";

/// Opens the database for itself alone, as its app does.
const ALONE: &str = "sqlite3 -bail source/app.db 'PRAGMA locking_mode = EXCLUSIVE; INSERT INTO t VALUES (2)' >/dev/null";

fn held(starting: &str) -> Held {
    let held = Held::with("", starting, "");
    leave_a_database(&held.world.path("source/app.db")).unwrap();
    let file = held.world.path("copal.toml");
    let lines = fs::read_to_string(&file).unwrap();
    fs::write(file, lines + COPIES).unwrap();
    held
}

#[test]
fn a_start_that_a_copy_keeps_out_is_tried_until_the_copy_is_made() {
    let held = held(&format!("{ALONE} 2>>refused || exit 1"));
    let output = held.world.copal(&["backup"]);
    output.succeeds();
    assert!(held.runs(), "{output}");
    let refused = fs::read_to_string(held.world.path("refused")).unwrap();
    assert!(refused.contains("database is locked"), "«{refused}»");
    assert_eq!(held.did(), ["stop", "start"]);
    assert_eq!(held.journals(), [""; 0]);
}

/// A checkpoint waits for readers.
#[test]
fn a_start_that_waits_for_the_copy_does_not_wait_in_vain() {
    let waits =
        "sqlite3 -cmd '.timeout 30000' source/app.db 'PRAGMA wal_checkpoint(TRUNCATE)' > busy";
    let held = held(waits);
    held.world.copal(&["backup"]).succeeds();
    let busy = fs::read_to_string(held.world.path("busy")).unwrap();
    assert!(busy.starts_with("0|"), "«{busy}»");
}

#[test]
fn a_service_that_was_kept_out_after_its_start_is_started_once_more() {
    let held = held("[ -e tried ] || { touch tried; echo in vain >> did; exit 0; }");
    let output = held.world.copal(&["backup"]);
    output.succeeds();
    assert!(held.runs(), "{output}");
    assert_eq!(held.did(), ["stop", "in vain", "start"]);
}

#[test]
fn a_container_that_was_kept_out_after_its_start_is_started_once_more() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let script = format!("echo >>/starts; [ $(wc -l </starts) = 2 ] && exit 14; {APP}");
    let container = engine.run("kept-out", &[], &script).unwrap();
    container.wait_for("running");
    let world = world(engine, "kept-out", "stop");
    leave_a_database(&world.path("source/app.db")).unwrap();
    let file = world.path("copal.toml");
    let lines = fs::read_to_string(&file).unwrap();
    fs::write(file, lines + COPIES).unwrap();
    world.copal(&["backup"]).succeeds();
    assert_eq!(container.status(), "running");

    // Where no copy may have been the reason, that is its owner's to see.
    for suffix in ["-wal", "-shm"] {
        fs::remove_file(world.path(format!("source/app.db{suffix}"))).unwrap();
    }
    let once_more = ["exec", &container.id, "sh", "-c", "echo >/starts"];
    engine.docker(&once_more).unwrap();
    let file = world.path("copal.toml");
    let lines = fs::read_to_string(&file).unwrap();
    let lines = lines.replace("driver = \"docker\"", "driver = \"docker\"\nready = \"2s\"");
    fs::write(file, lines).unwrap();
    // Whether it was seen to run for a moment decides how that run ends.
    world.copal(&["backup"]);
    container.wait_for("exited");
}
