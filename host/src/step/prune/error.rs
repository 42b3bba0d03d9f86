//! Why a prune fell short.

use copal_core::snapshot::SnapshotId;

use crate::edge::interrupt::Interrupted;
use crate::edge::remote::RemoteError;
use crate::step::snapshots::StoreError;

/// Why a prune fell short.
#[derive(Debug, thiserror::Error)]
pub enum PruneError {
    /// What there is can't be told.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The remote, or the way to it.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// What was sealed a moment ago is not listed, so that the list can't be trusted.
    #[error(
        "`{place}` does not list the snapshot {id} that was just sealed, so nothing was pruned"
    )]
    NotListed {
        /// The destination; secrets masked.
        place: String,
        /// The snapshot.
        id: SnapshotId,
    },
    /// What was sealed a moment ago would go itself: others take its place.
    #[error(
        "`{place}` has newer snapshots than {id}, which was just sealed, so nothing was pruned"
    )]
    Passed {
        /// The destination; secrets masked.
        place: String,
        /// The snapshot.
        id: SnapshotId,
    },
    /// It would go, and nobody can tell which files are its own.
    #[error("`{dir}` at {place} is not pruned")]
    Damaged {
        /// The destination; secrets masked.
        place: String,
        /// The snapshot's directory.
        dir: String,
        /// Why.
        source: Box<StoreError>,
    },
    /// Some of its files could not be removed.
    #[error("{count} of the files of `{dir}` at {place} could not be removed: {}", .names.join(", "))]
    NotRemoved {
        /// The destination; secrets masked.
        place: String,
        /// The directory.
        dir: String,
        /// How many.
        count: u64,
        /// Some of them.
        names: Vec<String>,
        /// Why, of the first.
        source: Box<RemoteError>,
    },
    /// A signal came.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}
