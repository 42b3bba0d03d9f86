//! How a run ended: success and failure fold into this one value, which post-backup hooks, the
//! terminal, JSON and the exit code are all made from.

use std::time::Duration;

use copal_core::manifest::Totals;
use copal_core::path::RelPath;
use copal_core::snapshot::SnapshotId;
use copal_hooks::{HookFailure, Report};

use crate::edge::interrupt::Signal;
use crate::edge::remote::RemoteError;
use crate::error::CopalError;
use crate::step::plan::PlannedDatabase;
use crate::step::seal::Sealed;
use crate::step::stage::Staged;

/// How a run ended, with all that there is to tell of it.
#[derive(Debug)]
pub struct Outcome {
    /// The run's id.
    pub run: String,
    /// The job's name.
    pub name: String,
    /// How long it took.
    pub took: Duration,
    /// What became of each destination, in the order of the configuration.
    pub delivered: Vec<Delivery>,
    /// What ended the run before any destination was tried.
    pub failure: Option<CopalError>,
    /// The signal that asked for an end.
    pub interrupted: Option<Signal>,
    /// What fell short although there is a snapshot.
    pub shortcomings: Vec<CopalError>,
    /// Post-backup hooks that failed.
    pub hook_failures: Vec<HookFailure>,
    /// What a person may want to know, and no shortcoming.
    pub notes: Notes,
}

/// What became of one destination.
#[derive(Debug)]
pub struct Delivery {
    /// The destination's name, secrets masked.
    pub destination: String,
    /// The sealed snapshot, or why there is none.
    pub result: Result<Snapshot, CopalError>,
    /// Why files of a failed attempt are still there, unsealed.
    pub left_behind: Option<RemoteError>,
}

/// What a run tells of a sealed snapshot.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Its id.
    pub id: SnapshotId,
    /// Its files.
    pub totals: Totals,
    /// Files that changed under the transfer and were sent again.
    pub moved: Vec<RelPath>,
    /// Files that the app deleted while the run went on.
    pub vanished: Vec<RelPath>,
}

impl From<Sealed> for Snapshot {
    fn from(sealed: Sealed) -> Self {
        let Sealed {
            manifest,
            vanished,
            moved,
        } = sealed;
        Self {
            id: manifest.id,
            totals: manifest.totals,
            moved,
            vanished,
        }
    }
}

/// What a run noticed.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    /// What the filters left out; `true` for whole directories.
    pub left_out: Vec<(RelPath, bool)>,
    /// Sockets, pipes and devices.
    pub specials: Vec<RelPath>,
    /// Databases that hooks were to copy and check.
    pub databases: Vec<RelPath>,
    /// Databases that were copied live, as the owner allowed.
    pub live_databases: Vec<RelPath>,
}

impl Notes {
    /// What staging came to.
    pub fn take(&mut self, staged: &Staged, databases: Vec<PlannedDatabase>) {
        self.specials.clone_from(&staged.specials);
        let (live, copied): (Vec<_>, Vec<_>) =
            databases.into_iter().partition(|database| database.live);
        self.databases = copied.into_iter().map(|database| database.path).collect();
        self.live_databases = live.into_iter().map(|database| database.path).collect();
    }
}

/// The short form of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every destination has the snapshot.
    Succeeded,
    /// Every destination has the snapshot, and something after the seal fell short.
    Warned,
    /// Some destination has no snapshot.
    Failed,
    /// A signal ended the run.
    Interrupted(Signal),
}

impl Outcome {
    /// The short form.
    pub fn verdict(&self) -> Verdict {
        let sealed_all = self.failure.is_none() && self.delivered.iter().all(|d| d.result.is_ok());
        match (sealed_all, self.interrupted) {
            // A signal that came after the last seal interrupted nothing.
            (true, _) if self.hook_failures.is_empty() && self.shortcomings.is_empty() => {
                Verdict::Succeeded
            }
            (true, _) => Verdict::Warned,
            (false, Some(signal)) => Verdict::Interrupted(signal),
            (false, None) => Verdict::Failed,
        }
    }

    /// Everything that failed, in the order in which it did.
    pub fn errors(&self) -> impl Iterator<Item = &CopalError> {
        let delivered = self
            .delivered
            .iter()
            .filter_map(|delivery| delivery.result.as_ref().err());
        self.failure.iter().chain(delivered)
    }

    /// The sealed snapshots.
    pub fn sealed(&self) -> impl Iterator<Item = &Snapshot> {
        self.delivered
            .iter()
            .filter_map(|delivery| delivery.result.as_ref().ok())
    }

    /// What post-backup hooks are told.
    pub fn report(&self) -> Report {
        let outcome = match self.verdict() {
            Verdict::Succeeded => copal_hooks::Outcome::Succeeded,
            Verdict::Warned => copal_hooks::Outcome::Warned,
            Verdict::Failed => copal_hooks::Outcome::Failed,
            Verdict::Interrupted(_) => copal_hooks::Outcome::Interrupted,
        };
        let snapshot = self.sealed().next();
        let milliseconds = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX);
        let mut counters =
            std::collections::BTreeMap::from([("duration-ms".to_owned(), milliseconds)]);
        if let Some(snapshot) = snapshot {
            counters.insert("files".to_owned(), snapshot.totals.files);
            counters.insert("bytes".to_owned(), snapshot.totals.bytes.0);
        }
        Report {
            outcome,
            message: self.errors().next().map(CopalError::in_one_line),
            snapshot: snapshot.map(|snapshot| snapshot.id.to_string()),
            counters,
        }
    }
}
