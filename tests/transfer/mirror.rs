//! A mirror follows its source on every kind of remote: what is new or changed is sent, what is gone is
//! deleted within bounds, and what is not its own stays.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use copal_b2_server::Pace;
use copal_testkit::{Output, Running, World, stock_rclone, wait_until};
use rusqlite::Connection;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::cloud::{BUCKET, Cloud, SMALL_PARTS};
use crate::place::{Kind, Place};

const PATIENCE: Duration = Duration::from_mins(2);

const MAP: &str = r#"map = { "uploads" = "user_uploads", "vector_db" = "ChromaDB", "webui.db" = "main_database" }"#;

/// A mirror at `to` with these lines of its own.
fn configure(world: &World, to: &str, lines: &str) {
    let text = format!(
        "name = 'open-webui'\nsource.path = 'source'\n\n[rclone]\ntransfers = 32\ncheckers = 16\n\n\
         [[destination]]\nremote = '{to}'\nlayout = 'mirror'\n{lines}\n"
    );
    world.write("copal.toml", text);
}

fn add_chat(database: &Path, chat: &str) {
    let connection = Connection::open(database).unwrap();
    let sql = "CREATE TABLE IF NOT EXISTS chat (text TEXT)";
    connection.execute(sql, []).unwrap();
    let sql = "INSERT INTO chat VALUES (?1)";
    connection.execute(sql, [chat]).unwrap();
}

fn fill(world: &World) {
    for n in 0..8 {
        world.write(format!("source/uploads/{n}.txt"), format!("upload {n}"));
    }
    world.write("source/uploads/deep/er.txt", "an upload in a directory");
    world.write("source/uploads/empty", "");
    world.write("source/vector_db/1/index.bin", vec![7; 200_000]);
    add_chat(&world.source().join("vector_db/chroma.sqlite3"), "vector");
    add_chat(&world.source().join("webui.db"), "first");
    world.write("source/cache/model", "large");
    world.write("source/audit.log", "logged");
    world.write("source/notes.txt", "in no map");
}

/// The one destination, of a backup that succeeds.
#[track_caller]
fn mirrored(place: &Place) -> Value {
    let told = place.copal(&["backup", "--json"]).succeeds().json();
    told["destinations"][0].clone()
}

/// All that lies at the destination, as rclone brings it back.
fn fetched(place: &Place, to: &str) -> std::path::PathBuf {
    let target = place.world.path(to);
    if target.exists() {
        fs::remove_dir_all(&target).unwrap();
    }
    let request = json!({ "srcFs": place.to, "dstFs": target });
    let copy = ["rclone", "sync/copy", &request.to_string()];
    place.copal(&copy).succeeds();
    target
}

#[track_caller]
fn is_same(one: &Path, other: &Path) {
    let status = Command::new("diff").arg("-r").args([one, other]).output();
    let output = status.unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}");
}

/// What a result has to say.
trait Tells {
    fn tells(&self, text: &str) -> &Self;
}

impl Tells for Output {
    #[track_caller]
    fn tells(&self, text: &str) -> &Self {
        assert!(self.stdout().contains(text), "{text}\n{self}");
        self
    }
}

