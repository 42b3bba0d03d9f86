//! The folders of Open WebUI's own backup tutorial, made while the app is written to.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use copal_testkit::{OpenWebUi, Restored, Size, World, Writer};

use crate::common::{PATIENCE, leaves_no_staging, world};

const CONFIG: &str = r#"
name = "open-webui"
source.path = "data"

[[destination]]
remote = "vault:bucket"
layout = "mirror"
map = { "uploads" = "user_uploads", "vector_db" = "ChromaDB", "webui.db" = "main_database" }

[rclone]
transfers = 32
checkers = 16
"#;

const HOOKS: &str = r#"
[[hook]]
use = "exclude"

[[hook]]
use = "open-webui"
grants = { sqlite = ["*"], query = ["webui.db"], archive = ["vector_db"] }
"#;

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(copied.unwrap().success());
}

/// The data directory by nothing but copies out of the three folders.
fn put_together(world: &World) -> std::path::PathBuf {
    let there = world.vault().join("bucket");
    let data = world.path("by-hand");
    if data.exists() {
        fs::remove_dir_all(&data).unwrap();
    }
    fs::create_dir(&data).unwrap();
    copy(&there.join("user_uploads"), &data.join("uploads"));
    copy(&there.join("ChromaDB"), &data.join("vector_db"));
    copy(&there.join("main_database/webui.db"), &data);
    data
}

#[test]
fn the_tutorials_folders_follow_a_live_open_webui_and_are_whole_at_each_run() {
    for hooks in [HOOKS, ""] {
        let world = world();
        world.write("copal.toml", format!("{CONFIG}{hooks}"));
        let app = OpenWebUi::create(&world.path("data"), &Size::SMALL).unwrap();
        let writer = Writer::start(&app).unwrap();
        for chats in [40, 80] {
            writer.wait_for(chats, PATIENCE).unwrap();
            // The built-in hook alone knows that Chroma's files belong together.
            let acknowledged = writer.acknowledged_before(Instant::now());
            world.copal(&["backup"]).succeeds();
            if hooks.is_empty() {
                continue;
            }
            let report = Restored::check(&put_together(&world), &acknowledged).unwrap();
            assert!(report.is_whole(), "{:#?}", report.shortfalls());
            world.copal(&["verify", "--full"]).succeeds();
        }
        let stopped = writer.stop();
        assert_eq!(stopped.failures, [""; 0], "the app did not notice it");
        let there = world.vault().join("bucket");
        let names = |dir: &Path| {
            let entries = fs::read_dir(dir).unwrap();
            let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<_> = names.collect();
            names.sort();
            names
        };
        assert_eq!(
            names(&there),
            [".copal", "ChromaDB", "main_database", "user_uploads"]
        );
        assert_eq!(names(&there.join("main_database")), ["webui.db"]);

        // One upload less in the app is one less there.
        let upload = names(&app.uploads()).remove(0);
        fs::remove_file(app.uploads().join(&upload)).unwrap();
        world.copal(&["backup"]).succeeds();
        assert_eq!(names(&there.join("user_uploads")), names(&app.uploads()));
        leaves_no_staging(&world);
    }
}
