//! What is shipped.

use std::fs;
use std::path::Path;

use copal_testkit::Random;
use rusqlite::{Connection, params};

pub(crate) const DESCRIPTION: &str = "2,000 files of 100 KB and a SQLite database of 256 MB";
pub(crate) const FILES: usize = 2_000;
pub(crate) const DATABASE: &str = "app.db";
const FILE_BYTES: usize = 100_000;
const FOLDERS: usize = 20;
const DATABASE_BYTES: usize = 256_000_000;
const ROW_BYTES: usize = 900;

/// Fills `source`.
pub(crate) fn make(source: &Path) -> anyhow::Result<()> {
    let mut random = Random::new(1, "bench");
    for n in 0..FILES {
        let folder = source.join(format!("uploads/{:02}", n % FOLDERS));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("{n:04}.bin")), random.bytes(FILE_BYTES))?;
    }
    make_database(&source.join(DATABASE), &mut random, DATABASE_BYTES)
}

/// A table with an index, so that checking it costs what checking costs.
pub(crate) fn make_database(path: &Path, random: &mut Random, bytes: usize) -> anyhow::Result<()> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         CREATE TABLE item (id INTEGER PRIMARY KEY, key TEXT NOT NULL, value BLOB NOT NULL);
         CREATE INDEX item_key ON item (key);",
    )?;
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction.prepare("INSERT INTO item (key, value) VALUES (?1, ?2)")?;
        // The key is there twice, in the table and in its index.
        for _ in 0..bytes / (ROW_BYTES + 2 * 36) {
            insert.execute(params![random.uuid(), random.bytes(ROW_BYTES)])?;
        }
    }
    transaction.commit()?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}