fn chats(database: &Path) -> Vec<String> {
    let connection = Connection::open(database).unwrap();
    let mut rows = connection.prepare("SELECT text FROM chat").unwrap();
    let rows = rows.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[track_caller]
fn has_all(place: &Place, expected: &[&str]) {
    let there = fetched(place, "fetched");
    let source = place.world.source();
    is_same(&source.join("uploads"), &there.join("user_uploads"));
    let index = "1/index.bin";
    let vectors = [source.join("vector_db"), there.join("ChromaDB")];
    let [here, copied] = vectors.map(|dir| fs::read(dir.join(index)).unwrap());
    assert!(here == copied);
    assert_eq!(chats(&there.join("main_database/webui.db")), expected);
    assert!(!there.join("cache").exists() && !there.join("notes.txt").exists());
    place
        .copal(&["verify", "--full", "--from", place.to])
        .succeeds();
}

#[track_caller]
fn keeps_in_step(kind: Kind, encrypted: bool) {
    let Some(place) = Place::new(kind, encrypted) else {
        return;
    };
    let source = place.world.source();
    fill(&place.world);
    configure(&place.world, place.to, MAP);
    let told = mirrored(&place);
    assert_eq!(told["files"], 13, "{told:#}");
    assert_eq!(told["uploaded_files"], 13, "{told:#}");
    assert_eq!(told["mirror"]["unmapped_files"], 1, "{told:#}");
    has_all(&place, &["first"]);

    let told = mirrored(&place);
    assert_eq!(told["copied_files"], 13, "{told:#}");
    assert_eq!(told["uploaded_files"], 0, "{told:#}");

    let uploads = source.join("uploads");
    let path = uploads.join("1.txt");
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, "UPLOAD 1").unwrap();
    fs::File::open(&path).unwrap().set_modified(time).unwrap();
    fs::write(uploads.join("2.txt"), "longer than it was").unwrap();
    fs::write(uploads.join("new.txt"), "new").unwrap();
    fs::remove_file(uploads.join("3.txt")).unwrap();
    fs::rename(uploads.join("deep"), uploads.join("moved")).unwrap();
    add_chat(&source.join("webui.db"), "second");
    let told = mirrored(&place);
    assert_eq!(told["uploaded_files"], 5, "{told:#}");
    assert_eq!(told["mirror"]["deleted_files"], 2, "{told:#}");
    has_all(&place, &["first", "second"]);

    let listed = place.copal(&["snapshots"]);
    listed.succeeds().says("is a mirror");
    place
        .copal(&["restore", "latest", "--to", "restored"])
        .succeeds();
    is_same(&uploads, &place.world.path("restored/uploads"));
    let restored = place.world.path("restored/webui.db");
    assert_eq!(chats(&restored), ["first", "second"]);
    assert_eq!(place.unfinished(), [""; 0]);
    place.keeps_its_secrets();
}

#[test]
fn a_mirror_in_a_folder_keeps_in_step() {
    keeps_in_step(Kind::Folder, false);
}

#[test]
fn an_encrypted_mirror_in_a_folder_keeps_in_step() {
    keeps_in_step(Kind::Folder, true);
}

#[test]
fn a_mirror_on_b2_keeps_in_step() {
    keeps_in_step(Kind::B2, false);
}

#[test]
fn an_encrypted_mirror_on_b2_keeps_in_step() {
    keeps_in_step(Kind::B2, true);
}

#[test]
fn a_mirror_on_s3_keeps_in_step() {
    keeps_in_step(Kind::S3, false);
}

#[track_caller]
fn changes_kinds(kind: Kind, encrypted: bool) {
    let Some(place) = Place::new(kind, encrypted) else {
        return;
    };
    fill(&place.world);
    configure(&place.world, place.to, MAP);
    mirrored(&place);
    let uploads = place.world.source().join("uploads");
    fs::remove_file(uploads.join("0.txt")).unwrap();
    fs::remove_dir_all(uploads.join("deep")).unwrap();
    place
        .world
        .write("source/uploads/0.txt/in/it", "a directory by now");
    place.world.write("source/uploads/deep", "a file by now");
    let told = mirrored(&place);
    assert_eq!(told["mirror"]["deleted_files"], 2, "{told:#}");
    has_all(&place, &["first"]);

    // Emptied first, so that its directory alone may be left.
    fs::remove_dir_all(uploads.join("0.txt")).unwrap();
    mirrored(&place);
    place.world.write("source/uploads/0.txt", "a file again");
    mirrored(&place);
    has_all(&place, &["first"]);
}

#[test]
fn a_mirror_in_a_folder_follows_files_that_become_directories_and_back() {
    changes_kinds(Kind::Folder, false);
}

#[test]
fn an_encrypted_mirror_in_a_folder_follows_files_that_become_directories_and_back() {
    changes_kinds(Kind::Folder, true);
}

#[test]
fn a_mirror_on_b2_follows_files_that_become_directories_and_back() {
    changes_kinds(Kind::B2, false);
}

/// A mirror in the folder `vault/m` after its first run.
fn in_a_folder(lines: &str) -> World {
    let world = World::new(env!("CARGO_BIN_EXE_copal"));
    fill(&world);
    configure(&world, "vault:m", lines);
    back_up(&world).succeeds();
    world
}

