//! Copies and checks of SQLite databases.
//!
//! Configuration: `[database."PATH"]`. Grant: `sqlite`, paths in the source or `"*"`
//! ([`Need::Database`](copal_core::grants::Need::Database)). Both are read in `copal-core`.

mod check;
mod copy;

use std::fs::{self, Metadata};
use std::path::Path;

use copal_core::manifest::Taken;
use copal_core::path::RelPath;
use copal_core::units::ByteCount;
use copal_hooks::{CapabilityError, CheckDepth};

pub use check::findings;
pub use copal_core::sqlite::is_sidecar;
pub use copy::{Copied, SqliteError, back_up, is_database};

use super::artifacts::Artifact;
use super::host::Host;
use crate::edge::interrupt::Interrupt;
use crate::edge::walk::absolute;

/// Copies a database into the staging directory, where it stands in for the live file.
pub(super) fn backup(
    host: &Host,
    database: &RelPath,
    interrupt: &Interrupt,
) -> Result<copal_hooks::Copied, CapabilityError> {
    known(host, database)?;
    let file = host.artifacts.next_file();
    let live = absolute(&host.source, database);
    let copied = back_up(&live, &file, interrupt).map_err(|error| failed(database, &error))?;
    tracing::debug!(%database, pages = copied.pages, "database copied and checked");
    host.artifacts.add(Artifact {
        stands_in_for: database.clone(),
        file,
        taken: Taken::SqliteBackup,
        database: Some(copied),
    });
    Ok(copal_hooks::Copied {
        pages: copied.pages,
        page_size: copied.page_size,
        checked: true,
    })
}

/// In a dry run nothing is copied. Checks and lists are real: they change nothing.
pub(super) fn recorded_backup(
    host: &Host,
    database: &RelPath,
) -> Result<copal_hooks::Copied, CapabilityError> {
    known(host, database)?;
    Ok(copal_hooks::Copied {
        pages: 0,
        page_size: 0,
        checked: false,
    })
}

/// The size of a database's write-ahead log; nothing where it has none. A filter may have left it out,
/// and its pages are part of the database all the same.
pub fn log_size(source: &Path, database: &RelPath) -> ByteCount {
    let log = absolute(source, &database.with_suffix("-wal"));
    let found = fs::symlink_metadata(log).ok().filter(Metadata::is_file);
    ByteCount(found.map_or(0, |found| found.len()))
}

/// What is wrong with a database: with its copy where there is one, else with the file itself.
pub(super) fn check(
    host: &Host,
    database: &RelPath,
    depth: CheckDepth,
    interrupt: &Interrupt,
) -> Result<Vec<String>, CapabilityError> {
    known(host, database)?;
    match host.artifacts.stand_in(database) {
        Some(copy) => findings(&copy, true, depth, interrupt),
        None => findings(&absolute(&host.source, database), false, depth, interrupt),
    }
    .map_err(|error| failed(database, &error))
}

fn known(host: &Host, database: &RelPath) -> Result<(), CapabilityError> {
    if host.databases.contains(database) {
        Ok(())
    } else {
        Err(CapabilityError::Missing(database.to_string()))
    }
}

fn failed(database: &RelPath, error: &SqliteError) -> CapabilityError {
    let text = format!("database `{database}`: {error}");
    match error {
        SqliteError::Interrupted(_) => CapabilityError::Interrupted,
        SqliteError::Busy(_) => CapabilityError::TimedOut(text),
        SqliteError::Source(_)
        | SqliteError::Unreadable(_)
        | SqliteError::EmptyBesideLog
        | SqliteError::Copy(_)
        | SqliteError::HotJournal
        | SqliteError::Changed
        | SqliteError::Damaged(_) => CapabilityError::Failed(text),
    }
}
