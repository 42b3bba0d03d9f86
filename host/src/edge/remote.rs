//! The remote end, as the steps see it. Paths are relative to the destination and separated by `/`.

mod abilities;
mod deeds;
mod listed;

use std::path::Path;
use std::time::Duration;

use copal_core::charges::Charges;
use copal_core::config::Proof;
use copal_core::forecast::Terms;
use copal_core::survey::Survey;
use copal_core::units::ByteCount;
use copal_rclone::{Proven, RcloneError};

pub use self::abilities::{Abilities, Directories};
pub use self::deeds::{Batch, Linked, Progress, Removal, Removed, Within};
pub use self::listed::{HashKind, Listed, RemoteHash, Tree};
use super::interrupt::Interrupted;

/// What went wrong at the remote's end.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// rclone, or the remote behind it, failed.
    #[error("can't {deed} `{place}`")]
    Failed {
        /// What was tried: `list`, `upload to`, …
        deed: &'static str,
        /// Where; secrets masked.
        place: String,
        /// What rclone said.
        source: RcloneError,
    },
    /// A signal came.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl RemoteError {
    /// Whether it may be that a single file can't be read where it lies.
    pub fn may_be_of_one_file(&self) -> bool {
        match self {
            Self::Failed { source, .. } => source.is_of_single_files(),
            Self::Interrupted(_) => false,
        }
    }
}

/// Watches a transfer.
pub type Watch<'a> = dyn FnMut(Progress) + 'a;

/// A destination, or any place that snapshots are read from.
pub trait Remote {
    /// Its name for people; secrets masked.
    fn shown(&self) -> String;

    /// What it can do.
    fn abilities(&self) -> Result<Abilities, RemoteError>;

    /// All files below `dir`, with the remote's own hash if `hashes`. A missing directory is empty.
    fn files(&self, dir: &str, hashes: bool) -> Result<Vec<Listed>, RemoteError> {
        Ok(self.tree(dir, hashes)?.files)
    }

    /// The same with all directories below it.
    fn tree(&self, dir: &str, hashes: bool) -> Result<Tree, RemoteError>;

    /// Whether it finds a file by this name, which a listing may spell otherwise.
    fn has_file(&self, path: &str) -> Result<bool, RemoteError>;

    /// Those of these files that are there, with their sizes; names are paths below `dir`. Each is asked for by its
    /// name, and nothing is listed: where calls are charged, that is a tenth of a listing.
    fn files_named(&self, dir: &str, names: &[String]) -> Result<Vec<Listed>, RemoteError>;

    /// The names of the directories in `dir`. A missing directory is empty.
    fn directories(&self, dir: &str) -> Result<Vec<String>, RemoteError>;

    /// Uploads batches, all at once. On success rclone reported no error; what arrived is the
    /// listing's to say.
    fn upload(&self, batches: &[Batch<'_>], watch: &mut Watch<'_>) -> Result<(), RemoteError>;

    /// Has the remote copy files of its own. On success rclone reported no error; what is there now
    /// is the listing's to say.
    fn copy_within(&self, files: Within<'_>, watch: &mut Watch<'_>) -> Result<(), RemoteError>;

    /// Gives files of its own a second name, where it is a plain folder of this machine. What is there then is
    /// the listing's to say.
    fn link_within(&self, files: Within<'_>) -> Result<Linked, RemoteError> {
        Ok(Linked::none_of(files))
    }

    /// What of a batch is not there as it is here: by the remote's hashes, or by reading it back.
    fn prove(&self, batch: Batch<'_>, proof: Proof) -> Result<Proven, RemoteError>;

    /// Downloads a batch.
    fn download(&self, batch: Batch<'_>, watch: &mut Watch<'_>) -> Result<(), RemoteError>;

    /// Downloads those files of a batch that are there. Each is asked for by its name, and nothing is listed: where
    /// calls are charged, that is a tenth of a listing.
    fn download_if_there(&self, batch: Batch<'_>) -> Result<(), RemoteError>;

    /// Uploads one file.
    fn put(&self, local: &Path, to: &str) -> Result<(), RemoteError>;

    /// Downloads one file; `Ok(false)` if there is none.
    fn get(&self, from: &str, local: &Path) -> Result<bool, RemoteError>;

    /// Removes one file.
    fn delete(&self, path: &str) -> Result<(), RemoteError>;

    /// Removes a directory that is empty. One that is not there is passed over, and one that has anything in
    /// it is an error.
    fn remove_empty(&self, dir: &str) -> Result<(), RemoteError>;

    /// Removes files with all their versions, and the directories that are empty then. What is not there is
    /// passed over, and a file that can't be removed does not keep the others from it.
    fn remove(&self, removal: Removal<'_>) -> Result<Removed, RemoteError>;

    /// Removes a directory with all below it.
    fn purge(&self, dir: &str) -> Result<(), RemoteError>;

    /// Looks for all that could stand in the way of a backup, and tells within seconds where nobody
    /// answers. With `write` it may put down a small file and remove it.
    fn survey(&self, _write: bool) -> Result<Survey, RemoteError> {
        Ok(Survey::default())
    }

    /// The room that is left, where the remote tells.
    fn room(&self) -> Result<Option<ByteCount>, RemoteError> {
        Ok(None)
    }

    /// Cancels uploads below `dir` that were begun at least so long ago and never finished. Where a
    /// remote ends them itself, there is nothing to do.
    fn end_unfinished(&self, _dir: &str, _begun_before: Duration) -> Result<(), RemoteError> {
        Ok(())
    }

    /// What decides which calls a run makes, and what it sends. Asks for no more than its abilities do.
    fn terms(&self) -> Result<Terms, RemoteError> {
        let Abilities { copies, links, .. } = self.abilities()?;
        Ok(Terms {
            copies,
            links,
            b2: None,
        })
    }

    /// What its calls are charged as, with those of all remotes that were asked since this was called the
    /// last time. None where it does not charge for calls, or not all of them were counted.
    fn take_charges(&self) -> Option<Charges> {
        None
    }

    /// What broke at this end and was mended meanwhile.
    fn mended(&self) -> Option<String> {
        None
    }
}
