//! When a hook is called, and in which run.

use std::collections::BTreeMap;
use std::fmt;

/// A moment of a run in which hooks are called. Each is an interface that a hook may export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Before the source is staged.
    PreBackup,
    /// While the source is walked.
    Filter,
    /// When everything is staged, before the transfer.
    Staged,
    /// When the run has ended.
    PostBackup,
    /// Before a restore in place.
    PreRestore,
    /// When a restore in place has ended.
    PostRestore,
    /// On a restored copy in a scratch directory.
    Drill,
}

impl Phase {
    /// All phases, in the order of a run.
    pub const ALL: [Self; 7] = [
        Self::PreBackup,
        Self::Filter,
        Self::Staged,
        Self::PostBackup,
        Self::PreRestore,
        Self::PostRestore,
        Self::Drill,
    ];

    /// The name of the phase's interface in `wit/`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PreBackup => "pre-backup",
            Self::Filter => "filter",
            Self::Staged => "staged",
            Self::PostBackup => "post-backup",
            Self::PreRestore => "pre-restore",
            Self::PostRestore => "post-restore",
            Self::Drill => "drill",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a hook is told about the run it is part of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunInfo {
    /// The run's identifier.
    pub run_id: String,
    /// The job's name.
    pub job: String,
    /// Whether the run only tells what it would do. The hook is told; that capabilities then only
    /// record what is asked of them is the part of the [`Capabilities`](crate::Capabilities) given.
    pub dry_run: bool,
    /// The snapshot that is being restored or drilled.
    pub snapshot: Option<String>,
    /// Figures by name: `files` and `bytes` of what is staged, or of the snapshot.
    pub counters: BTreeMap<String, u64>,
}
