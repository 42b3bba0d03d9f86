//! A database in WAL mode that nobody has open: read without locks, so that nothing is made beside it.

use std::path::PathBuf;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::error::SqliteError;
use super::source::{is_wal, looked_at, open_read_only};
use crate::edge::beneath::Beneath;
use crate::edge::stat::Version;
use crate::edge::top::Top;

/// A database that no process has open, so that it is read without locks, and watched for change.
pub(super) struct AtRest {
    top: Top,
    path: PathBuf,
    version: Version,
    /// That of its log, if a process that was killed left one.
    pub(super) log: Option<Version>,
}

impl AtRest {
    /// In WAL mode whoever has it open has an index beside it as well. None where it may be open.
    pub(super) fn of(live: Beneath<'_>, version: Version) -> Option<Self> {
        let log = looked_at(live, "-wal");
        let has_index = log.is_some() && looked_at(live, "-shm").is_some();
        if has_index || !is_wal(live).unwrap_or(false) {
            return None;
        }
        Some(Self {
            top: live.top(),
            path: live.path().to_owned(),
            version,
            log: log.as_ref().map(Version::of),
        })
    }

    fn live(&self) -> Beneath<'_> {
        Beneath::below(&self.top, &self.path)
    }

    pub(super) fn open(&self) -> Result<Connection, SqliteError> {
        let path = self.live().place();
        if self.log.is_none() {
            return open_read_only(&path, "&immutable=1");
        }
        // The index of the log is made in memory: no other process is to see it.
        let connection = open_read_only(&path, "&vfs=unix-none")?;
        let keep_log = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        connection
            .set_db_config(keep_log, true)
            .and_then(|_| connection.pragma_update(None, "locking_mode", "EXCLUSIVE"))
            .map_err(SqliteError::Source)?;
        Ok(connection)
    }

    pub(super) fn is_still(&self) -> bool {
        let now = |suffix| {
            let found = looked_at(self.live(), suffix);
            found.as_ref().map(Version::of)
        };
        let log = now("-wal");
        let is_same_log = match (self.log, log) {
            (None, None) => true,
            // SQLite gives a log that it opens to the owner of the database, who has it already: that is
            // a change, and of nothing that it holds.
            (Some(then), Some(now)) => {
                then.has_content_of(&now) && looked_at(self.live(), "-shm").is_none()
            }
            _ => false,
        };
        now("") == Some(self.version) && is_same_log
    }
}
