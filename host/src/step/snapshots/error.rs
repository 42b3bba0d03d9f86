//! Why snapshots can't be read.

use std::error::Error as _;
use std::io;

use copal_core::manifest::ManifestError;
use copal_core::snapshot::{ResolveError, SnapshotId};

use crate::edge::remote::RemoteError;

/// Why snapshots or a manifest can't be read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The remote, or the way to it.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The name stands for no snapshot, or for several.
    #[error("{source} in `{place}`")]
    Resolve {
        /// Where was looked.
        place: String,
        /// Why.
        source: ResolveError,
    },
    /// A mirror was asked for another state than its own.
    #[error("the mirror `{place}` has the state of its last run alone, `{id}`")]
    OneState {
        /// The destination; secrets masked.
        place: String,
        /// That state.
        id: SnapshotId,
        /// The job's name, under which snapshots may lie there as well.
        name: String,
    },
    /// Its manifest can't be trusted.
    #[error("the manifest of `{id}` is damaged")]
    Manifest {
        /// The snapshot.
        id: SnapshotId,
        /// Why.
        source: ManifestError,
    },
    /// A mirror's manifest can't be trusted, or not be understood.
    #[error("the manifest of the mirror `{place}` {}", what_of(.source))]
    MirrorManifest {
        /// The destination; secrets masked.
        place: String,
        /// Why.
        source: ManifestError,
    },
    /// A mirror's checksums are there, and its manifest is not.
    #[error("the mirror `{0}` has `.copal/SHA256SUMS` and no manifest")]
    ManifestGone(String),
    /// No run has come to its end there yet.
    #[error("`{0}` is no mirror yet")]
    NoMirror(String),
    /// It goes just now, or a prune that had begun with it was killed.
    #[error("`{0}` is being pruned")]
    BeingPruned(SnapshotId),
    /// No name was given, and there is none, or more than one.
    #[error("`{place}` holds {}", names_found(.names))]
    WhichName {
        /// Where was looked.
        place: String,
        /// The names there.
        names: Vec<String>,
    },
    /// In a folder of this machine something lies under a name of Copal's own that is of no use, or must not be
    /// gone through.
    #[error("`{path}` in `{place}` can't be used: {why}")]
    Odd {
        /// Its path in the destination.
        path: String,
        /// The destination; secrets masked.
        place: String,
        /// Why.
        why: String,
    },
    /// A temporary file can't be made or read.
    #[error("can't use the temporary directory")]
    Temporary(#[from] io::Error),
}

fn what_of(error: &ManifestError) -> &'static str {
    match error {
        ManifestError::TooNew { .. } => "is of a later version of Copal",
        ManifestError::Unreadable(_)
        | ManifestError::OutOfReach(_)
        | ManifestError::Inconsistent(_) => "is damaged",
    }
}

fn names_found(names: &[String]) -> String {
    if names.is_empty() {
        return "no snapshots".to_owned();
    }
    format!("snapshots of several names ({})", names.join(", "))
}

impl StoreError {
    /// The same of one snapshot's manifest: where the remote answers and may merely not give that one file, it is out
    /// of reach, as with a disk below it that has a bad sector.
    pub(in crate::step) fn of_manifest(self, id: SnapshotId) -> Self {
        match self {
            Self::Remote(error) if error.may_be_of_one_file() => {
                let why = error.source().map(|why| format!(": {why}"));
                let why = format!("{error}{}", why.unwrap_or_default());
                let source = ManifestError::OutOfReach(why.replace('\n', " "));
                Self::Manifest { id, source }
            }
            other => other,
        }
    }

    /// Whether one file of many may be the reason.
    pub(super) fn may_be_of_one_file(&self) -> bool {
        matches!(self, Self::Remote(error) if error.may_be_of_one_file())
    }

    /// Whether there is merely no snapshot of that name.
    pub fn is_of_the_name(&self) -> bool {
        matches!(self, Self::Resolve { .. } | Self::OneState { .. })
    }
}
