//! What `post-backup` and `post-restore` hooks are told.

use std::collections::BTreeMap;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is done: every destination has the snapshot, or the snapshot is in place.
    Succeeded,
    /// It is done, but something fell short on the way or after it.
    Warned,
    /// It is not done: some destination has no snapshot, or the snapshot is not in place.
    Failed,
    /// The same, because somebody stopped it.
    Interrupted,
    /// The run was killed, and a later one tells of it.
    Abandoned,
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// What failed or fell short.
    pub message: Option<String>,
    /// The identifier of the snapshot that was sealed, the first where several were, or put in place.
    pub snapshot: Option<String>,
    /// Figures by name: `files`, `bytes`, `duration-ms`, and what else `wit/report.wit` names.
    pub counters: BTreeMap<String, u64>,
}
