//! Rows of a restored database, changed by a hook that may.
//!
//! The statement is a stranger's: it may change rows of this one database that are there, no more, and
//! all of it or none. Only where a restore in place has just put the snapshot: what else lies at the source
//! is the app's, and may be in use.

use std::time::Instant;

use copal_core::path::RelPath;
use copal_hooks::CapabilityError;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, OpenFlags};

use super::error::{SqliteError, explain};
use super::query::{LONGEST, STEPS};
use super::source::{PATIENCE, begin, uri};
use super::{failed, known};
use crate::capability::host::Host;
use crate::edge::beneath::Beneath;
use crate::edge::interrupt::Interrupt;

/// Changes rows of a database that was restored in place; how many.
pub(in crate::capability) fn update(
    host: &Host,
    database: &RelPath,
    sql: &str,
    interrupt: &Interrupt,
) -> Result<u64, CapabilityError> {
    if !host.is_restored {
        let why = "the snapshot is not in place, and what lies there is left as it is";
        return Err(CapabilityError::Invalid(why.into()));
    }
    known(host, database)?;
    let live = Beneath::of(&host.source, database);
    change(live, sql, interrupt).map_err(|error| failed(database, &error))
}

fn change(live: Beneath<'_>, sql: &str, interrupt: &Interrupt) -> Result<u64, SqliteError> {
    // A link is not followed to another database.
    if !live.metadata().map_err(SqliteError::Unreadable)?.is_file() {
        let other = std::io::Error::other("it is no file");
        return Err(SqliteError::Unreadable(other));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(uri(&live.place(), "?mode=rw"), flags)
        .map_err(SqliteError::Source)?;
    begin(&connection, "BEGIN IMMEDIATE", PATIENCE, interrupt)?;
    // Dropped in the midst of it, the connection takes everything back.
    let changed = in_transaction(&mut connection, sql, interrupt)?;
    connection
        .busy_timeout(PATIENCE)
        .and_then(|()| connection.execute_batch("COMMIT"))
        .map_err(|error| explain(error, PATIENCE))?;
    let closed = connection.close();
    closed.map_err(|(_, error)| SqliteError::Source(error))?;
    Ok(changed)
}

fn in_transaction(
    connection: &mut Connection,
    sql: &str,
    interrupt: &Interrupt,
) -> Result<u64, SqliteError> {
    let began = Instant::now();
    fence(connection, interrupt.clone(), began).map_err(SqliteError::Source)?;
    let changed = run(connection, sql);
    lift_fence(connection).map_err(SqliteError::Source)?;
    interrupt.check()?;
    changed.map_err(|error| match error {
        SqliteError::Refused(_) if began.elapsed() >= LONGEST => SqliteError::TooLong(LONGEST),
        other => other,
    })
}

fn run(connection: &Connection, sql: &str) -> Result<u64, SqliteError> {
    let refused = |error: rusqlite::Error| SqliteError::Refused(error.to_string());
    let mut statement = connection.prepare(sql).map_err(refused)?;
    if statement.readonly() || statement.column_count() > 0 || statement.parameter_count() > 0 {
        let why = "it is no UPDATE that stands by itself";
        return Err(SqliteError::Refused(why.into()));
    }
    let changed = statement.execute([]).map_err(refused)?;
    Ok(u64::try_from(changed).unwrap_or(u64::MAX))
}

fn fence(
    connection: &mut Connection,
    interrupt: Interrupt,
    began: Instant,
) -> rusqlite::Result<()> {
    connection.authorizer(Some(|asked: AuthContext<'_>| match asked.action {
        AuthAction::Update { .. }
        | AuthAction::Select
        | AuthAction::Read { .. }
        | AuthAction::Function { .. }
        | AuthAction::Recursive => Authorization::Allow,
        _ => Authorization::Deny,
    }))?;
    let over = move || interrupt.signal().is_some() || began.elapsed() >= LONGEST;
    connection.progress_handler(STEPS, Some(over))
}

/// The transaction is Copal's to end.
fn lift_fence(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)?;
    connection.progress_handler(0, None::<fn() -> bool>)
}

#[cfg(test)]
#[path = "update_tests.rs"]
mod tests;
