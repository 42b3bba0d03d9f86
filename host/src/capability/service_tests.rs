use std::fs;

use copal_hooks::Capabilities;
use copal_testkit::leave_a_database;
use jiff::Timestamp;
use rusqlite::Connection;

use super::*;
use crate::capability::kit::Floor;
use crate::holds::{Holds, Terms};

/// An app that is a file, and runs as long as that is there. It wants its database for itself alone.
const APP: &str = "[service.app]\ndriver = 'command'\nstop = ['rm', 'up']\nstate = ['test', '-e', 'up']\n\
    start = ['sh', '-c', \"sqlite3 -bail source/app.db 'PRAGMA locking_mode = EXCLUSIVE; INSERT INTO t VALUES (2)' && touch up\"]\n";

const STOP: HoldWish = HoldWish::Stop {
    grace: Duration::ZERO,
};

/// A floor with the app and what it left when it was killed: a database with a log.
fn floor() -> (Floor, Holds) {
    let mut floor = Floor::with(APP);
    let state = StateDir::at(floor.path("state"));
    let minute = Some(Duration::from_mins(1));
    let holds = Holds::under(Terms::of(&state, "1", "app", Timestamp::UNIX_EPOCH, minute));
    floor.hold_with(&holds);
    leave_a_database(&floor.path("source/app.db")).unwrap();
    fs::write(floor.path("up"), "").unwrap();
    floor.host.databases = vec!["app.db".parse().unwrap()];
    (floor, holds)
}

fn rows(database: &std::path::Path) -> u32 {
    let connection = Connection::open(database).unwrap();
    connection
        .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn what_a_hook_releases_itself_is_not_kept_out_by_its_copies_and_they_are_of_the_moment_before() {
    let (floor, holds) = floor();
    let _bracket = holds.open();
    let (host, call) = (&floor.host, floor.call());
    let Taken::Held(hold) = host.service_hold(&call, "app", STOP).unwrap() else {
        panic!("it runs");
    };
    assert!(!floor.path("up").exists());
    let database = "app.db".parse().unwrap();
    let copied = host.sqlite_backup(&call, &database).unwrap();
    assert!(!copied.checked, "its moment stands by a transaction");
    host.service_release(&call, hold).unwrap();
    assert!(floor.path("up").exists());
    assert_eq!(rows(&floor.path("source/app.db")), 2, "it has written");
    host.artifacts.finish(&Interrupt::default()).unwrap();
    assert_eq!(rows(&host.artifacts.stand_in(&database).unwrap()), 1);
    assert!(
        holds
            .finish(&copal_hooks::Cancel::new())
            .problems
            .is_empty()
    );
}

/// A hook may carry on whatever comes of a release; its copy is none then.
#[test]
fn a_copy_that_a_release_could_not_make_is_no_copy_later_and_the_service_is_back() {
    let (floor, holds) = floor();
    let _bracket = holds.open();
    let (host, call) = (&floor.host, floor.call());
    let Taken::Held(hold) = host.service_hold(&call, "app", STOP).unwrap() else {
        panic!("it runs");
    };
    host.sqlite_backup(&call, &"app.db".parse().unwrap())
        .unwrap();
    // Nothing can be made there any more.
    fs::remove_dir_all(floor.path("made")).unwrap();
    let failed = host.service_release(&call, hold).unwrap_err();
    assert!(failed.to_string().contains("app.db"), "{failed}");
    assert!(floor.path("up").exists());
    assert!(host.artifacts.finish(&Interrupt::default()).is_err());
}
