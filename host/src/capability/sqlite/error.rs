//! Why a database could not be copied, checked or asked.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rusqlite::ErrorCode;

use crate::edge::content::Failed;
use crate::edge::interrupt::Interrupted;

/// Why there is no good copy.
#[derive(Debug, thiserror::Error)]
pub enum SqliteError {
    /// The live database can't be opened or read.
    #[error("can't read it: {0}")]
    Source(#[source] rusqlite::Error),
    /// The file can't be looked at.
    #[error("can't read it: {0}")]
    Unreadable(#[source] io::Error),
    /// An empty file beside a log that holds everything: only the application may open it.
    #[error("it is empty, and a log with data lies beside it, which only the application may read")]
    EmptyBesideLog,
    /// The copy can't be made a database.
    #[error("can't write the copy: {0}")]
    Copy(#[source] rusqlite::Error),
    /// The copy can't be written.
    #[error("can't write the copy: {0}")]
    Unwritable(#[source] io::Error),
    /// It stayed locked by a writer.
    #[error("a writer kept it locked for {} s", .0.as_secs())]
    Busy(Duration),
    /// A crash left a journal that only the application may roll back.
    #[error("a crash left an unfinished transaction beside it, which only a writer may roll back")]
    HotJournal,
    /// It changed while it was read without locks.
    #[error("it was opened by a writer in the middle of the copy")]
    Changed,
    /// Another file took its place, or its log's, so that the two no longer belong together.
    #[error("another file took its place in the middle of the copy")]
    Replaced,
    /// The copy failed its check.
    #[error("integrity check failed: {0}")]
    Damaged(String),
    /// An index is sorted in an order that only its app has.
    #[error(
        "its copy can't be checked, as an index is sorted in an order that only its app knows ({0}): stop the app with `quiesce`, and have the file taken as it is, with `live = \"allow\"` in its [database] section"
    )]
    Uncheckable(String),
    /// A file that belongs to it can't be read.
    #[error("can't read `{}`, which belongs to it: {}", .0.display(), .1)]
    Beside(PathBuf, #[source] io::Error),
    /// The files beside it were written to all the time.
    #[error("the files beside it did not stand still for {} s", .0.as_secs())]
    NeverStill(Duration),
    /// A statement took too long.
    #[error("the statement was not done in {} s", .0.as_secs())]
    TooLong(Duration),
    /// A statement that is none, or does more than it may.
    #[error("the statement is refused: {0}")]
    Refused(String),
    /// A signal came.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl From<Failed> for SqliteError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Reading(error) => Self::Unreadable(error),
            Failed::Writing(error) => Self::Unwritable(error),
            Failed::Interrupted(interrupted) => interrupted.into(),
        }
    }
}

/// What SQLite said of a live database that was waited for so long.
pub(super) fn explain(error: rusqlite::Error, waited: Duration) -> SqliteError {
    const READONLY_ROLLBACK: i32 = rusqlite::ffi::SQLITE_READONLY_ROLLBACK;
    let extended = error.sqlite_error().map(|error| error.extended_code);
    match (error.sqlite_error_code(), extended) {
        (_, Some(READONLY_ROLLBACK)) => SqliteError::HotJournal,
        (Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked), _) => SqliteError::Busy(waited),
        _ => SqliteError::Source(error),
    }
}