fn back_up(world: &World) -> Output {
    world.copal(&["backup"])
}

fn remove_uploads(world: &World, numbers: std::ops::Range<u32>) {
    for n in numbers {
        fs::remove_file(world.source().join(format!("uploads/{n}.txt"))).unwrap();
    }
}

#[test]
fn an_installed_rclone_finds_no_difference_to_the_source() {
    if !stock_rclone() {
        return;
    }
    let world = in_a_folder(MAP);
    for (source, folder) in [("uploads", "user_uploads"), ("vector_db/1", "ChromaDB/1")] {
        let check = Command::new("rclone")
            .arg("check")
            .args([
                world.source().join(source),
                world.vault().join("m").join(folder),
            ])
            .env("RCLONE_CONFIG", world.rclone_conf())
            .output();
        let output = check.unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{told}");
    }
}

#[test]
fn more_deletions_than_allowed_delete_nothing_and_everything_else_arrives() {
    let world = in_a_folder(&format!("{MAP}\nmax_delete = 2"));
    remove_uploads(&world, 0..3);
    world.write("source/uploads/new.txt", "new");
    let run = back_up(&world);
    run.exits_with(3)
        .says("nothing was deleted from the mirror");
    run.says("a run deletes at most 2").says("max_delete");
    let there = world.vault().join("m/user_uploads");
    assert!(there.join("0.txt").exists() && there.join("new.txt").exists());
    // A number holds whatever else is accepted.
    let accepted = world.copal(&["backup", "--accept-missing"]);
    accepted
        .exits_with(3)
        .tells("still there and not in the source: 3 files");
    world.copal(&["verify"]).succeeds();
    configure(&world, "vault:m", &format!("{MAP}\nmax_delete = 3"));
    back_up(&world).succeeds().tells("deleted there: 3 files");
    assert!(!there.join("0.txt").exists() && there.join("3.txt").exists());
}

#[test]
fn more_than_half_is_deleted_only_if_it_is_accepted_once() {
    let world = in_a_folder(MAP);
    remove_uploads(&world, 0..8);
    let there = world.vault().join("m/user_uploads");
    back_up(&world).exits_with(3).says("--accept-missing");
    // What is sent meanwhile makes a share no larger.
    for n in 0..100 {
        world.write(format!("source/uploads/new{n}.txt"), "new");
    }
    back_up(&world).exits_with(3);
    let again = back_up(&world);
    again
        .exits_with(3)
        .says("12 files were there when this was refused for the first time");
    assert!(there.join("7.txt").exists());
    let accepted = world.copal(&["backup", "--accept-missing"]);
    accepted.succeeds().tells("deleted there: 8 files");
    assert!(!there.join("7.txt").exists() && there.join("empty").exists());
}

#[test]
fn a_part_of_the_source_without_a_file_is_refused_before_anything_is_sent() {
    let world = in_a_folder(&format!("{MAP}\nmax_delete = 1000"));
    let uploads = world.source().join("uploads");
    fs::remove_dir_all(&uploads).unwrap();
    add_chat(&world.source().join("webui.db"), "second");
    let missing = back_up(&world);
    missing.exits_with(1).says("nothing to mirror at `uploads`");
    fs::create_dir(&uploads).unwrap();
    let emptied = back_up(&world);
    emptied
        .exits_with(1)
        .says("no file left for the folder `user_uploads`, which would lose 10");
    let there = world.vault().join("m");
    assert!(there.join("user_uploads/0.txt").exists());
    assert_eq!(chats(&there.join("main_database/webui.db")), ["first"]);
    let accepted = world.copal(&["backup", "--accept-missing"]);
    accepted.succeeds().tells("deleted there: 10 files");
}

