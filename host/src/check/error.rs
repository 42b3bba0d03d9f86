//! What a check finds by itself, and no step of a run says in the same way.

use std::io;
use std::path::PathBuf;

use copal_core::path::RelPath;
use copal_hooks::HookFailure;

use crate::capability::sqlite::SqliteError;

/// What a backup would stumble over.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// A live database is damaged.
    #[error("the database `{path}` is damaged")]
    Damaged {
        /// It.
        path: RelPath,
        /// What SQLite says is wrong with it.
        problems: Vec<String>,
    },
    /// A live database can't be read.
    #[error("can't read the database `{path}`")]
    Unopenable {
        /// It.
        path: RelPath,
        /// Why.
        source: SqliteError,
    },
    /// There is no writing where locks, journals and the history lie.
    #[error("can't write to `{}`, where Copal keeps its state", .path.display())]
    State {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A hook can't take the end of a backup, however that ends.
    #[error("each backup would end with 3 (sealed, and the hook falls short)")]
    AtTheEnd(#[source] Box<HookFailure>),
    /// rclone's configuration is there, and not for this user to read.
    #[error("can't read rclone's configuration `{}`", .path.display())]
    RcloneConfig {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl CheckError {
    /// Each thing that is wrong, where there may be many.
    pub fn problems(&self) -> &[String] {
        match self {
            Self::Damaged { problems, .. } => problems,
            Self::Unopenable { .. }
            | Self::State { .. }
            | Self::AtTheEnd(_)
            | Self::RcloneConfig { .. } => &[],
        }
    }
}
