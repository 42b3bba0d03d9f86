//! The main job: a live Open WebUI under a steady writer.

use std::fs;
use std::time::Instant;

use copal_testkit::{OpenWebUi, Restored, Size, World, Writer};

use crate::common::{PATIENCE, leaves_no_staging, world};

const CONFIG: &str = r#"
name = "open-webui"
source.path = "data"

[[destination]]
remote = "vault:backups"

[rclone]
transfers = 32
checkers = 16

[[hook]]
use = "exclude"

[[hook]]
use = "sqlite-backup"
grants = { sqlite = ["webui.db", "vector_db/chroma.sqlite3"] }
"#;

#[test]
fn everything_acknowledged_before_a_backup_is_in_the_restored_copy() {
    let world = world();
    let from = ["--from", "vault:backups"];
    round(
        &world,
        &["--source", "data", "--to", "vault:backups"],
        &from,
    );
}

#[test]
fn a_backup_by_configuration_holds_everything_acknowledged_before_it() {
    let world = world();
    world.write("copal.toml", CONFIG);
    round(&world, &[], &[]);
}

/// Backs a live app up, verifies, restores, and looks for everything in the restored copy.
fn round(world: &World, to: &[&str], from: &[&str]) {
    let app = OpenWebUi::create(&world.path("data"), &Size::SMALL).unwrap();
    let writer = Writer::start(&app).unwrap();
    writer.wait_for(40, PATIENCE).unwrap();

    let acknowledged = writer.acknowledged_before(Instant::now());
    let backup = world.copal(&[&["backup", "--json"], to].concat());
    backup.succeeds();

    let so_far = writer.count();
    writer.wait_for(so_far + 10, PATIENCE).unwrap();
    let stopped = writer.stop();
    assert_eq!(
        stopped.failures, [""; 0],
        "the app did not notice the backup"
    );
    assert!(stopped.acknowledged.len() >= so_far + 10);

    let told = backup.json();
    assert_eq!(
        told["databases"],
        serde_json::json!(["vector_db/chroma.sqlite3", "webui.db"])
    );
    assert_eq!(
        told["left_out"],
        serde_json::json!(["audit.log", "cache"]),
        "{backup}"
    );
    for command in [&["verify"][..], &["verify", "--full"]] {
        world.copal(&[command, from].concat()).succeeds();
    }
    world
        .copal(&[&["restore", "latest", "--to", "restored"], from].concat())
        .succeeds();
    let report = Restored::check(&world.path("restored"), &acknowledged).unwrap();
    assert!(report.is_whole(), "{:#?}", report.shortfalls());
    assert_eq!(
        report.chats.expected + report.uploads.expected + report.passages.expected,
        acknowledged.len()
    );
    leaves_no_staging(world);
    assert!(
        fs::metadata(world.path("data/webui.db-wal")).is_ok(),
        "the live log stays"
    );
}

#[test]
fn a_directory_that_travels_as_an_archive_comes_back_as_a_directory() {
    let world = world();
    let app = OpenWebUi::create(&world.path("data"), &Size::SMALL).unwrap();
    let archive = "\n[[hook]]\nuse = \"archive\"\ngrants.archive = [\"vector_db\"]\nconfig.paths = [\"vector_db\"]\n";
    world.write("copal.toml", format!("{CONFIG}{archive}"));
    world.copal(&["backup"]).succeeds();
    let listing = world.copal(&["ls", "latest"]);
    let archived = listing.stdout().contains("vector_db.tar");
    assert!(archived, "{listing}");
    world
        .copal(&["restore", "latest", "--to", "restored"])
        .succeeds();
    let report = Restored::check(&world.path("restored"), &[]).unwrap();
    assert!(report.is_whole(), "{:#?}", report.shortfalls());
    let segments = |top: &std::path::Path| {
        let mut files = crate::common::files_below(&top.join("vector_db"));
        files.retain(|path| !path.starts_with("chroma.sqlite3"));
        files
    };
    assert_eq!(segments(&world.path("restored")), segments(app.directory()));
}