#[test]
fn what_filters_leave_out_and_what_is_nobodys_stays_there() {
    let world = World::new(env!("CARGO_BIN_EXE_copal"));
    fill(&world);
    configure(&world, "vault:m", "max_delete = 1");
    world.write("vault/m/cache/old", "excluded and gone from the source");
    world.write("vault/m/audit.log", "excluded");
    world.write("vault/m/stranger.txt", "not the source's");
    back_up(&world).succeeds().tells("deleted there: 1 file");
    let there = world.vault().join("m");
    assert!(there.join("cache/old").exists() && there.join("audit.log").exists());
    assert!(!there.join("stranger.txt").exists() && there.join("notes.txt").exists());

    configure(&world, "vault:mapped", &format!("{MAP}\nmax_delete = 1"));
    let kept = ["main_database/other.db", "elsewhere/x", "user_uploads2"];
    for name in kept {
        world.write(format!("vault/mapped/{name}"), "kept");
    }
    world.write("vault/mapped/user_uploads/stranger", "goes");
    back_up(&world).succeeds().tells("deleted there: 1 file");
    let there = world.vault().join("mapped");
    assert!(kept.iter().all(|name| there.join(name).exists()));
    assert!(!there.join("user_uploads/stranger").exists());
}

#[test]
fn foreign_files_whose_names_rclone_spells_otherwise_stay_and_nothing_else_is_told_of_them() {
    use std::os::unix::ffi::OsStrExt;
    let world = in_a_folder(MAP);
    let there = world.vault().join("m/user_uploads");
    let names: [&[u8]; 3] = [b"\xff", "a\u{201b}2".as_bytes(), b"line\nbreak"];
    let foreign = names.map(|name| there.join(std::ffi::OsStr::from_bytes(name)));
    for path in &foreign {
        fs::write(path, "foreign").unwrap();
    }
    fs::write(there.join("plain"), "foreign").unwrap();
    let told = back_up(&world);
    told.succeeds().tells("deleted there: 1 file");
    let again = back_up(&world);
    assert!(
        !again.succeeds().stdout().contains("deleted there"),
        "{again}"
    );
    assert!(foreign.iter().all(|path| path.exists()));
}

#[test]
fn snapshots_inside_a_mirrors_folders_are_not_deleted() {
    let world = World::new(env!("CARGO_BIN_EXE_copal"));
    fill(&world);
    let to = [
        "backup", "--source", "source", "--to", "vault:m", "--name", "inside",
    ];
    world.copal(&to).succeeds();
    configure(&world, "vault:m", "max_delete = 1000");
    let run = back_up(&world);
    run.exits_with(3)
        .says("is a snapshot or a mirror of its own");
    world
        .copal(&["verify", "--from", "vault:m", "--name", "inside"])
        .succeeds();
}

#[test]
fn another_jobs_mirror_is_left_alone() {
    let world = in_a_folder(MAP);
    let text = fs::read_to_string(world.path("copal.toml")).unwrap();
    world.write("copal.toml", text.replace("'open-webui'", "'other'"));
    let run = back_up(&world);
    run.exits_with(2)
        .says("is the mirror of the job `open-webui`");
}

#[test]
fn a_mirror_and_snapshots_are_made_in_one_run() {
    let world = in_a_folder(MAP);
    let text = fs::read_to_string(world.path("copal.toml")).unwrap();
    let both = format!("{text}\n[[destination]]\nremote = 'vault:snapshots'\n");
    world.write("copal.toml", both);
    add_chat(&world.source().join("webui.db"), "second");
    let run = back_up(&world);
    run.succeeds()
        .tells("mirrored open-webui to vault:m")
        .tells("sealed open-webui/");
    world
        .copal(&["history", "show", "latest"])
        .succeeds()
        .tells("mirror ");
    world.copal(&["verify", "--full"]).succeeds();
    world
        .copal(&["verify", "--full", "--from", "vault:snapshots"])
        .succeeds();
    let there = world.vault().join("m/main_database/webui.db");
    assert_eq!(chats(&there), ["first", "second"]);
}

#[test]
fn a_snapshot_that_lies_at_the_place_of_a_mirror_is_read_by_its_name() {
    let world = in_a_folder(MAP);
    let text = fs::read_to_string(world.path("copal.toml")).unwrap();
    let both = format!("{text}\n[[destination]]\nremote = 'vault:m'\n");
    world.write("copal.toml", both);
    back_up(&world).succeeds();
    let named = ["--from", "vault:m", "--name", "open-webui"];
    let listed = world.copal(&[&["snapshots", "--json"][..], &named].concat());
    let id = listed.succeeds().json()[0]["snapshot"].clone();
    let id = id.as_str().unwrap().to_owned();
    back_up(&world).succeeds();
    world
        .copal(&["verify", &id, "--from", "vault:m"])
        .exits_with(2)
        .says("has the state of its last run alone")
        .says("--name open-webui");
    world
        .copal(&[&["verify", &id][..], &named].concat())
        .succeeds();
}

