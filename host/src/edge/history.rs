//! The history: one row for each run, in a SQLite database of Copal's own. It never stops a run;
//! what it can't keep is told as a shortcoming.

mod reading;
mod repair;

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};

use super::state::StateDir;

pub use reading::{Row, RunRef, Wanted, Whose};

/// How long another process may keep it locked.
const BUSY: Duration = Duration::from_secs(3);

/// Runs that are kept; the oldest go first.
const RUNS_KEPT: u32 = 5000;

/// The version of the tables, in SQLite's `user_version`.
const VERSION: i64 = 1;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS run (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        started TEXT NOT NULL,
        took_ms INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        exit INTEGER NOT NULL,
        snapshots TEXT NOT NULL,
        record TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS run_by_start ON run (started);
    PRAGMA user_version = 1;
";

/// The history of all jobs of one state directory.
#[derive(Debug, Clone)]
pub struct History {
    file: PathBuf,
}

/// Why the history can't be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The file can't be made or moved.
    #[error("can't write the history `{}`", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// SQLite can't use it: locked for too long, not writable, the disk is full.
    #[error("can't use the history `{}`", .file.display())]
    Sqlite {
        /// The file.
        file: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// It is a directory, a pipe or a device.
    #[error("the history `{}` is no regular file", .0.display())]
    NoFile(PathBuf),
    /// It is damaged, or no history.
    #[error("the history `{}` is damaged: {why}", .file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// It was damaged, and a new one begun.
    #[error("the history was damaged: a new one is begun, and the old one is `{}`", .0.display())]
    SetAside(PathBuf),
    /// A later version of Copal made it.
    #[error("the history `{}` is of a later version of Copal", .0.display())]
    Later(PathBuf),
    /// No run is known at all.
    #[error("no run is known in `{}`", .0.display())]
    Empty(PathBuf),
    /// No run of a job is known.
    #[error("no run of `{0}` is known")]
    NoneOf(String),
    /// No run has such an id.
    #[error("no run's id begins with `{0}`")]
    Unknown(String),
    /// Several do.
    #[error("the ids of several runs begin with `{prefix}`")]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// Some of them.
        candidates: Vec<String>,
    },
}

impl History {
    /// The history in a state directory.
    pub fn of(state: &StateDir) -> Self {
        Self {
            file: state.path().join("history.sqlite3"),
        }
    }

    /// Adds a run: what the list shows of it, and its record as JSON. A damaged history is moved
    /// aside first, and a new one begun: [`HistoryError::SetAside`] then tells of it, and the run is
    /// kept all the same.
    pub fn add(&self, row: &Row, record: &str) -> Result<(), HistoryError> {
        match self.try_add(row, record) {
            Err(HistoryError::Damaged { .. }) => {
                let aside = self.set_aside(row.started)?;
                self.try_add(row, record)?;
                aside.map_or(Ok(()), |aside| Err(HistoryError::SetAside(aside)))
            }
            other => other,
        }
    }

    /// Changes the record of a run, of which more is known now than it knew itself; whether there is one.
    /// Fields that this version does not know are kept.
    pub fn amend(
        &self,
        run: &str,
        change: impl FnOnce(&mut serde_json::Value),
    ) -> Result<bool, HistoryError> {
        if !self.file.exists() {
            return Ok(false);
        }
        let mut connection = self.open_to_write()?;
        let damage = |error| self.failed(error);
        let transaction = connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(damage)?;
        let kept = transaction.query_row("SELECT record FROM run WHERE id = ?1", [run], |row| {
            row.get::<_, String>(0)
        });
        let Some(kept) = kept.optional().map_err(damage)? else {
            return Ok(false);
        };
        let mut record = serde_json::from_str(&kept).map_err(|error| HistoryError::Damaged {
            file: self.file.clone(),
            why: format!("the record of `{run}` can't be read: {error}"),
        })?;
        change(&mut record);
        transaction
            .execute(
                "UPDATE run SET record = ?2, snapshots = coalesce(?3, snapshots) WHERE id = ?1",
                params![run, record.to_string(), snapshots_of(&record)],
            )
            .map_err(damage)?;
        transaction.commit().map_err(damage)?;
        Ok(true)
    }

