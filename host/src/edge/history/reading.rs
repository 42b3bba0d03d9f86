//! Reading the history: the list of runs, and the record of one.

use std::io;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Params, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{History, HistoryError};

/// What the list shows of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The run's id.
    pub run: String,
    /// The job's name.
    pub name: String,
    /// `backup`, `drill`, `restore`, `prune` or `verify`.
    pub kind: String,
    /// When it began.
    pub started: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// How it ended.
    pub outcome: String,
    /// The exit code.
    pub exit: u8,
    /// The ids of its snapshots.
    pub snapshots: Vec<String>,
    /// The first thing that failed, or fell short. Read from the record.
    pub trouble: Option<String>,
}

/// Which runs count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// However it ended.
    Any,
    /// One in which all went well.
    Good,
    /// One that failed.
    Bad,
}

/// Whose backups count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Those of the job that has a configuration.
    Job,
    /// Those also that the command line alone described, under the same name.
    Any,
}

/// Which run is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunRef {
    /// The one that began last.
    Latest,
    /// The one of this job that began last.
    LatestOf(String),
    /// The one whose id begins so.
    Prefix(String),
}

impl From<&str> for RunRef {
    fn from(text: &str) -> Self {
        match text {
            "latest" => Self::Latest,
            prefix => Self::Prefix(prefix.to_owned()),
        }
    }
}

impl History {
    /// The newest `limit` runs, of one job or of all, oldest first.
    pub fn list(&self, name: Option<&str>, limit: u32) -> Result<Vec<Row>, HistoryError> {
        let Some(connection) = self.open_to_read()? else {
            return Ok(Vec::new());
        };
        let query = "
            SELECT id, name, kind, started, took_ms, outcome, exit, snapshots,
                CASE WHEN json_valid(record) THEN coalesce(
                    record ->> '$.errors[0].what', record ->> '$.shortcomings[0].what') END
            FROM run WHERE ?1 IS NULL OR name = ?1 ORDER BY started DESC LIMIT ?2";
        let read = || {
            let mut statement = connection.prepare(query)?;
            let rows = statement.query_map(params![name, limit], row)?;
            rows.collect::<Result<Vec<_>, _>>()
        };
        let mut rows = read().map_err(|error| self.failed(error))?;
        rows.reverse();
        Ok(rows)
    }

    /// The record of one run, read from its JSON.
    pub fn find<T: DeserializeOwned>(&self, which: &RunRef) -> Result<T, HistoryError> {
        let empty = || HistoryError::Empty(self.file.clone());
        let connection = self.open_to_read()?.ok_or_else(empty)?;
        let failed = |error| self.failed(error);
        let id = match which {
            RunRef::Latest => latest(&connection, None)
                .map_err(failed)?
                .ok_or_else(empty)?,
            RunRef::LatestOf(name) => latest(&connection, Some(name))
                .map_err(failed)?
                .ok_or_else(|| HistoryError::NoneOf(name.clone()))?,
            RunRef::Prefix(prefix) => self.id_of(&connection, prefix)?,
        };
        let text: String = connection
            .query_row("SELECT record FROM run WHERE id = ?1", [&id], |row| {
                row.get(0)
            })
            .map_err(failed)?;
        serde_json::from_str(&text).map_err(|error| HistoryError::Damaged {
            file: self.file.clone(),
            why: format!("the record of `{id}` can't be read: {error}"),
        })
    }

