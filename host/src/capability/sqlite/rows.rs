//! How many rows the tables of a copy have: what a drill and a comparison of snapshots go by.

use std::path::Path;
use std::time::{Duration, Instant};

use copal_core::manifest::Rows;
use rusqlite::Connection;

use super::query::STEPS;
use super::source::open_copy;
use crate::edge::interrupt::{Interrupt, Interrupted};

/// How long the tables of one database are counted. It was read for its check a moment ago, so that 20 s go
/// a long way.
const LONGEST: Duration = Duration::from_secs(20);

/// How many tables are counted at most: the manifest has a line for each.
const MOST_TABLES: u32 = 1000;

/// Tables that hold rows, without SQLite's own and those that a virtual table keeps its content in.
const TABLES: &str = "SELECT name FROM sqlite_schema AS it
    WHERE type = 'table' AND rootpage > 0 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
    AND NOT EXISTS (
        SELECT 1 FROM sqlite_schema AS virtual
        WHERE virtual.type = 'table' AND virtual.rootpage = 0
        AND substr(it.name, 1, length(virtual.name) + 1) = virtual.name || '_'
    ) ORDER BY name LIMIT ?1";

/// The rows of each table of a copy that is nobody else's. A table that can't be counted, or not in time,
/// is not in it: that it is sound is not for this to say.
pub fn row_counts(copy: &Path, interrupt: &Interrupt) -> Result<Rows, Interrupted> {
    let counted = count(copy, interrupt);
    interrupt.check()?;
    Ok(counted.unwrap_or_else(|error| {
        tracing::debug!(
            "the tables of `{}` are not counted: {error}",
            copy.display()
        );
        Rows::new()
    }))
}

fn count(copy: &Path, interrupt: &Interrupt) -> rusqlite::Result<Rows> {
    let mut connection = open_copy(copy)?;
    let deadline = Instant::now() + LONGEST;
    let watched = interrupt.clone();
    let over = move || watched.signal().is_some() || Instant::now() >= deadline;
    connection.progress_handler(STEPS, Some(over))?;
    let mut tables = connection.prepare(TABLES)?;
    let tables = tables.query_map([MOST_TABLES], |row| row.get::<_, String>(0))?;
    let tables: Vec<String> = tables.filter_map(Result::ok).collect();
    let count = |table: String| Some((rows_of(&connection, &table).ok()?, table));
    let counted = tables.into_iter().filter_map(count);
    Ok(counted.map(|(rows, table)| (table, rows)).collect())
}

fn rows_of(connection: &Connection, table: &str) -> rusqlite::Result<u64> {
    let name = table.replace('"', "\"\"");
    let sql = format!("SELECT count(*) FROM \"{name}\"");
    let rows: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
    Ok(u64::try_from(rows).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_each_table_are_counted_and_what_belongs_to_sqlite_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.db");
        let made = "CREATE TABLE chat (id INTEGER PRIMARY KEY AUTOINCREMENT, text);
            INSERT INTO chat (text) VALUES ('a'), ('b');
            CREATE TABLE \"an \"\"odd\"\" name\" (x);
            CREATE VIRTUAL TABLE search USING fts5 (text);
            INSERT INTO search VALUES ('a');
            CREATE VIEW both AS SELECT * FROM chat;
            CREATE TABLE searched (x); INSERT INTO searched VALUES (1);";
        Connection::open(&path)
            .unwrap()
            .execute_batch(made)
            .unwrap();
        let counted = row_counts(&path, &Interrupt::default()).unwrap();
        let expected = [("an \"odd\" name", 0), ("chat", 2), ("searched", 1)];
        assert_eq!(
            counted,
            expected.map(|(name, n)| (name.to_owned(), n)).into()
        );
    }

    #[test]
    fn of_what_is_no_database_nothing_is_counted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.db");
        std::fs::write(&path, "SQLite format 3\0 and nothing else").unwrap();
        let counted = row_counts(&path, &Interrupt::default()).unwrap();
        assert_eq!(counted, Rows::new());
    }
}
