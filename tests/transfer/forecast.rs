//! What a plan says that a run will cost, beside what the server then counts.

use std::fs;

use copal_b2_server::{Class, Counters};
use copal_testkit::{Random, World};
use serde_json::Value;

use crate::cloud::{BUCKET, Cloud, SMALL_PARTS};

const MIB: usize = 1 << 20;

/// A world that backs up to a B2 server, encrypted or not.
struct Trial {
    cloud: Cloud,
}

impl Trial {
    fn new(encrypted: bool) -> Self {
        Self::with(encrypted, "")
    }

    /// The destination has these lines of its own.
    fn with(encrypted: bool, lines: &str) -> Self {
        let cloud = Cloud::with(SMALL_PARTS);
        let mut remote = format!("cloud:{BUCKET}/app");
        if encrypted {
            let clear = serde_json::json!({ "clear": "correct horse battery staple" });
            let password = cloud.rclone("core/obscure", &clear)["obscured"].clone();
            let password = password.as_str().unwrap();
            let lines = format!("type = crypt\nremote = {remote}\npassword = {password}");
            cloud.world.add_remote("safe", &lines);
            "safe:".clone_into(&mut remote);
        }
        let config = format!(
            "name = 'app'\nsource.path = 'source'\n[[destination]]\nremote = '{remote}'\n{lines}\n"
        );
        cloud.world.write("copal.toml", config);
        Self { cloud }
    }

    fn world(&self) -> &World {
        &self.cloud.world
    }

    /// Small files in directories, each with another content for each `round`.
    fn write(&self, files: std::ops::Range<usize>, directories: usize, round: u64) {
        for n in files {
            let name = format!("source/{:02}/{n:05}.bin", n % directories);
            let content = Random::new(round, &name).bytes(1000);
            self.world().write(&name, content);
        }
    }

    #[track_caller]
    fn told(&self, command: &[&str]) -> Value {
        self.world().copal(command).succeeds().json()["forecast"][0].clone()
    }

    /// Plans, rehearses and backs up: both told what the server then counts. The plan knows it from the
    /// second time on.
    #[track_caller]
    fn runs_as_told(&self, planned_by: &str) {
        let planned = self.told(&["plan", "--json"]);
        assert_eq!(planned["by"], planned_by, "{planned:#}");
        let (run, counters) = self.runs_as_rehearsed();
        if planned_by == "history" {
            agree(&planned, &run, &counters);
        } else {
            assert_eq!(planned["calls"], Value::Null, "{planned:#}");
        }
    }

    #[track_caller]
    fn runs_as_rehearsed(&self) -> (Value, Counters) {
        let rehearsed = self.told(&["backup", "--dry-run", "--json"]);
        assert_eq!(rehearsed["by"], "destination", "{rehearsed:#}");
        self.cloud.server.reset_counters();
        let output = self.world().copal(&["backup", "--json"]);
        let run = output.succeeds().json()["destinations"][0].clone();
        let counters = self.cloud.server.counters();
        agree(&rehearsed, &run, &counters);
        (run, counters)
    }
}

#[track_caller]
fn agree(told: &Value, run: &Value, counters: &Counters) {
    let number = |name: &str| told[name].as_u64().unwrap();
    let classes = [
        (Class::A, "class_a"),
        (Class::B, "class_b"),
        (Class::C, "class_c"),
    ];
    for (class, name) in classes {
        let (calls, counted) = (
            told["calls"][name].as_u64().unwrap(),
            counters.charged(class),
        );
        is_near(name, calls, counted, told, counters);
    }
    let bytes = number("upload_bytes") + number("own_bytes");
    is_near("bytes", bytes, counters.bytes_up, told, counters);
    for (forecast, told) in [
        ("upload_files", "uploaded_files"),
        ("copy_files", "copied_files"),
    ] {
        assert_eq!(number(forecast), run[told].as_u64().unwrap(), "{told}");
    }
}

/// Within a tenth, or two calls: one that renames a file is not seen without the destination.
#[track_caller]
fn is_near(what: &str, told: u64, counted: u64, all: &Value, counters: &Counters) {
    let apart = told.abs_diff(counted);
    assert!(
        apart * 10 <= counted || apart <= 2,
        "{what}: {told} told\n{all:#}\n{counters}"
    );
}

#[test]
fn what_a_plan_says_that_a_run_will_cost_is_what_b2_counts() {
    let trial = Trial::new(false);
    trial.write(0..450, 20, 1);
    trial.runs_as_told("nothing");
    trial.runs_as_told("history");
    trial.write(0..5, 20, 2);
    trial.runs_as_told("history");
    let source = trial.world().source();
    fs::rename(source.join("07/00007.bin"), source.join("07/moved.bin")).unwrap();
    fs::remove_file(source.join("08/00008.bin")).unwrap();
    trial.runs_as_told("history");
}

