use std::fs;

use copal_hooks::Capabilities;

use super::*;
use crate::capability::kit::Floor;

const MOVE: &str = "UPDATE file SET path = '/new' || substr(path, 5) WHERE path LIKE '/old/%'";

/// A floor on which a snapshot with `app.db` was just restored.
fn restored(journal_mode: &str) -> Floor {
    let mut floor = Floor::with("");
    let app = Connection::open(floor.path("source/app.db")).unwrap();
    app.pragma_update(None, "journal_mode", journal_mode)
        .unwrap();
    let made = "CREATE TABLE file (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);
                CREATE TABLE other (id INTEGER PRIMARY KEY);
                INSERT INTO file VALUES (1, '/old/a'), (2, '/old/b'), (3, 's3://c');";
    app.execute_batch(made).unwrap();
    drop(app);
    floor.host.databases = vec!["app.db".parse().unwrap()];
    floor.host.is_restored = true;
    floor
}

fn ask(floor: &Floor, sql: &str) -> Result<u64, CapabilityError> {
    let database = "app.db".parse().unwrap();
    floor.host.sqlite_update(&floor.call(), &database, sql)
}

fn paths(floor: &Floor) -> String {
    let app = Connection::open(floor.path("source/app.db")).unwrap();
    let sql = "SELECT group_concat(path, ' ') FROM (SELECT path FROM file ORDER BY id)";
    app.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn rows_are_changed_and_counted_and_nothing_is_left_beside_the_database() {
    for journal_mode in ["wal", "delete"] {
        let floor = restored(journal_mode);
        assert_eq!(ask(&floor, MOVE), Ok(2), "{journal_mode}");
        let beside = fs::read_dir(floor.path("source")).unwrap().count();
        assert_eq!(beside, 1, "{journal_mode}");
        assert_eq!(paths(&floor), "/new/a /new/b s3://c");
        assert_eq!(ask(&floor, MOVE), Ok(0), "{journal_mode}, again");
    }
}

#[test]
fn where_no_snapshot_was_put_everything_stays_as_it_is() {
    let mut floor = restored("delete");
    floor.host.is_restored = false;
    let answer = ask(&floor, MOVE);
    assert!(
        matches!(answer, Err(CapabilityError::Invalid(_))),
        "{answer:?}"
    );
    assert_eq!(paths(&floor), "/old/a /old/b s3://c");
}

#[test]
fn what_does_not_only_change_rows_of_this_database_is_refused() {
    let floor = restored("delete");
    for sql in [
        "DELETE FROM file",
        "INSERT INTO file VALUES (4, 'x')",
        "REPLACE INTO file VALUES (1, 'x')",
        "DROP TABLE other",
        "ATTACH '/etc/passwd' AS other",
        "PRAGMA user_version = 3",
        "COMMIT",
        "UPDATE sqlite_schema SET sql = ''",
        "UPDATE file SET path = 'x' WHERE id = 1; DELETE FROM file",
        "UPDATE file SET path = ?1",
        "UPDATE file SET path = 'x' WHERE id = 1 RETURNING id",
        "UPDATE nothing SET path = 'x'",
        "SELECT 1",
        "",
    ] {
        let answer = ask(&floor, sql);
        assert!(
            matches!(answer, Err(CapabilityError::Invalid(_))),
            "{sql}: {answer:?}"
        );
        assert_eq!(paths(&floor), "/old/a /old/b s3://c", "{sql}");
    }
}

#[test]
fn a_statement_that_fails_in_the_middle_changes_nothing() {
    let floor = restored("wal");
    let answer = ask(&floor, "UPDATE file SET path = 'the same'");
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(paths(&floor), "/old/a /old/b s3://c");
}

#[test]
fn a_database_that_the_snapshot_does_not_have_is_missing() {
    let mut floor = restored("delete");
    floor.host.databases.clear();
    let answer = ask(&floor, MOVE);
    assert!(
        matches!(answer, Err(CapabilityError::Missing(_))),
        "{answer:?}"
    );
}
