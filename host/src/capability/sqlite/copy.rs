//! Copies of live SQLite databases, of one moment each, as quick as `cp`.
//!
//! SQLite's own online backup reads and writes page by page through two caches, at a third of the
//! speed. What is done here instead is: begin a read transaction; copy the log, if there is one; copy
//! the file; end the transaction; and have SQLite apply the copied log to the copied file. Why that is
//! one moment of the database:
//!
//! - *With a rollback journal*, the transaction holds the SHARED lock, under which no writer writes to
//!   the file, and which SQLite grants only when no journal is left to be rolled back. The bytes of
//!   the file are the database.
//! - *With a log (WAL)*, writers append to the log only. Checkpoints copy from it into the file, up to
//!   the oldest reader's mark and no further, and the log does not begin anew while a reader holds a
//!   mark in it (<https://sqlite.org/wal.html>, 3.2; `walCheckpoint` and `walRestartLog` in SQLite's
//!   source). So while the transaction lasts, a page of the file changes only if the log has it among
//!   the frames up to our mark, and all of these are in the copied log, whenever that is copied: what
//!   the copied file has there, old, new or torn, is not looked at. All other pages stand still.
//!   Applied to it, the log gives the last transaction that was whole in it when it was copied. That is
//!   ours, or a later one; a frame that was being written fails its checksum, and ends it there.
//! - *With a log that is wholly in the file already*, a reader holds mark 0 instead: then nothing is
//!   copied into the file at all, and writers may begin the log anew. The copied log is then the old
//!   one, which changes nothing; or the new one, which belongs on top of this very file. Where it began
//!   anew while it was copied, the copy may have the first frames of the old one alone, which would put
//!   older pages over newer ones. A new log's header is written before its frames: so the header is
//!   looked at again after the copy, and if it is another, nothing of the copied log counts: the file
//!   is the moment of our transaction.
//!
//! All of this is said of one file and its own log. Copal reads both by their paths, and so looks whether
//! what it opens there is what the connection has open: a database may be replaced by a rename, and a
//! directory on the way to it by a link to elsewhere, which SQLite would follow.
//!
//! The log is copied first, so that the moment is the beginning and not the end. A descriptor of the
//! live file is never closed before the connection: closing any ends all locks that the process has
//! on the file (POSIX), and with them all of the above.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use super::check;
use super::error::SqliteError;
use super::source::{PATIENCE, Source, sidecar, uri};
use crate::edge::beneath::Beneath;
use crate::edge::content;
use crate::edge::interrupt::Interrupt;

/// The header of a log, with its salts. Source: <https://sqlite.org/fileformat2.html>, 4.1.
const LOG_HEADER: u64 = 32;

/// A copy that was made and checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Number of pages.
    pub pages: u64,
    /// Bytes in each.
    pub page_size: u32,
    /// Whether it holds any table, index or view at all.
    pub has_schema: bool,
}

/// Copies the live database `from` into the new file `to` and checks the copy.
///
/// The copy is of one moment, and takes as long as the file is large, whatever is written meanwhile.
/// In WAL mode writers go on; in rollback mode they wait, as they would for any reader.
pub fn back_up(from: Beneath<'_>, to: &Path, interrupt: &Interrupt) -> Result<Copied, SqliteError> {
    let copied = || {
        let began = Instant::now();
        let copy = View::open(from, to, PATIENCE, interrupt)?.copy(interrupt)?;
        let copied_ms = began.elapsed().as_millis();
        let checked = copy.check(interrupt)?;
        let checked_ms = began.elapsed().as_millis() - copied_ms;
        tracing::debug!(from = %from.place().display(), copied_ms, checked_ms, "copied and checked");
        Ok(checked)
    };
    match copied() {
        // A writer came in the middle; from now on there is a log, and locks are taken.
        Err(SqliteError::Changed) => {
            fs::remove_file(to).map_err(SqliteError::Unwritable)?;
            copied()
        }
        other => other,
    }
}

/// One moment of a live database, held by a read transaction until it is copied.
///
/// While there is one, nothing else in this process may open the live file but SQLite.
pub struct View {
    // Before `file`: see the module.
    source: Source,
    file: File,
    to: PathBuf,
}

impl View {
    /// Begins; from now on the copy's moment stands. `to` and a file beside it will be made.
    pub fn open(
        from: Beneath<'_>,
        to: &Path,
        patience: Duration,
        interrupt: &Interrupt,
    ) -> Result<Self, SqliteError> {
        /// A database is not replaced all the time.
        const TRIES: u32 = 3;
        for _ in 1..TRIES {
            let source = Source::open(from, patience, interrupt);
            match source.and_then(|source| Self::of(source, from, to, interrupt)) {
                Err(SqliteError::Replaced) => {}
                other => return other,
            }
        }
        let source = Source::open(from, patience, interrupt)?;
        Self::of(source, from, to, interrupt)
    }

