//! A dry run tells what a run would delete from a mirror, and what would keep it from that.

use std::fs;

use copal_testkit::{Output, World};

const DRY: [&str; 2] = ["backup", "--dry-run"];

fn world(lines: &str, files: usize) -> World {
    let world = World::new(env!("CARGO_BIN_EXE_copal"));
    for n in 0..files {
        world.write(format!("source/uploads/{n}.txt"), format!("upload {n}"));
    }
    world.write("source/other.txt", "beside the uploads");
    let text = format!(
        "name = 'app'\nsource.path = 'source'\n[[destination]]\nremote = 'vault:m'\nlayout = 'mirror'\n{lines}\n"
    );
    world.write("copal.toml", text);
    world.copal(&["backup"]).succeeds();
    world
}

fn remove(world: &World, files: std::ops::Range<usize>) {
    for n in files {
        fs::remove_file(world.source().join(format!("uploads/{n}.txt"))).unwrap();
    }
}

/// The messages of a dry run and of the run are the same, and so is the exit code.
#[track_caller]
fn ends_as_rehearsed(world: &World, code: i32, why: &str) {
    let rehearsed = world.copal(&DRY);
    rehearsed.exits_with(code).says(why);
    let run = world.copal(&["backup"]);
    run.exits_with(code).says(why);
    let told = |output: &Output| -> Vec<String> {
        let lines = output.stderr().lines().map(str::to_owned);
        lines.filter(|line| line.contains(why)).collect()
    };
    assert_eq!(told(&rehearsed), told(&run));
}

#[test]
fn what_would_be_deleted_is_counted_and_stays() {
    let world = world("map = { uploads = 'up' }", 5);
    remove(&world, 0..2);
    world.write("vault/m/up/strange.txt", "nobody's");
    let rehearsed = world.copal(&DRY);
    let text = rehearsed.succeeds().stdout().to_owned();
    assert!(text.contains("to be deleted there: 3 files"), "{text}");
    let json = world.copal(&["backup", "--dry-run", "--json"]).json();
    assert_eq!(json["forecast"][0]["delete_files"], 3, "{json:#}");
    assert!(world.vault().join("m/up/0.txt").exists());
    let run = world.copal(&["backup", "--json"]).succeeds().json();
    assert_eq!(run["destinations"][0]["mirror"]["deleted_files"], 3);
    let json = world.copal(&["backup", "--dry-run", "--json"]).json();
    assert_eq!(json["forecast"][0]["delete_files"], 0, "{json:#}");
}

#[test]
fn what_filters_leave_out_is_not_counted() {
    let world = world("", 5);
    for stays in ["cache/old", "audit.log"] {
        world.write(format!("vault/m/{stays}"), "left out of the source");
    }
    world.write("vault/m/strange.txt", "nobody's");
    let json = world.copal(&["backup", "--dry-run", "--json"]).json();
    assert_eq!(json["forecast"][0]["delete_files"], 1, "{json:#}");
    let run = world.copal(&["backup", "--json"]).succeeds().json();
    assert_eq!(run["destinations"][0]["mirror"]["deleted_files"], 1);
}

#[test]
fn that_it_would_be_too_much_or_all_is_told_as_the_run_tells_it() {
    let world = world("map = { uploads = 'up' }\nmax_delete = 1", 5);
    remove(&world, 0..2);
    ends_as_rehearsed(&world, 3, "a run deletes at most 1");
    remove(&world, 2..5);
    ends_as_rehearsed(&world, 1, "no file left for the folder `up`");
}
