//! Copies and checks of SQLite databases, and questions to them.
//!
//! Configuration: `[database."PATH"]`. Grants: `sqlite`, paths in the source or `"*"`
//! ([`Need::Database`](copal_core::grants::Need::Database)), and `query` for rows
//! ([`Need::Query`](copal_core::grants::Need::Query)) and `update` for changes of a restored one
//! ([`Need::Update`](copal_core::grants::Need::Update)). All are read in `copal-core`.

mod at_rest;
mod check;
mod copy;
mod error;
mod moment;
mod names;
mod query;
mod rows;
mod source;
mod update;

use std::fs::Metadata;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use copal_core::manifest::Taken;
use copal_core::path::RelPath;
use copal_core::units::ByteCount;
use copal_hooks::{Call, CapabilityError, CheckDepth, Holder, Phase};

pub use check::{findings, opens};
pub use copal_core::sqlite::is_sidecar;
pub use copy::{Copied, Copy, View, back_up};
pub use error::SqliteError;
pub use rows::row_counts;
pub use source::{begins_one, is_database};
pub(super) use update::update;

use self::moment::Together;
use self::names::{finish, opened_as};
use self::source::{PATIENCE, Source, is_wal, open_copy};
use super::archive::walk_inside;
use super::artifacts::{Artifact, PutOff};
use super::host::Host;
use crate::edge::beneath::Beneath;
use crate::edge::holders::{Database, Fault, at_fault};
use crate::edge::interrupt::Interrupt;
use crate::edge::top::Top;
use crate::edge::walk::{WalkError, absolute};

/// How long a writer is waited for while a service is held: it may be the one that is, and then it
/// never ends.
const PATIENCE_WHILE_HELD: Duration = Duration::from_secs(2);

/// Writers that had to wait this long may have given up.
const LONG: Duration = Duration::from_secs(3);

/// Copies a database into the staging directory, where it stands in for the live file.
///
/// While a service is held, what can wait is done when it goes on.
pub(super) fn backup(
    host: &Host,
    database: &RelPath,
    interrupt: &Interrupt,
) -> Result<copal_hooks::Copied, CapabilityError> {
    known(host, database)?;
    let to_failed = |error| failed(database, &error);
    // A copy that there is already stays whole, should this one fail.
    finish(host, database, interrupt).map_err(|error| failed(database, &error))?;
    if host.is_held() && host.artifacts.may_put_off() {
        return begin_backup(host, database, interrupt).map_err(to_failed);
    }
    let file = host.artifacts.next_file();
    let live = opened_as(host, database);
    let copied = back_up(Beneath::of(&host.source, &live), &file, interrupt).map_err(to_failed)?;
    Ok(stand_in(host, database, file, copied, true))
}

/// The moment is now. A database with a log is copied later, from a transaction that is open until
/// then; under any other the app could not write meanwhile, so that only the check is put off.
fn begin_backup(
    host: &Host,
    database: &RelPath,
    interrupt: &Interrupt,
) -> Result<copal_hooks::Copied, SqliteError> {
    let file = host.artifacts.next_file();
    let live = opened_as(host, database);
    let live = Beneath::of(&host.source, &live);
    let view = View::open(live, &file, PATIENCE_WHILE_HELD, interrupt)?;
    let expected = view.expected()?;
    let left = if view.lets_write() {
        PutOff::View(Box::new(view))
    } else {
        PutOff::Copy(view.copy(interrupt)?)
    };
    host.artifacts.put_off(database, left);
    tracing::debug!(%database, pages = expected.pages, "the moment of a database stands");
    Ok(stand_in(host, database, file, expected, false))
}

fn stand_in(
    host: &Host,
    database: &RelPath,
    file: PathBuf,
    copied: Copied,
    checked: bool,
) -> copal_hooks::Copied {
    host.artifacts.add(Artifact {
        stands_in_for: database.clone(),
        file,
        taken: Taken::SqliteBackup,
        database: Some(copied),
    });
    copal_hooks::Copied {
        pages: copied.pages,
        page_size: copied.page_size,
        checked,
    }
}

/// Copies a database and the files of directories as one moment.
pub(super) fn backup_with(
    host: &Host,
    database: &RelPath,
    beside: &[RelPath],
    interrupt: &Interrupt,
) -> Result<copal_hooks::Copied, CapabilityError> {
    known(host, database)?;
    for directory in beside {
        let live = Beneath::of(&host.source, directory);
        if !live.metadata().is_ok_and(|found| found.is_dir()) {
            return Err(CapabilityError::Missing(directory.to_string()));
        }
    }
    finish(host, database, interrupt).map_err(|error| failed(database, &error))?;
    let to = host.artifacts.next_file();
    let patience = if host.is_held() {
        PATIENCE_WHILE_HELD
    } else {
        PATIENCE
    };
    let look = || {
        let mut all = Vec::new();
        for directory in beside {
            all.extend(walk_inside(host, directory, interrupt).map_err(of_walk)?);
        }
        Ok(all)
    };
    let together = Together {
        source: &host.source,
        database,
        to: &to,
        look: &look,
        belongs: &|path| !host.databases.contains(path) && !host.live_databases.contains(path),
        next_file: &|| host.artifacts.next_file(),
        patience,
        interrupt,
    };
    let moment = together.copy().map_err(|error| failed(database, &error))?;
    if moment.held > LONG {
        let seconds = moment.held.as_secs_f64();
        tracing::warn!("writers to `{database}` had to wait {seconds:.1} s for its copy");
    }
    let checked = !host.is_held();
    let copied = if checked {
        let copied = moment.copy.check(interrupt);
        copied.map_err(|error| failed(database, &error))?
    } else {
        host.artifacts.put_off(database, PutOff::Copy(moment.copy));
        moment.expected
    };
    for directory in beside {
        let found = moment.found.iter();
        let found = found.filter(|found| found.path.is_within(directory));
        host.artifacts
            .hold_still(directory, found.cloned().collect(), &moment.files);
    }
    Ok(stand_in(host, database, to, copied, checked))
}

