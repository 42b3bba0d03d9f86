//! What a check of restored databases tells beside what SQLite finds.

use std::fs;

use copal_core::digest::Sha256;
use copal_core::manifest::{
    Attributes, Entry, EntryKind, FORMAT, FileEntry, Mode, RunRecord, Totals,
};
use copal_core::units::ByteCount;
use jiff::Timestamp;
use rusqlite::Connection;

use super::*;

fn attributes() -> Attributes {
    Attributes {
        mode: Mode::from_st_mode(0o100_644),
        uid: 0,
        gid: 0,
        mtime: Timestamp::UNIX_EPOCH,
    }
}

fn file((path, taken): (&str, Taken)) -> Entry {
    Entry {
        path: path.parse().unwrap(),
        attributes: attributes(),
        kind: EntryKind::File(FileEntry {
            size: ByteCount(0),
            sha256: Sha256::from_bytes([0; 32]),
            sha1: None,
            md5: None,
            taken,
            stored: None,
            rows: Rows::new(),
        }),
    }
}

fn manifest<const N: usize>(files: [(&str, Taken); N]) -> Manifest {
    Manifest {
        copal_manifest: FORMAT,
        id: "2026-11-24T030000Z".parse().unwrap(),
        name: "app".to_owned(),
        run: RunRecord {
            id: "1".to_owned(),
            started: Timestamp::UNIX_EPOCH,
            staged: Timestamp::UNIX_EPOCH,
            copal: "0.1.0".to_owned(),
            staging: None,
        },
        source: "/app".to_owned(),
        mounts: vec![],
        disks: std::collections::BTreeMap::new(),
        folders: vec![],
        root: attributes(),
        totals: Totals::default(),
        hooks: Vec::new(),
        facts: std::collections::BTreeMap::default(),
        there_when_refused: None,
        unaccounted: false,
        entries: files.map(file).into(),
    }
}

/// A copy of a database with rows that only its log has, each taken so; what is wrong with it.
fn wrong(database: Taken, log: Taken) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let app = dir.path().join("app.db");
    let writer = Connection::open(&app).unwrap();
    let rows = "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; \
                CREATE TABLE t (x); INSERT INTO t VALUES (1)";
    writer.execute_batch(rows).unwrap();
    let copy = dir.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for name in ["app.db", "app.db-wal"] {
        fs::copy(dir.path().join(name), copy.join(name)).unwrap();
    }
    let manifest = manifest([("app.db", database), ("app.db-wal", log)]);
    let tried = try_databases(&copy, &manifest, &Interrupt::default()).unwrap();
    assert_eq!(tried.databases, ["app.db".parse().unwrap()]);
    tried.wrong.iter().flat_map(CopalError::in_full).collect()
}

#[test]
fn a_log_that_was_copied_with_its_live_database_is_a_part_of_it() {
    assert_eq!(wrong(Taken::Direct, Taken::Direct), [""; 0]);
}

#[test]
fn a_sound_log_that_was_not_taken_with_its_database_is_told() {
    for (database, log) in [
        (Taken::Direct, Taken::Added),
        (Taken::SqliteBackup, Taken::Added),
        (Taken::SqliteBackup, Taken::Direct),
        (Taken::Added, Taken::Added),
    ] {
        let wrong = wrong(database, log);
        let told = wrong
            .iter()
            .any(|line| line.contains("`app.db-wal` was not taken with it"));
        assert!(told, "{wrong:?}");
    }
}

#[test]
fn a_table_without_all_rows_that_it_had_is_told_and_one_that_was_not_counted_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let app = Connection::open(dir.path().join("app.db")).unwrap();
    let made = "CREATE TABLE chat (x); CREATE TABLE other (x); INSERT INTO chat VALUES (1)";
    app.execute_batch(made).unwrap();
    drop(app);
    let mut manifest = manifest([("app.db", Taken::SqliteBackup)]);
    let mut tried = |rows: &[(&str, u64)]| {
        if let EntryKind::File(file) = &mut manifest.entries[0].kind {
            let rows = rows.iter().map(|(name, n)| ((*name).to_owned(), *n));
            file.rows = rows.collect();
        }
        let tried = try_databases(dir.path(), &manifest, &Interrupt::default()).unwrap();
        let wrong = tried.wrong.iter().flat_map(CopalError::in_full);
        wrong.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(tried(&[]), "");
    assert_eq!(tried(&[("chat", 1), ("other", 0), ("gone", 7)]), "");
    let wrong = tried(&[("chat", 2), ("other", 0)]);
    let expected = "table chat has 1 rows, and had 2 when it was backed up";
    assert!(wrong.contains(expected), "{wrong}");
}
