//! When a hook is called, and in which run.

use std::fmt;

/// A moment of a run in which hooks are called. Each is an interface that a hook may export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Before the source is staged.
    PreBackup,
    /// While the source is walked.
    Filter,
    /// When the run has ended.
    PostBackup,
}

impl Phase {
    /// All phases, in the order of a run.
    pub const ALL: [Self; 3] = [Self::PreBackup, Self::Filter, Self::PostBackup];

    /// The name of the phase's interface in `wit/`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PreBackup => "pre-backup",
            Self::Filter => "filter",
            Self::PostBackup => "post-backup",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a hook is told about the run it is part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunInfo {
    /// The run's identifier.
    pub run_id: String,
    /// Whether the run only tells what it would do. The hook is told; that capabilities then only
    /// record what is asked of them is the part of the [`Capabilities`](crate::Capabilities) given.
    pub dry_run: bool,
}