    fn try_add(&self, row: &Row, record: &str) -> Result<(), HistoryError> {
        let mut connection = self.open_to_write()?;
        let damage = |error| self.failed(error);
        self.check(&connection)?;
        let transaction = connection.transaction().map_err(damage)?;
        let snapshots = serde_json::to_string(&row.snapshots).expect("texts become JSON");
        transaction
            .execute(
                "INSERT OR REPLACE INTO run VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    row.run,
                    row.name,
                    row.kind,
                    // As long for each, so that their text sorts as they do.
                    format!("{:.6}", row.started),
                    i64::try_from(row.took_ms).unwrap_or(i64::MAX),
                    row.outcome,
                    row.exit,
                    snapshots,
                    record,
                ],
            )
            .map_err(damage)?;
        transaction
            .execute(
                "DELETE FROM run WHERE id NOT IN (SELECT id FROM run ORDER BY started DESC LIMIT ?1)",
                [RUNS_KEPT],
            )
            .map_err(damage)?;
        transaction.commit().map_err(damage)
    }

    fn open_to_write(&self) -> Result<Connection, HistoryError> {
        let failed = |source| HistoryError::File {
            file: self.file.clone(),
            source,
        };
        if let Some(directory) = self.file.parent() {
            fs::create_dir_all(directory).map_err(failed)?;
        }
        self.regular()?;
        // What an app holds, and what its hooks do, is its owner's business alone.
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.file)
            .map_err(failed)?;
        let mut connection = self.open(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        if self.version(&connection)? == 0 {
            let make = |connection: &mut Connection| {
                let transaction = connection
                    .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
                transaction.execute_batch(TABLES)?;
                transaction.commit()
            };
            make(&mut connection).map_err(|error| self.failed(error))?;
        }
        Ok(connection)
    }

    /// To open a pipe would wait for whoever is at its other end.
    fn regular(&self) -> Result<(), HistoryError> {
        match fs::metadata(&self.file) {
            Ok(metadata) if !metadata.is_file() => Err(HistoryError::NoFile(self.file.clone())),
            // What else is wrong with it, opening it tells.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn open(&self, access: OpenFlags) -> Result<Connection, HistoryError> {
        self.regular()?;
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let connection = Connection::open_with_flags(&self.file, flags)?;
            connection.busy_timeout(BUSY)?;
            Ok(connection)
        };
        open().map_err(|error| self.failed(error))
    }

    /// The version of its tables; 0 where there are none yet.
    fn version(&self, connection: &Connection) -> Result<i64, HistoryError> {
        let ask = |query| connection.query_row(query, [], |row| row.get::<_, i64>(0));
        let failed = |error| self.failed(error);
        match ask("PRAGMA user_version").map_err(failed)? {
            0 if ask("SELECT count(*) FROM sqlite_schema").map_err(failed)? > 0 => {
                Err(self.damaged("it is a database of something else"))
            }
            later if later > VERSION => Err(HistoryError::Later(self.file.clone())),
            version => Ok(version),
        }
    }

    fn failed(&self, source: rusqlite::Error) -> HistoryError {
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                self.damaged(&source.to_string())
            }
            // A table or column of this version that is not there.
            Some(ErrorCode::Unknown) => self.damaged(&source.to_string()),
            _ => HistoryError::Sqlite {
                file: self.file.clone(),
                source,
            },
        }
    }

    fn damaged(&self, why: &str) -> HistoryError {
        HistoryError::Damaged {
            file: self.file.clone(),
            why: why.to_owned(),
        }
    }
}

/// What the list shows of a record's snapshots, where it says which there are.
fn snapshots_of(record: &serde_json::Value) -> Option<String> {
    let snapshots = record["snapshots"].as_array()?.iter();
    let ids: Option<Vec<_>> = snapshots.map(|it| it.get("id").cloned()).collect();
    Some(serde_json::Value::Array(ids?).to_string())
}

#[cfg(test)]
mod tests;
