//! A small store of each hook's own, which outlives runs.
//!
//! Configuration: none. Grant: `state = true` ([`Need::State`](copal_core::grants::Need::State)), read
//! in `copal-core`. In a dry run it is a copy in memory, which is thrown away.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use copal_hooks::{Call, CapabilityError};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, params};

use crate::edge::state::{StateDir, make_private};

/// How long another process may be writing to it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two looks at the signal while it is.
const LOOK: Duration = Duration::from_millis(50);

const TABLE: &str = "CREATE TABLE IF NOT EXISTS value (
    job TEXT NOT NULL,
    hook TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (job, hook, key)
) STRICT, WITHOUT ROWID";

/// The stores of a job's hooks, in one file of Copal's state directory.
#[derive(Debug, Default)]
pub struct Store {
    /// None where there is no state directory: then there is nothing to keep anything in.
    file: Option<PathBuf>,
    job: String,
    is_scratch: bool,
    open: Mutex<Option<Connection>>,
}

#[derive(Debug, thiserror::Error)]
enum StoreError {
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("there is no place for it")]
    Nowhere,
    #[error(
        "the hook's keys and values would be {would} bytes, and may be {may} (`state` in its `limits`)"
    )]
    Full { would: u64, may: u64 },
}

impl Store {
    /// That of the job called `job`.
    pub fn of(job: &str, state: &StateDir) -> Self {
        Self {
            file: Some(state.path().join("hook-state.sqlite3")),
            job: job.to_owned(),
            ..Self::default()
        }
    }

    /// A copy in memory, made when it is first needed.
    pub(super) fn scratch(self) -> Self {
        Self {
            is_scratch: true,
            ..self
        }
    }

    /// Does some work, again and again while another process keeps the file locked.
    fn with<T>(
        &self,
        call: &Call<'_>,
        work: impl Fn(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, CapabilityError> {
        let patient_until = Instant::now() + PATIENCE;
        let mut open = self.open.lock().expect("no holder of this lock panics");
        loop {
            let error = match self.attempt(&mut open, &work) {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            if call.cancel.is_cancelled() {
                return Err(CapabilityError::Interrupted);
            }
            match error {
                // SQLite itself has waited for a moment.
                StoreError::Sqlite(error) if is_busy(&error) && Instant::now() < patient_until => {}
                StoreError::Full { .. } => return Err(CapabilityError::Invalid(error.to_string())),
                error => {
                    let why = format!("the store of hooks: {error}");
                    return Err(CapabilityError::Failed(why));
                }
            }
        }
    }

    fn attempt<T>(
        &self,
        open: &mut Option<Connection>,
        work: impl Fn(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = match open.take() {
            Some(connection) => connection,
            None => self.open()?,
        };
        let done = work(&mut connection);
        *open = Some(connection);
        done
    }

    fn open(&self) -> Result<Connection, StoreError> {
        let file = self.file.as_deref().ok_or(StoreError::Nowhere)?;
        let connection = if self.is_scratch {
            scratch_copy(file)?
        } else {
            if let Some(directory) = file.parent() {
                make_private(directory)?;
            }
            // Made here, so that nobody else can read it from its first moment.
            OpenOptions::new()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(file)?;
            Connection::open(file)?
        };
        connection.busy_timeout(LOOK)?;
        // What was set is on the disk when this is told.
        connection.pragma_update(None, "synchronous", "EXTRA")?;
        connection.execute_batch(TABLE)?;
        Ok(connection)
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

fn scratch_copy(file: &Path) -> Result<Connection, StoreError> {
    let mut copy = Connection::open_in_memory()?;
    if file.try_exists()? {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let real = Connection::open_with_flags(file, flags)?;
        real.busy_timeout(LOOK)?;
        let all = Backup::new(&real, &mut copy)?.step(-1)?;
        if all != StepResult::Done {
            let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
            return Err(rusqlite::Error::SqliteFailure(busy, None).into());
        }
    }
    Ok(copy)
}

pub(super) fn get(
    store: &Store,
    call: &Call<'_>,
    key: &str,
) -> Result<Option<Vec<u8>>, CapabilityError> {
    store.with(call, |connection| {
        let sql = "SELECT value FROM value WHERE job = ?1 AND hook = ?2 AND key = ?3";
        let of = params![store.job, call.hook, key];
        Ok(connection.query_row(sql, of, |row| row.get(0)).optional()?)
    })
}

pub(super) fn set(
    store: &Store,
    call: &Call<'_>,
    key: &str,
    value: &[u8],
) -> Result<(), CapabilityError> {
    store.with(call, |connection| {
        let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let sql = "SELECT coalesce(sum(length(CAST(key AS BLOB)) + length(value)), 0) FROM value
                   WHERE job = ?1 AND hook = ?2 AND key <> ?3";
        let of = params![store.job, call.hook, key];
        let others: i64 = change.query_row(sql, of, |row| row.get(0))?;
        let others = u64::try_from(others).unwrap_or(0);
        let would = others + (key.len() + value.len()) as u64;
        let may = call.limits.state.0;
        if would > may {
            return Err(StoreError::Full { would, may });
        }
        let sql = "INSERT INTO value (job, hook, key, value) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT DO UPDATE SET value = excluded.value";
        change.execute(sql, params![store.job, call.hook, key, value])?;
        Ok(change.commit()?)
    })
}

pub(super) fn delete(store: &Store, call: &Call<'_>, key: &str) -> Result<(), CapabilityError> {
    store.with(call, |connection| {
        let sql = "DELETE FROM value WHERE job = ?1 AND hook = ?2 AND key = ?3";
        connection.execute(sql, params![store.job, call.hook, key])?;
        Ok(())
    })
}

pub(super) fn keys(store: &Store, call: &Call<'_>) -> Result<Vec<String>, CapabilityError> {
    store.with(call, |connection| {
        let sql = "SELECT key FROM value WHERE job = ?1 AND hook = ?2 ORDER BY key";
        let mut statement = connection.prepare(sql)?;
        let keys = statement.query_map(params![store.job, call.hook], |row| row.get(0))?;
        Ok(keys.collect::<Result<_, _>>()?)
    })
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
