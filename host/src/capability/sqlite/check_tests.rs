use std::fs;
use std::path::PathBuf;

use super::*;
use crate::edge::interrupt::Signal;

fn database(dir: &Path, sql: &str) -> PathBuf {
    let path = dir.join("app.db");
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    path
}

const ROWS: &str =
    "CREATE TABLE chat (id INTEGER PRIMARY KEY, text TEXT); CREATE INDEX i ON chat (text);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
    INSERT INTO chat (text) SELECT hex(randomblob(100)) FROM n;";

#[test]
fn nothing_is_wrong_with_a_sound_database() {
    let dir = tempfile::tempdir().unwrap();
    let path = database(dir.path(), ROWS);
    for depth in [CheckDepth::Quick, CheckDepth::Full] {
        for is_copy in [true, false] {
            let found =
                findings(Beneath::at(&path), is_copy, depth, &Interrupt::default()).unwrap();
            assert!(found.is_empty(), "{found:?}");
        }
    }
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        1,
        "nothing is left beside it"
    );
}

#[test]
fn a_damaged_page_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = database(dir.path(), ROWS);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0xA5);
    fs::write(&path, bytes).unwrap();
    match findings(
        Beneath::at(&path),
        false,
        CheckDepth::Quick,
        &Interrupt::default(),
    ) {
        Ok(found) => assert!(!found.is_empty() && found.len() <= MOST_LINES),
        Err(error) => assert!(matches!(error, SqliteError::Source(_)), "{error:?}"),
    }
}

#[test]
fn a_row_without_its_parent_is_found_by_a_full_check_alone() {
    let dir = tempfile::tempdir().unwrap();
    let sql = "PRAGMA foreign_keys = OFF; CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (a REFERENCES a);
               INSERT INTO b VALUES (7);";
    let path = database(dir.path(), sql);
    let check = |depth| findings(Beneath::at(&path), false, depth, &Interrupt::default()).unwrap();
    assert!(check(CheckDepth::Quick).is_empty());
    let [found] = check(CheckDepth::Full).try_into().unwrap();
    assert!(found.contains("table b row 1"), "{found}");
}

#[test]
fn a_signal_ends_a_check() {
    let dir = tempfile::tempdir().unwrap();
    let path = database(dir.path(), ROWS);
    let interrupt = Interrupt::default();
    interrupt.raise(Signal::Interrupt);
    let ended = findings(Beneath::at(&path), true, CheckDepth::Full, &interrupt);
    assert!(matches!(ended, Err(SqliteError::Interrupted(_))));
}

#[test]
fn an_index_in_an_order_that_only_the_app_knows_is_not_called_damage() {
    let dir = tempfile::tempdir().unwrap();
    let path = database(
        dir.path(),
        "CREATE TABLE t (x); CREATE INDEX i ON t (x COLLATE NOCASE); INSERT INTO t VALUES ('a'), ('b');
         PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'NOCASE', 'ICU')",
    );
    let sound = sound(&path, &Interrupt::default());
    assert!(
        matches!(sound, Err(SqliteError::Uncheckable(_))),
        "{sound:?}"
    );
}
