//! What `post-backup` hooks are told.

use std::collections::BTreeMap;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A snapshot was sealed.
    Succeeded,
    /// A snapshot was sealed, but something after it fell short.
    Warned,
    /// No snapshot was made.
    Failed,
    /// No snapshot was made, because somebody stopped the run.
    Interrupted,
    /// The run was killed; a later one reports it.
    Abandoned,
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// What failed or fell short.
    pub message: Option<String>,
    /// The identifier of the sealed snapshot.
    pub snapshot: Option<String>,
    /// Figures by name: `files`, `bytes`, `transferred-bytes`, `duration-ms`, …
    pub counters: BTreeMap<String, u64>,
}
