//! A run's record: what is kept of it, for whoever asks later what happened.
//!
//! Stored as JSON, and shown as such by `copal history show --json`: fields may be added, none
//! changes its meaning. No field holds a secret: what hooks said and did comes masked from the gate.

use std::time::Duration;

use copal_core::charges::Charges;
use copal_core::forecast::Terms;
use copal_core::snapshot::SnapshotId;
use copal_core::units::ByteCount;
use copal_hooks::{Deed, Denial};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::calls::HookRun;
use crate::edge::history::Row;
use crate::edge::log;
use crate::edges::Step;
use crate::error::CopalError;
use crate::holds::ledger::Hold;
use crate::holds::{Away, held};
use crate::outcome::{Achieved, Outcome, Verdict};

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
    /// The sealed snapshots that it pruned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pruned: Vec<PrunedRecord>,
    /// What failed.
    pub errors: Vec<Trouble>,
    /// What fell short.
    pub shortcomings: Vec<Trouble>,
    /// Facts for people: where the old tree is, which databases were checked.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The services that were held, in the order in which they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<HoldRecord>,
    /// Its steps, in order; one of several destinations comes for each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepRecord>,
    /// What every hook did, in order.
    pub hooks: Vec<HookStory>,
    /// Whether all that is known of it is what a manifest tells.
    #[serde(default, skip_serializing_if = "is_false")]
    pub rebuilt: bool,
    /// Whether the command line alone said what was run: it is no run of the job of its name.
    #[serde(default, skip_serializing_if = "is_false")]
    pub one_off: bool,
    /// The last lines of its log, where not all went well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// Where its whole log was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_file: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_false(it: &bool) -> bool {
    !it
}

/// A step of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Its word: `plan`, `preflight`, `stage`, `transfer`, `seal`, `prune`, `fetch` or `try`.
    pub step: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
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
    /// `copal prune`
    Prune,
    /// `copal verify`
    Verify,
}

impl Kind {
    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Drill => "drill",
            Self::Restore => "restore",
            Self::Prune => "prune",
            Self::Verify => "verify",
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
    /// It was killed, or the machine went down.
    Abandoned,
}

impl Ended {
    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Warned => "warned",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Abandoned => "abandoned",
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
    /// Those of its files that the remote copied from the snapshot before, without an upload.
    #[serde(default)]
    pub copied_files: u64,
    /// Their content.
    #[serde(default)]
    pub copied_bytes: u64,
    /// Files that were uploaded, those that had to be sent again as often as they were. None where that
    /// was not kept, or nothing was to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uploaded_files: Option<u64>,
    /// Their content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uploaded_bytes: Option<u64>,
    /// What the run's calls to the destination are charged as: on B2 alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<Charges>,
    /// What decided which they were, and decides of the next run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
    /// Whether it is the state of a mirror.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_mirror: bool,
    /// Files that were deleted there, where that was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_files: Option<u64>,
}

impl SnapshotRecord {
    /// One that a run only read, or of which nothing is known but what it is: nothing was sent.
    pub fn unsent(id: SnapshotId, destination: String, files: u64, bytes: ByteCount) -> Self {
        Self {
            id,
            destination,
            files,
            bytes: bytes.0,
            copied_files: 0,
            copied_bytes: 0,
            uploaded_files: None,
            uploaded_bytes: None,
            calls: None,
            terms: None,
            is_mirror: false,
            deleted_files: None,
        }
    }
}

/// A snapshot that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrunedRecord {
    /// Its id.
    pub id: SnapshotId,
    /// Where it lay, secrets masked.
    pub destination: String,
}

/// Something that failed or fell short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// What.
    pub what: String,
    /// Why, from the outside inwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// What to do next.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub next: String,
}

/// A service that a run held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldRecord {
    /// Its name.
    pub service: String,
    /// What it was while it was held: `paused` or `stopped`.
    pub how: String,
    /// How long, in milliseconds: from just before the hold until after its release. None where it is
    /// held still, as far as the run knew.
    pub away_ms: Option<u64>,
    /// Who released it: `run`, `hook`, `max-pause`, `guard` or `recovery`.
    pub released_by: Option<String>,
    /// After how long something of it was killed, in milliseconds, since it had not ended by itself. None
    /// where nothing was, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub killed_after_ms: Option<u64>,
    /// How long after its release it was ready again, in milliseconds. None where it was not, or nobody
    /// waited for it.
    pub ready_ms: Option<u64>,
}

/// What one hook did in one phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookStory {
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
    /// What it asked for and was not granted, each once, whatever the hook made of it.
    pub denials: Vec<DenialRecord>,
    /// What it warned of, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
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

impl Record {
    /// A backup that did nothing, and did it well: what others are made from.
    pub fn empty() -> Self {
        Self {
            run: String::new(),
            name: String::new(),
            kind: Kind::Backup,
            started: Timestamp::UNIX_EPOCH,
            took_ms: 0,
            outcome: Ended::Succeeded,
            exit: 0,
            copal: String::new(),
            snapshots: Vec::new(),
            pruned: Vec::new(),
            errors: Vec::new(),
            shortcomings: Vec::new(),
            notes: Vec::new(),
            holds: Vec::new(),
            steps: Vec::new(),
            hooks: Vec::new(),
            rebuilt: false,
            one_off: false,
            log: Vec::new(),
            log_file: None,
        }
    }