#[test]
fn it_is_so_with_large_files_and_with_few() {
    let trial = Trial::new(false);
    trial.write(0..3, 1, 1);
    for (name, size) in [("source/six.img", 6), ("source/deep/twelve.img", 12)] {
        trial.cloud.write_random(name, size * MIB + 345);
    }
    trial.runs_as_told("nothing");
    trial.runs_as_told("history");
    trial.cloud.write_random("source/six.img", 7 * MIB);
    trial.runs_as_told("history");
}

#[test]
fn it_is_so_with_more_files_in_a_directory_than_a_listing_brings() {
    let trial = Trial::new(false);
    trial.write(0..1200, 1, 1);
    trial.runs_as_told("nothing");
    trial.write(0..600, 1, 2);
    trial.runs_as_told("history");
}

#[test]
fn it_is_so_with_an_encrypted_remote() {
    let trial = Trial::new(true);
    trial.write(0..60, 5, 1);
    trial.cloud.write_random("source/six.img", 6 * MIB);
    trial.runs_as_told("nothing");
    trial.write(0..5, 5, 2);
    trial.runs_as_told("history");
}

const MIRROR: &str = "layout = 'mirror'";

#[test]
fn it_is_so_with_a_mirror() {
    let trial = Trial::with(false, MIRROR);
    trial.write(0..450, 20, 1);
    trial.runs_as_told("nothing");
    trial.runs_as_told("history");
    trial.write(0..5, 20, 2);
    trial.runs_as_told("history");
    // What is deleted and what is renamed is known by the destination alone.
    let source = trial.world().source();
    fs::rename(source.join("07/00007.bin"), source.join("07/moved.bin")).unwrap();
    for n in [8, 9, 10, 11] {
        fs::remove_file(source.join(format!("{n:02}/{n:05}.bin"))).unwrap();
    }
    let (run, _) = trial.runs_as_rehearsed();
    assert_eq!(run["mirror"]["deleted_files"], 5);
}

#[test]
fn it_is_so_with_the_folders_of_a_mirror() {
    let map = "map = { '00' = 'user_uploads', '01' = 'x/Chroma', 'main.img' = 'db' }";
    let trial = Trial::with(false, &format!("{MIRROR}\n{map}"));
    trial.write(0..1600, 2, 1);
    trial.cloud.write_random("source/main.img", 6 * MIB);
    trial.world().write("source/other.txt", "in no map");
    trial.runs_as_told("nothing");
    trial.runs_as_told("history");
    trial.write(0..7, 2, 2);
    trial.cloud.write_random("source/main.img", 7 * MIB);
    trial.runs_as_told("history");
}

#[test]
fn it_is_so_with_an_encrypted_mirror() {
    let trial = Trial::with(true, MIRROR);
    trial.write(0..60, 5, 1);
    trial.runs_as_told("nothing");
    trial.write(0..5, 5, 2);
    trial.runs_as_told("history");
}

#[test]
fn a_database_with_a_log_is_told_with_the_size_of_its_copy() {
    let trial = Trial::new(false);
    let database = trial.world().source().join("app.db");
    fs::create_dir_all(trial.world().source()).unwrap();
    let app = rusqlite::Connection::open(database).unwrap();
    // Many times the same pages: the log grows, and the database does not.
    let sql = "PRAGMA journal_mode = wal; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (x)";
    app.execute_batch(sql).unwrap();
    app.execute("INSERT INTO t VALUES (zeroblob(100000))", [])
        .unwrap();
    for _ in 0..20 {
        app.execute("UPDATE t SET x = randomblob(100000)", [])
            .unwrap();
    }
    trial.runs_as_told("nothing");
    drop(app);
}

#[test]
fn a_destination_that_copies_nothing_is_told_with_what_that_costs() {
    let world = World::new(env!("CARGO_BIN_EXE_copal"));
    world.write("source/letter.txt", "Dear reader,\n");
    world.add_remote("parts", "type = chunker\nremote = vault:parts");
    let plan = ["plan", "--source", "source", "--to", "parts:"];
    let known = |text: &str| text.contains("it copies nothing of its own");
    let first = world.copal(&plan).succeeds().stdout().to_owned();
    assert!(
        first.contains("none is known here") && !known(&first),
        "{first}"
    );
    let backup = ["backup", "--source", "source", "--to", "parts:"];
    world.copal(&backup).succeeds();
    let second = world.copal(&plan).succeeds().stdout().to_owned();
    assert!(
        known(&second) && second.contains("to upload: 1 file, 13 B"),
        "{second}"
    );
}

#[test]
fn a_folder_is_told_with_its_hard_links() {
    let world = World::new(env!("CARGO_BIN_EXE_copal"));
    world.write("source/letter.txt", "Dear reader,\n");
    let backup = ["backup", "--source", "source", "--to", "vault:"];
    world.copal(&backup).succeeds();
    // Files that are younger than the last run may have changed since.
    let plan = [
        "backup",
        "--dry-run",
        "--source",
        "source",
        "--to",
        "vault:",
    ];
    let told = world.copal(&plan).succeeds().stdout().to_owned();
    let line = "to be hard links to the last snapshot's: 1 file, 13 B";
    assert!(told.contains(line), "{told}");
}
