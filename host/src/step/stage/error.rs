//! What can go wrong while files are staged and read.

use std::io;
use std::path::{Path, PathBuf};

use copal_core::path::RelPath;

use crate::capability::artifacts::NotFinished;
use crate::capability::sqlite::SqliteError;
use crate::edge::beneath::Beneath;
use crate::edge::content::Failed;
use crate::edge::interrupt::Interrupted;
use crate::edge::tops::Swapped;
use crate::edge::walk::WalkError;
use crate::filters::FilterFailed;

/// Why staging failed.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// A file or directory can't be read.
    #[error("can't read `{}`", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A filter hook failed.
    #[error(transparent)]
    Filter(#[from] FilterFailed),
    /// The source, or a disk mounted in it, is another.
    #[error(transparent)]
    Swapped(#[from] Swapped),
    /// A database has no artifact: it would be copied torn.
    #[error("no hook made a copy of the database `{0}`")]
    Uncovered(RelPath),
    /// What an artifact stands in for was there when that was made, and is gone.
    #[error("`{0}` vanished after its copy was made")]
    Vanished(RelPath),
    /// The source got something where a hook had put a new file or directory.
    #[error("`{0}` is in the source by now, and a hook made a file or directory in its place")]
    InTheWay(RelPath),
    /// The source got a database where a hook had put a log of it, or the other way round.
    #[error(
        "`{0}` is a hook's, and SQLite would read it together with what is in the source by now"
    )]
    ReadWith(RelPath),
    /// A database's copy, put off until the app went on, failed.
    #[error(transparent)]
    NotFinished(NotFinished),
    /// A file never stood still.
    #[error("`{0}` kept changing while it was read")]
    NeverStill(RelPath),
    /// What was kept of a file while services were held was taken away.
    #[error("what was kept of `{0}` is gone from the staging directory")]
    NotKept(RelPath),
    /// The staging directory can't be written.
    #[error("can't write `{}` in the staging directory", .path.display())]
    Staging {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A signal came.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl From<NotFinished> for StageError {
    fn from(error: NotFinished) -> Self {
        match error.source {
            SqliteError::Interrupted(interrupted) => Self::Interrupted(interrupted),
            source => Self::NotFinished(NotFinished { source, ..error }),
        }
    }
}

impl From<WalkError<FilterFailed>> for StageError {
    fn from(error: WalkError<FilterFailed>) -> Self {
        match error {
            WalkError::Unreadable { path, source } => Self::Unreadable { path, source },
            WalkError::Filter(failed) => Self::Filter(failed),
            WalkError::Interrupted(interrupted) => Self::Interrupted(interrupted),
        }
    }
}

impl StageError {
    /// Why there is no copy of a live file at `place`.
    pub(in crate::step) fn of_copy(failed: Failed, live: Beneath<'_>, place: &Path) -> Self {
        match failed {
            Failed::Reading(source) => Self::Unreadable {
                path: live.place(),
                source,
            },
            Failed::Writing(error) => in_staging(place)(error),
            Failed::Interrupted(interrupted) => interrupted.into(),
        }
    }
}

/// Names the file in the staging directory that can't be written.
pub(in crate::step) fn in_staging(path: &Path) -> impl Fn(io::Error) -> StageError {
    move |source| StageError::Staging {
        path: path.to_owned(),
        source,
    }
}

/// `None` for a file that the app deleted meanwhile; any other error names the file.
pub(in crate::step) fn gone_or<T>(
    path: &Path,
    result: io::Result<T>,
) -> Result<Option<T>, StageError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StageError::Unreadable {
            path: path.to_owned(),
            source,
        }),
    }
}
