//! A database is copied whole or the run fails: never torn, never silently gone.

use std::fs;

use copal_testkit::World;
use insta::assert_snapshot;
use rusqlite::Connection;

use crate::common::{back_up, fails_cleanly, files_below, leaves_no_staging, world};

/// A world with two databases of some pages each.
fn world_with_databases() -> World {
    let world = world();
    for name in ["app.db", "sub/index.sqlite"] {
        let path = world.write(format!("source/{name}"), "");
        let connection = Connection::open(path).unwrap();
        connection
            .execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (randomblob(20000));")
            .unwrap();
    }
    world
}

const BACKUP: [&str; 5] = ["backup", "--source", "source", "--to", "vault:"];

#[test]
fn a_database_that_no_hook_stands_in_for_is_refused_with_the_lines_that_mend_it() {
    let world = world_with_databases();
    let config =
        "name = \"app\"\nsource.path = \"source\"\ndestination = [{ remote = \"vault:\" }]\n";
    world.write("copal.toml", format!("hook = []\n{config}"));
    for command in ["plan", "backup"] {
        let output = world.copal(&[command]);
        fails_cleanly(&world, &output, 2);
        assert_snapshot!("uncovered", output.redacted_stderr());
    }
    // Each of the two ways out, as the message has them.
    let hook = "[[hook]]\nuse = \"sqlite-backup\"\ngrants = { sqlite = [\"*\"] }\n";
    world.write("copal.toml", format!("{config}{hook}"));
    world.copal(&["backup"]).succeeds();
    let live = "[database.\"app.db\"]\nlive = \"allow\"\n[database.\"sub/index.sqlite\"]\nlive = \"allow\"\n";
    world.write("copal.toml", format!("hook = []\n{config}{live}"));
    let output = world.copal(&["backup"]);
    assert!(
        output.succeeds().stdout().contains("copied live"),
        "{output}"
    );
}

#[test]
fn a_database_that_vanished_since_the_last_snapshot_fails_the_run_until_that_is_accepted() {
    let world = world_with_databases();
    back_up(&world);
    let before = files_below(&world.vault());
    fs::remove_file(world.path("source/app.db")).unwrap();
    let output = world.copal(&BACKUP);
    output.exits_with(1);
    assert_snapshot!("vanished", output.redacted_stderr());
    assert_eq!(output.stdout(), "");
    // Nor is a file that is no database any more a database.
    world.write("source/app.db", "");
    world.copal(&BACKUP).exits_with(1).says("`app.db`");
    assert_eq!(files_below(&world.vault()), before);
    leaves_no_staging(&world);

    world
        .copal(&[&BACKUP[..], &["--accept-missing"]].concat())
        .succeeds();
    world.copal(&BACKUP).succeeds();
}

#[test]
fn a_database_that_lost_all_its_tables_fails_the_run_until_that_is_accepted() {
    let world = world_with_databases();
    back_up(&world);
    let before = files_below(&world.vault());
    let connection = Connection::open(world.path("source/app.db")).unwrap();
    connection.execute_batch("DROP TABLE t; VACUUM;").unwrap();
    drop(connection);
    let output = world.copal(&BACKUP);
    output.exits_with(1);
    assert_snapshot!("emptied", output.redacted_stderr());
    assert_eq!(files_below(&world.vault()), before);
    leaves_no_staging(&world);
    world
        .copal(&[&BACKUP[..], &["--accept-missing"]].concat())
        .succeeds();
}

#[test]
fn a_database_that_fails_its_check_fails_the_run_by_name() {
    let world = world_with_databases();
    let path = world.path("source/app.db");
    let mut bytes = fs::read(&path).unwrap();
    // The second page is the table's.
    bytes[4096..4200].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let output = world.copal(&BACKUP);
    fails_cleanly(&world, &output, 1);
    output.says("app.db").says("integrity check failed");
}

#[test]
fn a_database_that_is_left_out_needs_nobody_to_stand_in_for_it() {
    let world = world_with_databases();
    back_up(&world);
    let config = "name = \"source\"\nsource.path = \"source\"\ndestination = [{ remote = \"vault:\" }]\n\
        [[hook]]\nuse = \"exclude\"\nconfig.paths = [\"sub/\"]\n\
        [[hook]]\nuse = \"sqlite-backup\"\ngrants.sqlite = [\"app.db\"]\n";
    world.write("copal.toml", config);
    world.copal(&["backup"]).succeeds();
}