#[test]
fn odd_names_are_mirrored_under_names_that_travel_and_come_back() {
    let world = in_a_folder(MAP);
    for name in copal_testkit::tree::odd_names() {
        fs::write(
            world.source().join("uploads").join(&name),
            name.as_encoded_bytes(),
        )
        .unwrap();
    }
    back_up(&world).succeeds();
    let again = world.copal(&["backup", "--json"]).succeeds().json();
    assert_eq!(again["destinations"][0]["uploaded_files"], 0);
    assert_eq!(again["destinations"][0]["mirror"]["deleted_files"], 0);
    world
        .copal(&["restore", "latest", "--to", "back"])
        .succeeds();
    is_same(&world.source().join("uploads"), &world.path("back/uploads"));
}

#[test]
fn a_plan_says_what_goes_where_and_what_goes_nowhere() {
    let world = in_a_folder(MAP);
    let plan = world.copal(&["plan"]);
    plan.succeeds()
        .tells("mirrors uploads to user_uploads (10 files,");
    plan.tells("not in the map, not sent: 1 file");
    let json = world.copal(&["plan", "--json"]).succeeds().json();
    assert_eq!(json["mirrors"][0]["map"][2]["folder"], "main_database");
    assert_eq!(json["mirrors"][0]["unmapped_files"], 1);
    world
        .copal(&["backup", "--dry-run"])
        .succeeds()
        .tells("mirrors uploads");
    let in_place = world.copal(&["restore", "latest", "--in-place"]);
    in_place.exits_with(2).says("not restored in place");
}

/// A mirror on B2 whose next run takes its time with a large file.
fn amid_a_large_file() -> (Cloud, Running) {
    let cloud = Cloud::with(SMALL_PARTS);
    let world = &cloud.world;
    fill(world);
    cloud.write_random("source/uploads/large.bin", 6 << 20);
    configure(world, "cloud:test-bucket", MAP);
    back_up(world).succeeds();
    remove_uploads(world, 0..2);
    add_chat(&world.source().join("webui.db"), "second");
    cloud.write_random("source/uploads/large.bin", 30 << 20);
    cloud.server.set_pace(Pace {
        latency: Duration::from_millis(5),
        up: Some(1 << 20),
        ..Pace::default()
    });
    let mut running = world.start(&["backup"]);
    let is_amid = || {
        let begun = !cloud.server.unfinished(BUCKET).is_empty();
        (begun || !running.is_running()).then_some(())
    };
    wait_until("the large file to be under way", PATIENCE, is_amid).unwrap();
    assert!(running.is_running(), "{}", running.stderr());
    (cloud, running)
}

#[track_caller]
fn puts_it_right(cloud: &Cloud) {
    let has = |name: &str| cloud.server.names(BUCKET).iter().any(|it| it == name);
    for name in ["0.txt", "1.txt", "large.bin"] {
        assert!(has(&format!("user_uploads/{name}")), "{name}");
    }
    cloud.server.set_pace(Pace::default());
    let next = back_up(&cloud.world);
    next.succeeds().tells("deleted there: 2 files");
    assert!(!has("user_uploads/0.txt"));
    cloud.world.copal(&["verify", "--full"]).succeeds();
}

#[test]
fn a_run_that_is_killed_has_lost_nothing_and_the_next_puts_it_right() {
    let (cloud, running) = amid_a_large_file();
    running.signal_group(Signal::KILL);
    running.finish(PATIENCE).unwrap();
    puts_it_right(&cloud);
}

#[test]
fn a_run_that_is_interrupted_leaves_nothing_that_is_paid_for() {
    let (cloud, running) = amid_a_large_file();
    running.signal(Signal::TERM);
    running.finish(PATIENCE).unwrap().exits_with(143);
    assert_eq!(cloud.server.unfinished(BUCKET), [""; 0]);
    puts_it_right(&cloud);
}
