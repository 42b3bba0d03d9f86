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
    let told = first
        .succeeds()
        .says("warning: hook `open-webui`: the secret key");
    assert_eq!(told.stderr().matches(".webui_secret_key").count(), 1);
    let record = world.copal(&["history", "show", "latest", "--json"]).json();
    let mut hooks = record["hooks"].as_array().unwrap().iter();
    let own = hooks.find(|it| it["hook"] == "open-webui" && it["phase"] == "pre-backup");
    let warnings = own.unwrap()["warnings"].as_array().unwrap();
    assert!(warnings[0].as_str().unwrap().contains("secret key"));
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
    let dry = world.copal(&["backup", "--dry-run", "-v"]);
    dry.says("would copy webui.db")
        .never_says("copied webui.db");
    let told = dry.succeeds().stdout();
    assert!(
        told.contains("sqlite.backup-with name=vector_db/chroma.sqlite3"),
        "{told}"
    );
    assert!(told.contains("key=alembic-revision"), "{told}");
    assert!(!world.vault().join("backups").exists());
}

/// With grants for all that the hook can do.
fn able(lines: &str) -> String {
    let grants = "grants = { sqlite = [\"*\"], query = [\"webui.db\"], archive = [\"vector_db\"] }";
    let all = "grants.sqlite = [\"*\"]\ngrants.archive = [\"vector_db\"]\n\
               grants.query = [\"webui.db\", \"vector_db/chroma.sqlite3\"]\n\
               grants.update = [\"webui.db\"]\ngrants.files = [\"source\"]";
    with(lines).replace(grants, all)
}

/// In how many rows an upload is recorded in this directory, and has its file in the data directory.
fn recorded_in(data: &Path, directory: &str) -> usize {
    let database = Connection::open(data.join("webui.db")).unwrap();
    let mut paths = database.prepare("SELECT path FROM file").unwrap();
    let paths = paths.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let paths = paths.map(Result::unwrap);
    let names = paths.filter_map(|path| {
        let (above, name) = path.rsplit_once('/')?;
        (above == directory).then(|| name.to_owned())
    });
    names
        .filter(|name| data.join("uploads").join(name).is_file())
        .count()
}

#[test]
fn uploads_are_found_where_the_owner_says_that_the_app_has_its_data_now() {
    let world = world();
    world.write("copal.toml", CONFIG);
    let app = OpenWebUi::create(&world.path("data"), &Size::SMALL).unwrap();
    let uploads = Size::SMALL.uploads;
    let before = app.uploads().display().to_string();
    // Of these no word of the owner's speaks: they lay elsewhere before as well.
    execute(
        &app.webui_db(),
        "UPDATE file SET path = '/stale/uploads/' || id WHERE rowid = (SELECT min(rowid) FROM file)",
    );
    world.copal(&["backup"]).succeeds();

    let elsewhere = |lines: &str| able(lines).replace("\"data\"", "\"new home\"");
    let restore = ["restore", "latest", "--in-place", "-v"];
    // Without that word nothing is changed: in a container the place is the same for the app.
    world.write("copal.toml", elsewhere(""));
    world
        .copal(&restore)
        .succeeds()
        .says(&before)
        .says("data_dir");
    let home = world.path("new home");
    assert_eq!(recorded_in(&home, &before), uploads - 1);

    world.write(
        "copal.toml",
        elsewhere("config.data_dir = \"/srv/it's new/\""),
    );
    let restored = world.copal(&restore);
    restored
        .succeeds()
        .says("11 uploads are now recorded below `/srv/it's new`")
        .says("/stale/uploads/");
    assert_eq!(recorded_in(&home, "/srv/it's new/uploads"), uploads - 1);
    assert!(!home.join("webui.db-wal").exists() && !home.join("webui.db-shm").exists());

    let here = before.strip_suffix("/uploads").unwrap();
    world.write(
        "copal.toml",
        elsewhere(&format!("config.data_dir = \"{here}\"")),
    );
    world.copal(&restore).succeeds().says("already");
    assert_eq!(recorded_in(&home, &before), uploads - 1);
}

