//! A run's record: what is kept of it, for whoever asks later what happened.
//!
//! Stored as JSON, and shown as such by `copal history show --json`: fields may be added, none
//! changes its meaning. No field holds a secret: what hooks said and did comes masked from the gate.

use copal_core::snapshot::SnapshotId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Deeds kept of one hook in one phase; what it did beyond is counted.
pub const DEEDS_KEPT: usize = 1000;

/// What is kept of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The run's id.
    pub run: String,
    /// The job's name.
    pub name: String,
    /// What was run.
    pub kind: Kind,
    /// When it began.
    pub started: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// How it ended.
    pub outcome: Ended,
    /// The exit code of the process.
    pub exit: u8,
    /// The version of Copal.
    pub copal: String,
    /// The snapshots that it sealed, tried or put back.
    pub snapshots: Vec<SnapshotRecord>,
    /// What failed.
    pub errors: Vec<Trouble>,
    /// What fell short.
    pub shortcomings: Vec<Trouble>,
    /// Facts for people: where the old tree is, which databases were checked.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What every hook did, in order.
    pub hooks: Vec<HookRecord>,
}

/// What was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// `copal backup`
    Backup,
    /// `copal drill`
    Drill,
    /// `copal restore --in-place`
    Restore,
}

impl Kind {
    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Drill => "drill",
            Self::Restore => "restore",
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// All is well.
    Succeeded,
    /// Done, and something fell short.
    Warned,
    /// It failed.
    Failed,
    /// A signal ended it.
    Interrupted,
}

impl Ended {
    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Warned => "warned",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A snapshot that a run had to do with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotRecord {
    /// Its id.
    pub id: SnapshotId,
    /// Where it lies, secrets masked.
    pub destination: String,
    /// Its files.
    pub files: u64,
    /// Their content.
    pub bytes: u64,
}

/// Something that failed or fell short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// What.
    pub what: String,
    /// Why, from the outside inwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
}

/// What one hook did in one phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookRecord {
    /// The hook's name.
    pub hook: String,
    /// The phase.
    pub phase: String,
    /// Why it failed; none where it did not.
    pub failure: Option<String>,
    /// How long it computed or waited, without its deeds, in milliseconds.
    pub computed_ms: u64,
    /// What it used its capabilities for, in order; the first [`DEEDS_KEPT`].
    pub deeds: Vec<DeedRecord>,
    /// How many more there were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub deeds_left_out: u64,
    /// What it asked for and was not granted.
    pub denials: Vec<DenialRecord>,
    /// The last lines that it logged before it failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last_words: Vec<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// One use of a capability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeedRecord {
    /// Capability and action: `http.send`.
    pub deed: String,
    /// Its arguments by name.
    pub arguments: Vec<(String, String)>,
    /// What came of it.
    pub result: DeedResult,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// What came of a deed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeedResult {
    /// It was done; what it answered.
    Done(String),
    /// It was not done; why.
    NotDone(String),
}

/// Something that a hook was not granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DenialRecord {
    /// The capability.
    pub capability: String,
    /// What it was asked for.
    pub value: String,
    /// The line of copal.toml that would grant it.
    pub remedy: String,
}
