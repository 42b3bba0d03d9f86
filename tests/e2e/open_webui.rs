//! The built-in hook that knows Open WebUI by heart.

use std::fs;
use std::path::Path;
use std::time::Instant;

use copal_testkit::{OpenWebUi, Restored, Size, World, Writer};
use rusqlite::Connection;
use serde_json::Value;

use crate::common::{PATIENCE, leaves_no_staging, sealed_id, world};

const CONFIG: &str = r#"
name = "open-webui"
source.path = "data"

[[destination]]
remote = "vault:backups"

[[hook]]
use = "exclude"

[[hook]]
use = "open-webui"
grants = { sqlite = ["*"], query = ["webui.db"], archive = ["vector_db"] }
"#;

fn with(lines: &str) -> String {
    format!("{CONFIG}{lines}\n")
}

fn facts(world: &World, id: &str) -> Value {
    let snapshot = world.vault().join("backups/open-webui").join(id);
    let manifest = fs::read(snapshot.join(".copal/manifest.json")).unwrap();
    serde_json::from_slice::<Value>(&manifest).unwrap()["facts"].clone()
}

fn execute(database: &Path, sql: &str) {
    let connection = Connection::open(database).unwrap();
    connection.busy_timeout(PATIENCE).unwrap();
    connection.execute_batch(sql).unwrap();
}

#[test]
fn a_live_open_webui_comes_back_with_all_that_it_acknowledged_in_either_form() {
    for lines in ["", "config.vectors = \"archive\""] {
        let world = world();
        world.write("copal.toml", with(lines));
        let app = OpenWebUi::create(&world.path("data"), &Size::SMALL).unwrap();
        let writer = Writer::start(&app).unwrap();
        writer.wait_for(40, PATIENCE).unwrap();
        let acknowledged = writer.acknowledged_before(Instant::now());
        let backup = world.copal(&["backup", "--json"]);
        backup.succeeds();
        let stopped = writer.stop();
        assert_eq!(stopped.failures, [""; 0], "the app did not notice it");

        let database = Connection::open(app.webui_db()).unwrap();
        let sql = "SELECT version_num FROM alembic_version";
        let revision: String = database.query_row(sql, [], |row| row.get(0)).unwrap();
        let expected = serde_json::json!({ "open-webui": { "alembic-revision": revision } });
        assert_eq!(facts(&world, &sealed_id(&backup)), expected);
        let archived = world.copal(&["ls", "latest"]);
        let archived = archived.stdout().contains("vector_db.tar.gz");
        assert_eq!(archived, !lines.is_empty());

        let restore = ["restore", "latest", "--to", "restored"];
        world.copal(&restore).succeeds();
        let report = Restored::check(&world.path("restored"), &acknowledged).unwrap();
        assert!(report.is_whole(), "{:#?}", report.shortfalls());
        leaves_no_staging(&world);
        let beside = world.path("data/vector_db/chroma.sqlite3-journal");
        assert!(!beside.exists(), "nothing is left beside the live database");
    }
}

#[test]
fn what_is_not_in_the_data_directory_is_warned_of() {
    let world = world();
    world.write("copal.toml", CONFIG);
    let app = OpenWebUi::create(&world.path("data"), &Size::SMALL).unwrap();
    let first = world.copal(&["backup"]);
    first.succeeds().says(".webui_secret_key");
    first.never_says("object storage").never_says("cache/`");
    execute(
        &app.webui_db(),
        "UPDATE file SET path = 's3://bucket/' || id WHERE rowid IN (SELECT rowid FROM file LIMIT 2);
         UPDATE chat SET chat = json_set(chat, '$.title', '/cache/image/generations/a.png')
         WHERE rowid = (SELECT min(rowid) FROM chat);",
    );
    world.write("copal.toml", with("config.secret_key = \"kept\""));
    let second = world.copal(&["backup"]);
    second.succeeds().never_says(".webui_secret_key");
    second.says("2 uploads lie in object storage");
    second.says("1 chats show generated images");

    fs::remove_dir_all(world.path("data/vector_db")).unwrap();
    let third = world.copal(&["backup", "--accept-missing"]);
    third.succeeds().says("VECTOR_DB");
}

/// The app keeps a whole chat as one text, with the images in it.
#[test]
fn chats_of_many_megabytes_are_looked_at_as_all_others() {
    let world = world();
    world.write("copal.toml", CONFIG);
    let app = OpenWebUi::create(&world.path("data"), &Size::SMALL).unwrap();
    let grow = |row: u32, bytes: u32, title: &str| {
        let image = format!("hex(zeroblob({}))", bytes / 2);
        let sql = format!(
            "UPDATE chat SET chat = json_set(chat, '$.image', {image}, '$.title', '{title}')
             WHERE rowid = (SELECT rowid FROM chat ORDER BY rowid LIMIT 1 OFFSET {row});"
        );
        execute(&app.webui_db(), &sql);
    };
    grow(0, 3_000_000, "/cache/image/generations/a.png");
    grow(1, 40_000_000, "/cache/image/generations/b.png");
    let backup = world.copal(&["backup"]);
    backup.succeeds().says("2 chats show generated images");
    world.copal(&["verify", "--full"]).succeeds();
}

#[test]
fn a_directory_without_its_database_is_no_backup_of_the_app() {
    let world = world();
    world.write("copal.toml", CONFIG);
    fs::create_dir_all(world.path("data/uploads")).unwrap();
    fs::write(world.path("data/uploads/a"), "a").unwrap();
    world.copal(&["backup"]).exits_with(1).says("DATABASE_URL");
}

#[test]
fn a_dry_run_says_what_the_hook_would_copy_and_copies_nothing() {
    let world = world();
    world.write("copal.toml", CONFIG);
    OpenWebUi::create(&world.path("data"), &Size::SMALL).unwrap();
    let dry = world.copal(&["backup", "--dry-run"]);
    let told = dry.succeeds().stdout();
    assert!(
        told.contains("sqlite.backup-with name=vector_db/chroma.sqlite3"),
        "{told}"
    );
    assert!(told.contains("key=alembic-revision"), "{told}");
    assert!(!world.vault().join("backups").exists());
}