fn of_walk(error: WalkError<std::convert::Infallible>) -> SqliteError {
    match error {
        WalkError::Unreadable { path, source } => SqliteError::Beside(path, source),
        WalkError::Filter(never) => match never {},
        WalkError::Interrupted(interrupted) => interrupted.into(),
    }
}

/// In a dry run nothing is copied. Checks, questions and lists are real: they change nothing.
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
pub fn log_size(source: &Top, database: &RelPath) -> ByteCount {
    let log = database.with_suffix("-wal");
    let found = Beneath::of(source, &log).metadata();
    let found = found.ok().filter(Metadata::is_file);
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
    finish(host, database, interrupt)
        .and_then(|()| {
            if let Some(copy) = host.artifacts.stand_in(database) {
                return findings(Beneath::at(&copy), true, depth, interrupt);
            }
            let live = Beneath::of(&host.source, database);
            findings(live, false, depth, interrupt)
        })
        .map_err(|error| failed(database, &error))
}

/// Rows of a database: of its copy where there is one, else of the file itself.
pub(super) fn query(
    host: &Host,
    database: &RelPath,
    (sql, limit): (&str, u32),
    interrupt: &Interrupt,
) -> Result<String, CapabilityError> {
    known(host, database)?;
    let artifacts = &host.artifacts;
    let of_view = artifacts.of_view(database, |view| {
        query::rows(view.connection(), sql, limit, interrupt)
    });
    let rows = || {
        if let Some(rows) = of_view {
            return rows;
        }
        finish(host, database, interrupt)?;
        if let Some(copy) = artifacts.stand_in(database) {
            let mut copy = open_copy(&copy).map_err(SqliteError::Source)?;
            return query::rows(&mut copy, sql, limit, interrupt);
        }
        let live = opened_as(host, database);
        let live = Beneath::of(&host.source, &live);
        let mut source = Source::open(live, PATIENCE, interrupt)?;
        let rows = query::rows(&mut source.connection, sql, limit, interrupt)?;
        source.close()?;
        Ok(rows)
    };
    rows().map_err(|error| match error {
        // Before a restore in place it may be what was lost.
        SqliteError::Unreadable(error) if error.kind() == io::ErrorKind::NotFound => {
            CapabilityError::Missing(database.to_string())
        }
        error => failed(database, &error),
    })
}

/// Who has a live database open in a way that a copy of it may miss what they wrote.
pub(super) fn holders(
    host: &Host,
    call: &Call<'_>,
    database: &RelPath,
    interrupt: &Interrupt,
) -> Result<Vec<Holder>, CapabilityError> {
    if matches!(call.phase, Phase::PostRestore | Phase::Drill) {
        let why = "nobody has the databases of a restored copy open";
        return Err(CapabilityError::Invalid(why.into()));
    }
    known(host, database)?;
    finish(host, database, interrupt).map_err(|error| failed(database, &error))?;
    let live = absolute(&host.source, database);
    let keeps_locks = is_wal(Beneath::of(&host.source, database)).unwrap_or(false);
    let found = at_fault(Database {
        file: &live,
        keeps_locks,
    });
    let found = found.map_err(|error| {
        CapabilityError::Failed(format!("can't see who has `{database}` open: {error}"))
    })?;
    let told = found.into_iter().map(|holder| Holder {
        pid: holder.pid,
        program: holder.program,
        why: match holder.fault {
            Fault::DeletedLog => "it writes to a log that was deleted",
            Fault::NoLock => "it has the database open and holds no lock on it",
        }
        .to_owned(),
    });
    Ok(told.collect())
}

fn known(host: &Host, database: &RelPath) -> Result<(), CapabilityError> {
    if host.databases.contains(database) {
        Ok(())
    } else {
        Err(CapabilityError::Missing(database.to_string()))
    }
}

pub(super) fn failed(database: &RelPath, error: &SqliteError) -> CapabilityError {
    let text = format!("database `{database}`: {error}");
    match error {
        SqliteError::Interrupted(_) => CapabilityError::Interrupted,
        SqliteError::Busy(_) | SqliteError::NeverStill(_) | SqliteError::TooLong(_) => {
            CapabilityError::TimedOut(text)
        }
        SqliteError::Refused(_) => CapabilityError::Invalid(text),
        SqliteError::Source(_)
        | SqliteError::Unreadable(_)
        | SqliteError::Beside(..)
        | SqliteError::EmptyBesideLog
        | SqliteError::Copy(_)
        | SqliteError::Unwritable(_)
        | SqliteError::HotJournal
        | SqliteError::Changed
        | SqliteError::Replaced
        | SqliteError::Uncheckable(_)
        | SqliteError::Damaged(_) => CapabilityError::Failed(text),
    }
}

#[cfg(test)]
#[path = "sqlite/deeds_tests.rs"]
mod tests;