    /// The record of the last backup of a job that made a snapshot at this destination, or brought a mirror there up
    /// to date. One of a time to come, by a clock that was wrong, only where there is no other.
    pub fn last_at<T: DeserializeOwned>(
        &self,
        name: &str,
        (destination, is_mirror): (&str, bool),
        whose: Whose,
    ) -> Result<Option<T>, HistoryError> {
        let query = "
            SELECT record FROM run WHERE name = ?1 AND kind = 'backup' AND json_valid(record)
                AND (?3 OR record ->> '$.one_off' IS NULL)
                AND EXISTS (SELECT 1 FROM json_each(record, '$.snapshots')
                    WHERE value ->> '$.destination' = ?2
                    AND coalesce(value ->> '$.is_mirror', 0) = ?4)
            ORDER BY started > strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), started DESC LIMIT 1";
        let any = whose == Whose::Any;
        self.record(query, params![name, destination, any, is_mirror])
    }

    /// The record of the last run of this kind that had to do with a snapshot at this destination, and the
    /// last of them that went well, or failed, where only such are `wanted`.
    pub fn last_about<T: DeserializeOwned>(
        &self,
        name: &str,
        (destination, is_mirror): (&str, bool),
        kind: &str,
        wanted: Wanted,
    ) -> Result<Option<T>, HistoryError> {
        let query = "
            SELECT record FROM run WHERE name = ?1 AND kind = ?3 AND json_valid(record)
                AND outcome LIKE ?4
                AND EXISTS (SELECT 1 FROM json_each(record, '$.snapshots')
                    WHERE value ->> '$.destination' = ?2
                    AND coalesce(value ->> '$.is_mirror', 0) = ?5)
            ORDER BY started > strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), started DESC LIMIT 1";
        let outcome = match wanted {
            Wanted::Any => "%",
            Wanted::Good => "succeeded",
            Wanted::Bad => "failed",
        };
        let values = params![name, destination, kind, outcome, is_mirror];
        self.record(query, values)
    }

    /// Whether a run of the job is known to have pruned this snapshot at this destination.
    pub fn is_pruned(
        &self,
        name: &str,
        destination: &str,
        snapshot: &str,
    ) -> Result<bool, HistoryError> {
        let query = "
            SELECT id FROM run WHERE name = ?1 AND json_valid(record)
                AND EXISTS (SELECT 1 FROM json_each(record, '$.pruned')
                    WHERE value ->> '$.destination' = ?2 AND value ->> '$.id' = ?3) LIMIT 1";
        self.has_any(query, [name, destination, snapshot])
    }

    /// Whether there is a run of this id that had to do with this destination, or that knows itself what it
    /// had to do with.
    pub fn knows(&self, run: &str, destination: &str) -> Result<bool, HistoryError> {
        let query = "
            SELECT id FROM run WHERE id = ?1 AND (
                NOT json_valid(record)
                OR record ->> '$.rebuilt' IS NULL
                OR EXISTS (SELECT 1 FROM json_each(record, '$.snapshots')
                    WHERE value ->> '$.destination' = ?2))";
        self.has_any(query, [run, destination])
    }

    /// The record of the last run of a job that was of this kind. One that the command line alone described is none.
    pub fn last_of<T: DeserializeOwned>(
        &self,
        name: &str,
        kind: &str,
    ) -> Result<Option<T>, HistoryError> {
        let query = "
            SELECT record FROM run WHERE name = ?1 AND kind = ?2 AND json_valid(record)
                AND record ->> '$.one_off' IS NULL
            ORDER BY started > strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), started DESC LIMIT 1";
        self.record(query, params![name, kind])
    }

    /// Hands the record of each run of a job to `take`, the newest first. Answers with how many can't be read, which
    /// are left out.
    pub fn each<T: DeserializeOwned>(
        &self,
        name: &str,
        mut take: impl FnMut(T),
    ) -> Result<u64, HistoryError> {
        let query = "SELECT record FROM run WHERE name = ?1 ORDER BY started DESC";
        let Some(connection) = self.open_to_read()? else {
            return Ok(0);
        };
        let mut read = || {
            let mut unreadable = 0;
            let mut statement = connection.prepare(query)?;
            let mut rows = statement.query([name])?;
            while let Some(row) = rows.next()? {
                match serde_json::from_str(&row.get::<_, String>(0)?) {
                    Ok(record) => take(record),
                    Err(_) => unreadable += 1,
                }
            }
            Ok(unreadable)
        };
        read().map_err(|error| self.failed(error))
    }

    /// Whether there is a run that is asked for so.
    fn has_any(&self, query: &str, values: impl Params) -> Result<bool, HistoryError> {
        let Some(connection) = self.open_to_read()? else {
            return Ok(false);
        };
        let id = connection.query_row(query, values, |row| row.get::<_, String>(0));
        let id = id.optional().map_err(|error| self.failed(error))?;
        Ok(id.is_some())
    }

    fn record<T: DeserializeOwned>(
        &self,
        query: &str,
        values: impl Params,
    ) -> Result<Option<T>, HistoryError> {
        let Some(connection) = self.open_to_read()? else {
            return Ok(None);
        };
        let text = connection.query_row(query, values, |row| row.get::<_, String>(0));
        let text = text.optional().map_err(|error| self.failed(error))?;
        let read = |text: String| {
            serde_json::from_str(&text).map_err(|error| HistoryError::Damaged {
                file: self.file.clone(),
                why: format!("the record of a run can't be read: {error}"),
            })
        };
        text.map(read).transpose()
    }

    /// How a run ended, by its whole id, if it is known: what was made from its manifest alone does not tell.
    pub fn outcome_of(&self, run: &str) -> Result<Option<String>, HistoryError> {
        let Some(connection) = self.open_to_read()? else {
            return Ok(None);
        };
        let query = "SELECT outcome FROM run WHERE id = ?1
            AND CASE WHEN json_valid(record) THEN record ->> '$.rebuilt' END IS NULL";
        let known = connection.query_row(query, [run], |row| row.get(0));
        known.optional().map_err(|error| self.failed(error))
    }

    fn id_of(&self, connection: &Connection, prefix: &str) -> Result<String, HistoryError> {
        const SHOWN: u32 = 5;
        let query = "SELECT id FROM run WHERE substr(id, 1, length(?1)) = ?1
            ORDER BY id = ?1 DESC, started DESC LIMIT ?2";
        let read = || {
            let mut statement = connection.prepare(query)?;
            let ids = statement.query_map(params![prefix, SHOWN], |row| row.get(0))?;
            ids.collect::<Result<Vec<String>, _>>()
        };
        let mut ids = read().map_err(|error| self.failed(error))?;
        match &ids[..] {
            [] => Err(HistoryError::Unknown(prefix.to_owned())),
            [first, rest @ ..] if first == prefix || rest.is_empty() => Ok(ids.swap_remove(0)),
            _ => Err(HistoryError::Ambiguous {
                prefix: prefix.to_owned(),
                candidates: ids,
            }),
        }
    }

    fn open_to_read(&self) -> Result<Option<Connection>, HistoryError> {
        match self.file.symlink_metadata() {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                let file = self.file.clone();
                return Err(HistoryError::File { file, source });
            }
        }
        let mut connection = self.open(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let version = match self.version(&connection) {
            // A run was killed while it wrote here. Who may write first undoes what it has half done.
            Err(HistoryError::Sqlite { source, .. }) if is_half_written(&source) => {
                connection = self.open(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
                self.version(&connection)
            }
            told => told,
        };
        Ok((version? > 0).then_some(connection))
    }
}

fn is_half_written(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    code == Some(rusqlite::ffi::SQLITE_READONLY_ROLLBACK)
}

/// The run that began last, of one job or of all.
fn latest(connection: &Connection, name: Option<&str>) -> rusqlite::Result<Option<String>> {
    let query = "SELECT id FROM run WHERE ?1 IS NULL OR name = ?1 ORDER BY started DESC LIMIT 1";
    let id = connection.query_row(query, [name], |row| row.get(0));
    id.optional()
}

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let bad = |column, error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error)
    };
    let started: String = row.get(3)?;
    let snapshots: String = row.get(7)?;
    Ok(Row {
        run: row.get(0)?,
        name: row.get(1)?,
        kind: row.get(2)?,
        started: started.parse().map_err(|error| bad(3, Box::new(error)))?,
        took_ms: u64::try_from(row.get::<_, i64>(4)?).unwrap_or(0),
        outcome: row.get(5)?,
        exit: row.get(6)?,
        snapshots: serde_json::from_str(&snapshots).map_err(|error| bad(7, Box::new(error)))?,
        trouble: row.get(8)?,
    })
}
