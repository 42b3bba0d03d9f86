//! What a run may delete of a mirror, where runs before it were killed or the manifest is lost.

use std::fs;
use std::path::Path;
use std::time::Duration;

use copal_testkit::{Output, World, wait_until};
use rustix::process::Signal;

const PATIENCE: Duration = Duration::from_mins(2);

fn configure(world: &World, lines: &str, options: &str) {
    let text = format!(
        "name = 'app'\nsource.path = 'source'\n[rclone]\n{options}\n\
         [[destination]]\nremote = 'vault:m'\nlayout = 'mirror'\nmap = {{ uploads = 'up' }}\n{lines}\n"
    );
    world.write("copal.toml", text);
}

/// A source with so many uploads.
fn world(lines: &str, uploads: usize) -> World {
    let world = World::new(env!("CARGO_BIN_EXE_copal"));
    for n in 0..uploads {
        world.write(format!("source/uploads/{n}.txt"), format!("upload {n}"));
    }
    configure(&world, lines, "");
    world
}

fn back_up(world: &World) -> Output {
    world.copal(&["backup"])
}

fn remove(world: &World, uploads: std::ops::Range<usize>) {
    for n in uploads {
        fs::remove_file(world.source().join(format!("uploads/{n}.txt"))).unwrap();
    }
}

fn up(world: &World) -> std::path::PathBuf {
    world.vault().join("m/up")
}

/// How many files of `dir` have a name that ends so.
fn count(dir: &Path, end: &str) -> usize {
    let Ok(entries) = fs::read_dir(dir) else {
        return 0;
    };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(end)).count()
}

/// A run that is killed when it is amid sending four large files.
fn kill_amid_four(world: &World, lines: &str) {
    for n in 0..4 {
        world.write(format!("source/uploads/large{n}.bin"), vec![n; 4 << 20]);
    }
    configure(world, lines, "bwlimit = '256k'");
    let mut running = world.start(&["backup"]);
    let is_amid = || {
        let begun = count(&up(world), ".partial") == 4;
        (begun || !running.is_running()).then_some(())
    };
    wait_until("four files to be under way", PATIENCE, is_amid).unwrap();
    assert!(running.is_running(), "{}", running.stderr());
    running.signal_group(Signal::KILL);
    // The worker may take some of them away before it dies as well.
    running.finish(PATIENCE).unwrap();
    configure(world, lines, "");
}

#[test]
fn the_parts_of_files_that_a_killed_run_left_make_no_share_larger() {
    let world = world("", 6);
    back_up(&world).succeeds();
    remove(&world, 0..4);
    kill_amid_four(&world, "");
    back_up(&world)
        .exits_with(3)
        .says("the source no longer has 4 of the 6 files that were there");
    assert_eq!(count(&up(&world), ".txt"), 6);
}

#[test]
fn what_a_first_run_found_stays_when_it_was_killed_amid_sending() {
    let world = world("", 20);
    for n in 0..10 {
        world.write(format!("vault/m/up/{n}.old"), "somebody's");
    }
    kill_amid_four(&world, "");
    for _ in 0..2 {
        back_up(&world)
            .exits_with(3)
            .says("10 files are there that the source does not have, and no run knows whether they belong to the mirror")
            .says("--accept-missing");
        assert_eq!(count(&up(&world), ".old"), 10);
    }
    world.copal(&["backup", "--accept-missing"]).succeeds();
    assert_eq!(count(&up(&world), ".old"), 0);
}

#[test]
fn what_no_run_may_delete_makes_no_share_larger() {
    let world = world("max_delete = '10%'", 20);
    let hook = "[[hook]]\nuse = 'exclude'\nconfig = { paths = ['uploads/cache/'] }";
    configure(&world, &format!("max_delete = '10%'\n{hook}"), "");
    back_up(&world).succeeds();
    for n in 0..300 {
        world.write(format!("vault/m/up/cache/{n}"), "left out by a filter");
    }
    remove(&world, 0..15);
    for command in [&["backup", "--dry-run"][..], &["backup"]] {
        let refused = world.copal(command);
        refused
            .exits_with(3)
            .says("the source no longer has 15 of the 20 files that were there");
    }
    assert_eq!(count(&up(&world), ".txt"), 20);
}

/// However the manifest is lost, nothing goes until it is accepted, by no bound.
#[track_caller]
fn keeps_all(lines: &str, lose: impl Fn(&Path)) {
    let world = world(lines, 10);
    back_up(&world).succeeds();
    remove(&world, 0..2);
    lose(&world.vault().join("m/.copal"));
    for n in 0..50 {
        world.write(format!("source/uploads/{n}.new"), "new");
    }
    let told = world.copal(&["backup", "--accept-missing"]);
    told.exits_with(3).says("manifest");
    for _ in 0..2 {
        back_up(&world)
            .exits_with(3)
            .says("2 files are there that the source does not have")
            .says("--accept-missing");
        assert_eq!(count(&up(&world), ".txt"), 10);
    }
    let accepted = world.copal(&["backup", "--accept-missing"]);
    accepted.succeeds();
    assert_eq!(count(&up(&world), ".txt"), 8);
    remove(&world, 2..4);
    back_up(&world).succeeds();
    assert_eq!(count(&up(&world), ".txt"), 6);
}

#[test]
fn after_a_manifest_that_was_cut_short_nothing_goes_until_it_is_accepted() {
    for lines in ["", "max_delete = 1000"] {
        keeps_all(lines, |own| {
            let manifest = own.join("manifest.json");
            let manifest = fs::File::options().write(true).open(manifest);
            manifest.unwrap().set_len(400).unwrap();
        });
    }
}

#[test]
fn after_a_manifest_that_was_removed_nothing_goes_until_it_is_accepted() {
    keeps_all("", |own| {
        fs::remove_file(own.join("manifest.json")).unwrap();
    });
}

#[test]
fn a_log_beside_a_database_goes_also_after_the_manifest_was_lost() {
    let world = world("", 3);
    let database = rusqlite::Connection::open(world.source().join("uploads/w.db")).unwrap();
    database.execute_batch("CREATE TABLE t (n)").unwrap();
    drop(database);
    back_up(&world).succeeds();
    remove(&world, 0..1);
    world.write("vault/m/up/w.db-wal", "of another moment");
    world.write("vault/m/.copal/manifest.json", "{");
    let dry = world.copal(&["backup", "--dry-run", "--json"]);
    let dry = dry.exits_with(3).stdout();
    let run = back_up(&world);
    run.exits_with(3);
    assert!(run.stdout().contains("deleted there: 1 file"), "{run}");
    assert!(!up(&world).join("w.db-wal").exists());
    assert_eq!(count(&up(&world), ".txt"), 3, "{dry}");
}
