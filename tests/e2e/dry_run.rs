//! A backup that only tells what it would do.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use copal_testkit::{HttpServer, World};
use insta::assert_snapshot;

use crate::common::files_below;
use crate::specimen::{configure, hook, tell_commands, world_with_specimen};

/// Every file below a directory with its content and time.
fn picture(directory: &Path) -> BTreeMap<String, (Vec<u8>, std::time::SystemTime)> {
    let look = |name: String| {
        let path = directory.join(&name);
        let modified = fs::symlink_metadata(&path).unwrap().modified().unwrap();
        (name, (fs::read(path).unwrap_or_default(), modified))
    };
    files_below(directory).into_iter().map(look).collect()
}

fn busy_world(server: &HttpServer) -> World {
    let world = world_with_specimen();
    let database = rusqlite::Connection::open(world.path("source/app.db")).unwrap();
    database.execute_batch("CREATE TABLE t (x)").unwrap();
    let tells = tell_commands(&world, &["own"]);
    let counts = hook(
        "counts",
        "config = { act = { count = \"runs\" } }\ngrants.state = true",
    );
    let posts = hook(
        "posts",
        &format!(
            "config = {{ act = {{ post = \"{0}/done\" }}, tell = \"tell-own\", within = \"post-backup\" }}\ngrants = {{ command = [\"tell-own\"], http = [\"POST {0}\"] }}",
            server.origin()
        ),
    );
    let filters = "[[hook]]\nuse = \"exclude\"\nconfig.paths = [\"empty\"]\n\n[[hook]]\nuse = \"sqlite-backup\"\ngrants.sqlite = [\"*\"]\n\n";
    let counts_staged = counts.replace("} }\n", "}, within = \"staged\" }\n");
    configure(&world, &format!("{tells}{filters}{counts_staged}{posts}"));
    world
}

#[test]
fn a_dry_run_tells_each_deed_in_order_and_does_none() {
    let server = HttpServer::start();
    let world = busy_world(&server);
    world.copal(&["backup"]).succeeds();
    let asked = server.requests().len();
    assert_eq!(asked, 1, "the real run posted");
    let places = ["vault", "home/.local/state", "source", "tmp", "told"];
    let before: Vec<_> = places.map(|place| picture(&world.path(place))).into();

    let output = world.copal(&["backup", "--dry-run"]);
    let text = output.succeeds().redacted_stdout();
    let text = text.replace(&server.port().to_string(), "[port]");
    insta::with_settings!({ filters => [(r"[0-9.]+ KiB", "[size]")] }, {
        assert_snapshot!(text);
    });

    let after: Vec<_> = places.map(|place| picture(&world.path(place))).into();
    assert_eq!(before, after, "nothing has changed");
    assert_eq!(server.requests().len(), asked, "nothing was posted");
}

#[test]
fn a_dry_run_as_json_has_hooks_deeds_and_what_would_travel() {
    let server = HttpServer::start();
    let world = busy_world(&server);
    let json = world
        .copal(&["backup", "--dry-run", "--json"])
        .succeeds()
        .json();
    assert_eq!(json["dry_run"], true);
    assert_eq!(json["outcome"], "succeeded");
    assert_eq!(json["destinations"][0]["reached"], true);
    assert!(json["files"].as_u64().unwrap() >= 4);
    let hooks = json["hooks"].as_array().unwrap();
    let posts = hooks
        .iter()
        .find(|one| one["hook"] == "posts" && one["phase"] == "post-backup");
    assert_eq!(posts.unwrap()["deeds"][1]["deed"], "http.send", "{json:#}");
    assert!(server.requests().is_empty());
    assert_eq!(files_below(&world.vault()), [""; 0]);
    // Not even a lock, a history or a store.
    assert_eq!(files_below(&world.path("home/.local/state")), [""; 0]);
}

#[test]
fn a_dry_run_fails_where_the_run_would() {
    let world = world_with_specimen();
    let bold = hook(
        "bold",
        "config = { act = { count = \"runs\" }, within = \"pre-backup\" }",
    );
    configure(&world, &bold);
    let output = world.copal(&["backup", "--dry-run"]);
    output.exits_with(2).says("grants = { state = true }");
    configure(
        &world,
        &hook("sick", "config = { act = \"panic\", within = \"staged\" }"),
    );
    let output = world.copal(&["backup", "--dry-run"]);
    output.exits_with(1).says("the specimen panics");
    configure(&world, "");
    fs::remove_dir_all(world.vault()).unwrap();
    world.write("vault", "a file");
    world.copal(&["backup", "--dry-run"]).exits_with(1);
    assert_eq!(files_below(&world.path("home/.local/state")), [""; 0]);
}
