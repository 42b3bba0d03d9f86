//! Why an old tree stays where it is.

use std::io;
use std::path::PathBuf;

use crate::edge::in_use::User;

/// Why an old tree is not swapped back, or not deleted.
#[derive(Debug, thiserror::Error)]
pub enum OldTreeError {
    /// No restore in place has kept one that is still there.
    #[error("no restore of `{0}` in place has kept an old tree that is still there")]
    None(String),
    /// The last one found nothing at the source.
    #[error("the last restore of `{name}` in place, begun at {began}, has kept no old tree")]
    NothingKept {
        /// The job.
        name: String,
        /// When it began.
        began: String,
    },
    /// The run that was asked for has kept none.
    #[error("no old tree was kept by a run `{run}`")]
    Unknown {
        /// What was asked for.
        run: String,
        /// The runs that have.
        known: Vec<String>,
    },
    /// There are several, and one has to be meant.
    #[error("{} restores have kept an old tree each", .0.len())]
    Which(Vec<String>),
    /// It was swapped back, deleted or moved since.
    #[error("the old tree `{}` is gone", .0.display())]
    Gone(PathBuf),
    /// The newest was swapped back, deleted or moved since, by hand, and there are older ones.
    #[error("the newest old tree `{}` is gone", .path.display())]
    Newer {
        /// Where it was.
        path: PathBuf,
        /// The runs that kept the others.
        older: Vec<String>,
    },
    /// It is not what the restore kept.
    #[error("`{}` is not the directory that the restore kept", .0.display())]
    Other(PathBuf),
    /// Its deletion was begun.
    #[error("the old tree `{}` is not whole any more", .path.display())]
    Half {
        /// Where it lies.
        path: PathBuf,
        /// The run that kept it.
        run: String,
    },
    /// It was the tree of another source.
    #[error("the old tree `{}` was live at `{}`, and the source is `{}` now", .path.display(), .was.display(), .is.display())]
    Elsewhere {
        /// Where it lies.
        path: PathBuf,
        /// Where it was live.
        was: PathBuf,
        /// Where the source is.
        is: PathBuf,
    },
    /// There is no live tree, so that it may be the only one.
    #[error("nothing is at `{}`, and the old tree may be the only one", .0.display())]
    OnlyOne(PathBuf),
    /// It is the live tree, or has it in it.
    #[error("`{}` is live, or the live tree lies in it", .0.display())]
    Live(PathBuf),
    /// Something is mounted in it, whose content would be deleted, too.
    #[error("`{}` is mounted in the old tree", .0.display())]
    Mounted(PathBuf),
    /// Backups lie in it, and would be deleted with it.
    #[error("the old tree has backups in it: `{}`", .0.display())]
    HoldsBackups(PathBuf),
    /// Somebody works in it: an app, most likely, that was not restarted since.
    #[error("{by} works in the old tree `{}`", .path.display())]
    InUse {
        /// Where it lies.
        path: PathBuf,
        /// Who.
        by: User,
    },
    /// Something in it is another user's, so that only half of it could be deleted.
    #[error("the old tree `{}` can't be deleted whole: you may not delete `{}`", .path.display(), .what.display())]
    NotYours {
        /// Where it lies.
        path: PathBuf,
        /// The first that would stay.
        what: PathBuf,
    },
    /// The file system lets nobody delete something in it.
    #[error("the old tree `{}` can't be deleted whole: `{}` is immutable or append-only", .path.display(), .what.display())]
    Protected {
        /// Where it lies.
        path: PathBuf,
        /// The first that would stay, or keeps what is in it.
        what: PathBuf,
    },
    /// A record can't be read or written.
    #[error("can't keep or read `{}`, the record of an old tree", .path.display())]
    Record {
        /// The record.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It can't be looked at.
    #[error("can't look at the old tree `{}`", .path.display())]
    Unreadable {
        /// It, or what is in it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It can't be deleted, or not all of it.
    #[error("can't delete all of the old tree `{}`", .path.display())]
    NotDeleted {
        /// Where it lies.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl OldTreeError {
    /// Why it is an error at all, for what has no cause below it.
    pub fn reason(&self) -> Option<&'static str> {
        Some(match self {
            Self::Which(_) => {
                "what is deleted is gone, so that the one that is meant has to be said"
            }
            Self::Gone(_) => "it was swapped back, deleted or moved since",
            Self::Other(_) => "another directory has come to have that name, or it was copied",
            Self::Half { .. } => "its deletion was begun",
            Self::OnlyOne(_) | Self::HoldsBackups(_) => "what is deleted is gone",
            Self::InUse { .. } => "it would lose what it writes; what is live it does not see",
            Self::NotYours { .. } => {
                "it, or the directory above it, is another user's, and half a tree is none to go back to"
            }
            Self::Protected { .. } => {
                "an attribute of the file system keeps everybody from it, and half a tree is none to go back to"
            }
            Self::NothingKept { .. } => "nothing was at the source, so that there was none to keep",
            Self::Newer { .. } => "an older one is not what the last restore kept",
            Self::Mounted(_) => "what is mounted there would be deleted with it",
            _ => return None,
        })
    }
}

impl From<(PathBuf, io::Error)> for OldTreeError {
    fn from((path, source): (PathBuf, io::Error)) -> Self {
        Self::Record { path, source }
    }
}