#[test]
fn paths_are_left_as_they_are_where_the_right_or_the_place_is_not_clear() {
    let world = world();
    world.write("copal.toml", CONFIG);
    let app = OpenWebUi::create(&world.path("data"), &Size::SMALL).unwrap();
    let before = app.uploads().display().to_string();
    world.copal(&["backup"]).succeeds();
    let restore = ["restore", "latest", "--in-place"];
    for (config, told) in [
        (
            with("config.data_dir = \"/srv\""),
            "update = [\"webui.db\"]",
        ),
        (able("config.data_dir = \"srv\""), "no absolute path"),
        (able("config.data_dir = \"/srv/../x\""), "no absolute path"),
    ] {
        world.write("copal.toml", config);
        world.copal(&restore).exits_with(3).says(told);
        assert_eq!(
            recorded_in(&world.path("data"), &before),
            Size::SMALL.uploads
        );
    }
}

#[test]
fn a_lost_data_directory_comes_back_with_all_that_was_above_it_and_goes_again() {
    let world = world();
    let there = format!("config.data_dir = {:?}", world.path("srv/app/data"));
    let config = able(&there).replace("\"data\"", "\"srv/app/data\"");
    world.write("copal.toml", &config);
    let data = world.path("srv/app/data");
    fs::create_dir_all(&data).unwrap();
    OpenWebUi::create(&data, &Size::SMALL).unwrap();
    world.copal(&["backup"]).succeeds();

    let restore = ["restore", "latest", "--in-place"];
    fs::remove_file(data.join("webui.db")).unwrap();
    let restored = world.copal(&restore);
    restored.succeeds().never_says("of which version");
    fs::remove_dir_all(&data).unwrap();
    world.copal(&["restore", "--undo"]).succeeds();
    assert!(data.is_dir() && !data.join("webui.db").exists());
    fs::write(data.join("webui.db"), "no database").unwrap();
    let restored = world.copal(&restore);
    restored.succeeds().says("of which version");
    restored.never_says("Failed(").never_says("Error::");

    fs::remove_dir_all(world.path("srv")).unwrap();
    let restored = world.copal(&restore);
    restored.succeeds().never_says("of which version");
    assert!(data.join("webui.db").is_file());
}

#[test]
fn directories_above_a_lost_source_go_again_where_it_can_not_be_restored() {
    let world = world();
    let config = able("").replace("\"data\"", "\"srv/app/data\"");
    world.write("copal.toml", &config);
    let data = world.path("srv/app/data");
    fs::create_dir_all(&data).unwrap();
    OpenWebUi::create(&data, &Size::SMALL).unwrap();
    let backup = world.copal(&["backup", "--json"]);
    let snapshot = world
        .vault()
        .join("backups/open-webui")
        .join(sealed_id(&backup));
    fs::write(snapshot.join("webui.db"), "no database").unwrap();
    fs::remove_dir_all(world.path("srv")).unwrap();
    world
        .copal(&["restore", "latest", "--in-place"])
        .exits_with(1);
    assert!(!world.path("srv").exists());
}

#[test]
fn a_drill_looks_for_each_upload_and_reads_chats_and_vectors() {
    let world = world();
    world.write("copal.toml", able(""));
    let app = OpenWebUi::create(&world.path("data"), &Size::SMALL).unwrap();
    // Longer than an answer to a hook may be.
    execute(
        &app.webui_db(),
        "UPDATE chat SET chat = json_set(chat, '$.image', hex(zeroblob(1500000)))
         WHERE rowid = (SELECT min(rowid) FROM chat)",
    );
    world.copal(&["backup"]).succeeds();
    let drilled = world.copal(&["drill", "-v"]);
    drilled
        .succeeds()
        .says("each of 12 uploads has its file")
        .says("45 chats were read")
        .says("2 collections have 40 vectors together");

    execute(
        &app.webui_db(),
        "UPDATE chat SET chat = 'torn' WHERE rowid = (SELECT max(rowid) FROM chat)",
    );
    let lost = fs::read_dir(app.uploads())
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    fs::remove_file(lost.path()).unwrap();
    execute(&app.chroma_db(), "DROP TABLE embeddings");
    world.copal(&["backup"]).succeeds();
    let drilled = world.copal(&["drill"]);
    drilled
        .exits_with(1)
        .says("1 of 12 uploads have a row and no file")
        .says(lost.file_name().to_str().unwrap())
        .says("1 of 45 chats are not the JSON")
        .says("the collections can't be counted");

    // What it may not see it does not find fault with.
    world.write("copal.toml", CONFIG);
    let drilled = world.copal(&["drill", "-v"]);
    drilled
        .exits_with(1)
        .says("1 of 45 chats")
        .says("files = [\"source\"]")
        .never_says("have a row and no file")
        .never_says("can't be counted");
}