    /// Which file it is of.
    pub(in crate::capability) fn file(&self) -> (u64, u64) {
        self.source.file
    }

    /// The view of a transaction that has begun.
    pub(super) fn of(
        source: Source,
        from: Beneath<'_>,
        to: &Path,
        interrupt: &Interrupt,
    ) -> Result<Self, SqliteError> {
        if let Some(log) = source.open_log(from)? {
            let copied = create(&sidecar(to, "-wal"))?;
            content::copy(&log, &copied, interrupt)?;
            if began_anew(&log, &copied)? {
                copied.set_len(0).map_err(SqliteError::Unwritable)?;
            }
        }
        Ok(Self {
            file: source.open_file(from).or_else(|error| {
                remove_if_there(&sidecar(to, "-wal"))?;
                Err(error)
            })?,
            source,
            to: to.to_owned(),
        })
    }

    /// What is known before the copy.
    pub fn expected(&self) -> Result<Copied, SqliteError> {
        check::figures(&self.source.connection).map_err(SqliteError::Source)
    }

    /// Whether the app may go on to write while this lasts.
    pub fn lets_write(&self) -> bool {
        self.source.lets_write()
    }

    /// Copies, and ends the transaction.
    pub fn copy(self, interrupt: &Interrupt) -> Result<Copy, SqliteError> {
        let read = self.read(interrupt);
        let ended = self.end();
        read.and(ended)
    }

    /// Copies the file.
    pub(super) fn read(&self, interrupt: &Interrupt) -> Result<(), SqliteError> {
        Ok(content::copy(&self.file, &create(&self.to)?, interrupt)?)
    }

    /// Ends the transaction under which the file was copied.
    pub(super) fn end(self) -> Result<Copy, SqliteError> {
        let Self { source, file, to } = self;
        let has_log = source.has_log;
        let closed = source.close();
        drop(file);
        closed?;
        Ok(Copy { file: to, has_log })
    }

    /// The connection, for questions about the same moment.
    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.source.connection
    }
}

/// A copy that has all its bytes, and is not checked.
#[must_use]
pub struct Copy {
    file: PathBuf,
    has_log: bool,
}

impl Copy {
    /// Applies its log, and does `PRAGMA integrity_check` on it; nothing is shipped that does not pass it.
    pub fn check(self, interrupt: &Interrupt) -> Result<Copied, SqliteError> {
        if self.has_log {
            apply_log(&self.file)?;
        }
        check::sound(&self.file, interrupt)
    }
}

/// Whether a log has another beginning than its copy: it began anew, or was cut, while it was copied.
fn began_anew(log: &File, copy: &File) -> Result<bool, SqliteError> {
    let (mut now, mut then) = (Vec::new(), Vec::new());
    for (file, header) in [(log, &mut now), (copy, &mut then)] {
        let mut file = file.try_clone().map_err(SqliteError::Unreadable)?;
        file.seek(SeekFrom::Start(0))
            .map_err(SqliteError::Unreadable)?;
        let read = file.take(LOG_HEADER).read_to_end(header);
        read.map_err(SqliteError::Unreadable)?;
    }
    Ok(now != then)
}

fn remove_if_there(path: &Path) -> Result<(), SqliteError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(SqliteError::Unwritable(error))
        }
        _ => Ok(()),
    }
}

fn create(path: &Path) -> Result<File, SqliteError> {
    let mut new = OpenOptions::new();
    new.read(true).write(true).create_new(true);
    new.open(path).map_err(SqliteError::Unwritable)
}

/// Has SQLite copy the log beside `copy` into it, and take it away.
fn apply_log(copy: &Path) -> Result<(), SqliteError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI;
    let connection =
        Connection::open_with_flags(uri(copy, ""), flags).map_err(SqliteError::Copy)?;
    // The copy is thrown away with the run if anything fails, so that nothing of it need be on the
    // disk; and it is nobody else's, so that it needs no index in shared memory.
    let applied = connection
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = OFF;")
        .and_then(|()| {
            let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
            connection.query_row(sql, [], |row| row.get::<_, i64>(0))
        });
    let closed = connection.close().map_err(|(_, error)| error);
    let busy = applied
        .and_then(|busy| closed.map(|()| busy))
        .map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                SqliteError::Damaged(error.to_string())
            }
            _ => SqliteError::Copy(error),
        })?;
    // The last to close takes the log away, once all of it is in the file.
    if busy != 0 || sidecar(copy, "-wal").exists() {
        return Err(SqliteError::Damaged("its log could not be applied".into()));
    }
    Ok(())
}

#[cfg(test)]
#[path = "copy_tests.rs"]
mod tests;