    /// What is kept of a run that ended with the code `exit`; `next` says what to do about an error.
    pub fn of<T: Achieved>(
        outcome: &Outcome<T>,
        exit: u8,
        next: &dyn Fn(&CopalError) -> String,
    ) -> Self {
        let trouble = |error: &CopalError| Trouble {
            what: error.to_string(),
            why: error.in_full(),
            next: next(error),
        };
        Self {
            run: outcome.run.clone(),
            name: outcome.name.clone(),
            kind: outcome.kind,
            started: outcome.started,
            took_ms: milliseconds(outcome.took),
            outcome: outcome.verdict().into(),
            exit,
            copal: env!("CARGO_PKG_VERSION").to_owned(),
            snapshots: outcome.snapshots(),
            pruned: outcome
                .result
                .as_ref()
                .map(Achieved::pruned)
                .unwrap_or_default(),
            errors: outcome.errors().map(trouble).collect(),
            shortcomings: outcome.shortcomings.iter().map(trouble).collect(),
            notes: outcome
                .result
                .as_ref()
                .map(Achieved::notes)
                .unwrap_or_default(),
            holds: outcome.holds.iter().map(HoldRecord::from).collect(),
            steps: outcome.steps.iter().map(StepRecord::from).collect(),
            hooks: outcome.hooks.iter().map(HookStory::from).collect(),
            rebuilt: false,
            one_off: outcome.one_off,
            log: if exit == 0 {
                Vec::new()
            } else {
                log::last_lines()
            },
            log_file: log::file().map(|file| file.display().to_string()),
        }
    }
}

impl Record {
    /// What the list of the history shows of it.
    pub fn row(&self) -> Row {
        let mut troubles = self.errors.iter().chain(&self.shortcomings);
        Row {
            run: self.run.clone(),
            name: self.name.clone(),
            kind: self.kind.name().to_owned(),
            started: self.started,
            took_ms: self.took_ms,
            outcome: self.outcome.name().to_owned(),
            exit: self.exit,
            snapshots: self.snapshots.iter().map(|it| it.id.to_string()).collect(),
            trouble: troubles.next().map(|trouble| trouble.what.clone()),
        }
    }

    /// As it is kept.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a record has string keys alone")
    }
}

impl From<Verdict> for Ended {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Succeeded => Self::Succeeded,
            Verdict::Warned => Self::Warned,
            Verdict::Failed => Self::Failed,
            Verdict::Interrupted(_) => Self::Interrupted,
        }
    }
}

impl From<&(Step, Duration)> for StepRecord {
    fn from((step, took): &(Step, Duration)) -> Self {
        Self {
            step: step.name().to_owned(),
            took_ms: milliseconds(*took),
        }
    }
}

impl From<&HookRun> for HookStory {
    fn from(run: &HookRun) -> Self {
        let failure = run.outcome.as_ref().err();
        let mut denials: Vec<DenialRecord> = Vec::new();
        for denial in run.account.denials.iter().map(DenialRecord::from) {
            // One that asks again learns nothing more.
            if !denials.contains(&denial) {
                denials.push(denial);
            }
        }
        let deeds = &run.account.deeds;
        Self {
            hook: run.hook.clone(),
            phase: run.phase.to_string(),
            failure: failure.map(|failure| failure.kind.to_string()),
            computed_ms: milliseconds(run.account.computed),
            deeds: deeds.iter().take(DEEDS_KEPT).map(deed).collect(),
            deeds_left_out: deeds.len().saturating_sub(DEEDS_KEPT) as u64,
            denials,
            warnings: run.account.warnings.clone(),
            last_words: failure.map_or_else(Vec::new, |failure| failure.last_words.clone()),
        }
    }
}

impl From<&Away> for HoldRecord {
    fn from(away: &Away) -> Self {
        Self {
            service: away.service.clone(),
            how: held(away.how).to_owned(),
            away_ms: away.away.map(milliseconds),
            released_by: away.by.map(|by| by.name().to_owned()),
            killed_after_ms: away.killed.map(milliseconds),
            ready_ms: away.ready.map(milliseconds),
        }
    }
}

impl From<&Hold> for HoldRecord {
    fn from(hold: &Hold) -> Self {
        Self {
            service: hold.service.clone(),
            how: held(hold.how).to_owned(),
            away_ms: hold.released.map(|(_, away)| milliseconds(away)),
            released_by: hold.released.map(|(by, _)| by.name().to_owned()),
            killed_after_ms: None,
            ready_ms: None,
        }
    }
}

impl From<&Denial> for DenialRecord {
    fn from(denial: &Denial) -> Self {
        Self {
            capability: denial.capability.to_string(),
            value: denial.value.clone(),
            remedy: denial.remedy(),
        }
    }
}

fn deed(deed: &Deed) -> DeedRecord {
    DeedRecord {
        deed: format!("{}.{}", deed.capability, deed.action),
        arguments: deed.arguments.clone(),
        result: match &deed.result {
            Ok(what) => DeedResult::Done(what.clone()),
            Err(why) => DeedResult::NotDone(why.clone()),
        },
        took_ms: milliseconds(deed.took),
    }
}

fn milliseconds(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
