//! Why a tree did not take the place of the live one, or not quite as it should.

use std::io;
use std::path::PathBuf;

use crate::edge::in_use::User;
use crate::holds::HoldsError;

/// Why the live tree was not replaced.
#[derive(Debug, thiserror::Error)]
pub enum SwapError {
    /// The source, or the directory above it, can't be looked at.
    #[error("can't open `{}`", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The source is a file.
    #[error("the source `{}` is not a directory", .0.display())]
    NotADirectory(PathBuf),
    /// Something is mounted there.
    #[error("the source `{}` is a mount point", .0.display())]
    MountPoint(PathBuf),
    /// What is mounted in a mount point can't leave it.
    #[error("the source `{}` is a mount point, and so is `{}` in it", .live.display(), .inner.display())]
    MountedIn {
        /// The source.
        live: PathBuf,
        /// What is in it.
        inner: PathBuf,
    },
    /// The directory above can't be written.
    #[error("the source can't be exchanged: `{}` is not writable", .parent.display())]
    ParentNotWritable {
        /// That directory.
        parent: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What the run itself needs lies in the source.
    #[error("Copal's own directory `{}` lies in the source", .0.display())]
    HoldsCopal(PathBuf),
    /// Backups lie in the source, and would go with the old tree.
    #[error("the source has backups in it: `{}`", .0.display())]
    HoldsBackups(PathBuf),
    /// The directory beside the source can't be made or written out.
    #[error("can't prepare `{}` beside the source", .path.display())]
    Beside {
        /// That directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There would be no record of the old tree.
    #[error("can't keep `{}`, the record of the old tree", .path.display())]
    NotNoted {
        /// The record.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There would be no journal of it, or no guard.
    #[error(transparent)]
    NotBegun(Box<HoldsError>),
    /// Entries were exchanged one by one, one failed, and so did going back.
    #[error("the source `{}` is between two trees: going back failed, too ({back})", .live.display())]
    Between {
        /// The source.
        live: PathBuf,
        /// What keeps it there.
        back: io::Error,
        /// Why the exchange failed.
        source: io::Error,
    },
    /// The exchange failed, and the live tree is where it was.
    #[error("can't put the restored tree in the place of `{}`, which is as it was", .live.display())]
    Untouched {
        /// The live tree.
        live: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The old tree was moved away, and neither tree could be put in its place. Both are kept.
    #[error("nothing is at `{}`: the old tree is `{}` and can't be moved back ({back}), and the restored one is `{}`", .live.display(), .before.display(), .restored.display())]
    Vacant {
        /// Where the live tree belongs.
        live: PathBuf,
        /// Where it is.
        before: PathBuf,
        /// Where the restored tree is, complete and proven.
        restored: PathBuf,
        /// Why it can't be moved back.
        back: io::Error,
        /// Why the new one can't take its place.
        source: io::Error,
    },
}

/// The restored tree is live, and this is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum Unfinished {
    /// The exchange is not on the disk for certain.
    #[error("the trees are exchanged, and `{}` can't be written out", .parent.display())]
    NotWrittenOut {
        /// The directory above the source.
        parent: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The record of the old tree names another place.
    #[error("the record `{}` of the old tree can't be brought up to date", .record.display())]
    NotNoted {
        /// The record.
        record: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody wrote there in the midst of it.
    #[error("something was written to the source while it was exchanged, and is kept apart: `{}`", .0.display())]
    Strays(PathBuf),
    /// The file system's own directory keeps its place, and what the restored tree had of that name is apart.
    #[error("the source's own `lost+found` stays, and what was restored of it is kept apart: `{}`", .0.display())]
    NotMoved(PathBuf),
    /// An app that was not restarted does not see what is live.
    #[error("{by} still works in the old tree `{}`", .before.display())]
    InUse {
        /// Where it is.
        before: PathBuf,
        /// Who.
        by: User,
    },
    /// The old tree has the name that the restored one had.
    #[error("the old tree keeps the name `{}`", .before.display())]
    KeepsName {
        /// Where it is.
        before: PathBuf,
        /// Why it can't be renamed.
        source: io::Error,
    },
}
