//! What is wrong with a database.

use std::path::Path;

use copal_hooks::CheckDepth;
use rusqlite::{Connection, Row};

use super::copy::Copied;
use super::error::SqliteError;
use super::source::{PATIENCE, Source, open_copy};
use crate::edge::beneath::Beneath;
use crate::edge::interrupt::Interrupt;

/// The most lines that are told of one database.
const MOST_LINES: usize = 100;

/// As much of a file as SQLite maps at most, in bytes; what is beyond is read.
const LARGEST_MAP: i64 = 0x7fff_0000;

/// What is wrong with the database at `path`; nothing where there is nothing. A copy is nobody
/// else's, and is read without locks; any other is opened as for a copy.
pub fn findings(
    path: Beneath<'_>,
    is_copy: bool,
    depth: CheckDepth,
    interrupt: &Interrupt,
) -> Result<Vec<String>, SqliteError> {
    if is_copy {
        let mut copy = open_copy(&path.place()).map_err(SqliteError::Source)?;
        return look(&mut copy, depth, interrupt);
    }
    let mut source = Source::open(path, PATIENCE, interrupt)?;
    let found = look(&mut source.connection, depth, interrupt)?;
    source.close()?;
    Ok(found)
}

/// Whether a live database can be opened and read, without a look at all its pages.
pub fn opens(path: Beneath<'_>, interrupt: &Interrupt) -> Result<(), SqliteError> {
    let source = Source::open(path, PATIENCE, interrupt)?;
    figures(&source.connection).map_err(SqliteError::Source)?;
    source.close()
}

fn look(
    connection: &mut Connection,
    depth: CheckDepth,
    interrupt: &Interrupt,
) -> Result<Vec<String>, SqliteError> {
    let watched = interrupt.clone();
    connection
        .progress_handler(100_000, Some(move || watched.signal().is_some()))
        .map_err(SqliteError::Source)?;
    let found = read(connection, depth);
    interrupt.check()?;
    found.map_err(SqliteError::Source)
}

fn read(connection: &Connection, depth: CheckDepth) -> rusqlite::Result<Vec<String>> {
    let lines = |pragma: &str, line: fn(&Row<'_>) -> rusqlite::Result<String>| {
        let mut statement = connection.prepare(pragma)?;
        let rows = statement.query_map([], line)?;
        rows.take(MOST_LINES).collect::<rusqlite::Result<Vec<_>>>()
    };
    let pragma = match depth {
        CheckDepth::Quick => "PRAGMA quick_check(100)",
        CheckDepth::Full => "PRAGMA integrity_check(100)",
    };
    let mut found = lines(pragma, |row| row.get(0))?;
    found.retain(|line| line != "ok");
    // Of one that is damaged the foreign keys tell nothing more.
    if depth == CheckDepth::Full && found.is_empty() {
        found = lines("PRAGMA foreign_key_check", |row| {
            let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
            let row = row.get::<_, Option<i64>>(1)?;
            let row = row.map_or_else(String::new, |row| format!(" row {row}"));
            Ok(format!(
                "table {table}{row} refers to a row of {parent} that does not exist"
            ))
        })?;
    }
    Ok(found)
}

/// What the copy turned out to be; nothing is shipped that does not pass this.
pub(super) fn sound(copy: &Path, interrupt: &Interrupt) -> Result<Copied, SqliteError> {
    let mut connection =
        open_copy(copy).map_err(|error| SqliteError::Damaged(error.to_string()))?;
    let watched = interrupt.clone();
    connection
        .progress_handler(100_000, Some(move || watched.signal().is_some()))
        .map_err(SqliteError::Copy)?;
    // It looks up every row of each index, here and there in the file: through a map that takes half as
    // long as by reads. The copy is nobody else's, so that it is not cut under the map.
    connection
        .pragma_update(None, "mmap_size", LARGEST_MAP)
        .map_err(SqliteError::Copy)?;
    let findings: Result<Vec<String>, _> = connection
        .prepare("PRAGMA integrity_check(5)")
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect());
    interrupt.check()?;
    match findings {
        Ok(findings) if findings == ["ok"] => {}
        Ok(findings) => return Err(SqliteError::Damaged(findings.join("; "))),
        Err(error) if error.to_string().contains("no such collation sequence") => {
            return Err(SqliteError::Uncheckable(error.to_string()));
        }
        Err(error) => return Err(SqliteError::Damaged(error.to_string())),
    }
    figures(&connection).map_err(SqliteError::Copy)
}

/// How large a database is, and whether anything is in it.
pub(super) fn figures(connection: &Connection) -> rusqlite::Result<Copied> {
    let read = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, u32>(0));
    Ok(Copied {
        pages: read("PRAGMA page_count")?.into(),
        page_size: read("PRAGMA page_size")?,
        has_schema: read("SELECT count(*) FROM sqlite_schema")? > 0,
    })
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
