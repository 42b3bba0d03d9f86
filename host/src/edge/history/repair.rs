//! A damaged history: noticed before anything is added, and moved out of the way.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use copal_core::sqlite::SIDECARS;
use jiff::Timestamp;
use rusqlite::Connection;
use rustix::fs::{FlockOperation, flock};

use super::{History, HistoryError};

impl History {
    /// A page that is damaged shows when it is read, and what is added after it would be lost.
    pub(super) fn check(&self, connection: &Connection) -> Result<(), HistoryError> {
        let verdict =
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        let verdict = verdict.map_err(|error| self.failed(error))?;
        if verdict != "ok" {
            return Err(self.damaged(&verdict));
        }
        // Tables and columns that are not there are no damage to SQLite.
        let prepared = connection.prepare("SELECT started, snapshots, record FROM run");
        prepared.map(drop).map_err(|error| self.failed(error))
    }

    /// Moves a damaged history out of the way; where to. None where another process did it.
    pub(super) fn set_aside(&self, at: Timestamp) -> Result<Option<PathBuf>, HistoryError> {
        let failed = |source| HistoryError::File {
            file: self.file.clone(),
            source,
        };
        let directory = self.file.parent().unwrap_or(Path::new("."));
        let guard = File::open(directory).map_err(failed)?;
        flock(&guard, FlockOperation::LockExclusive).map_err(|errno| failed(errno.into()))?;
        let still = self.open_to_write().and_then(|known| self.check(&known));
        if !matches!(still, Err(HistoryError::Damaged { .. })) {
            return still.map(|()| None);
        }
        let stamp = at.strftime("%Y-%m-%dT%H%M%SZ");
        let mut aside = with(&self.file, &format!(".damaged-{stamp}"));
        for n in 1.. {
            if !aside.exists() {
                break;
            }
            aside = with(&self.file, &format!(".damaged-{stamp}-{n}"));
        }
        fs::rename(&self.file, &aside).map_err(failed)?;
        for suffix in SIDECARS {
            // Left there, it would be taken for the new one's.
            match fs::rename(with(&self.file, suffix), with(&aside, suffix)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(Some(aside))
    }
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
