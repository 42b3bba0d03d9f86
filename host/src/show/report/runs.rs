//! What a page needs of a job's runs, kept of them one by one: a whole history has more than belongs into memory.

use std::collections::HashMap;

use copal_core::calendar::Grade;
use copal_core::snapshot::SnapshotId;
use jiff::Timestamp;
use jiff::civil::Date;

use super::day;
use crate::record::{Ended, Kind, Record};

/// Backups that are told one by one.
const BACKUPS: usize = 60;

/// By what runs are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Basis {
    /// The history of this machine: all runs, however they ended.
    #[default]
    History,
    /// The manifests of a destination: those that made a snapshot that is still there.
    Manifests,
}

/// What is known of a job's runs.
#[derive(Debug, Default)]
pub struct Runs {
    basis: Basis,
    days: Vec<(Date, Grade)>,
    backups: Vec<Record>,
    checks: HashMap<(SnapshotId, String), Checks>,
    last_bad: Option<Record>,
    good_since: u64,
    unreadable: u64,
}

/// What the last look at a snapshot found, of either kind.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Checks {
    /// A verification.
    pub(super) verified: Option<Check>,
    /// A drill.
    pub(super) drilled: Option<Check>,
}

/// A look at a snapshot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Check {
    /// When.
    pub(super) at: Timestamp,
    /// What came of it.
    pub(super) outcome: Ended,
}

impl Runs {
    /// None yet.
    pub fn of(basis: Basis) -> Self {
        Self {
            basis,
            ..Self::default()
        }
    }

    pub(super) fn basis(&self) -> Basis {
        self.basis
    }

    /// Takes what is noted beside a manifest of the last verification.
    pub fn verified(&mut self, id: SnapshotId, destination: &str, at: Timestamp, is_sound: bool) {
        let outcome = if is_sound {
            Ended::Succeeded
        } else {
            Ended::Failed
        };
        let checks = self.checks.entry((id, destination.to_owned())).or_default();
        checks.verified.get_or_insert(Check { at, outcome });
    }

    /// Takes one more, which began before those that were taken.
    pub fn add(&mut self, mut record: Record) {
        self.days.push((day(record.started), grade(record.outcome)));
        self.check(&record);
        let is_good = record.outcome == Ended::Succeeded;
        if is_good && self.last_bad.is_none() {
            self.good_since += 1;
        }
        if !is_good && self.last_bad.is_none() {
            self.last_bad = Some(record.clone());
        }
        if record.kind == Kind::Backup && self.backups.len() < BACKUPS {
            record.hooks.clear();
            record.log.clear();
            self.backups.push(record);
        }
    }

    /// Says how many runs could not be taken, as their records can't be read.
    pub fn left_out(&mut self, unreadable: u64) {
        self.unreadable += unreadable;
    }

    fn check(&mut self, record: &Record) {
        let check = Check {
            at: record.started,
            outcome: record.outcome,
        };
        for snapshot in &record.snapshots {
            let which = || (snapshot.id, snapshot.destination.clone());
            match record.kind {
                Kind::Verify => {
                    let checks = self.checks.entry(which()).or_default();
                    checks.verified.get_or_insert(check);
                }
                Kind::Drill => {
                    let checks = self.checks.entry(which()).or_default();
                    checks.drilled.get_or_insert(check);
                }
                Kind::Backup | Kind::Restore | Kind::Prune => {}
            }
        }
    }

    pub(super) fn are_none(&self) -> bool {
        self.days.is_empty()
    }

    /// The day on which each run began, and how it went.
    pub(super) fn days(&self) -> impl Iterator<Item = (Date, Grade)> {
        self.days.iter().copied()
    }

    /// The last backups, the newest first.
    pub(super) fn backups(&self) -> &[Record] {
        &self.backups
    }

    /// The last run that did not go well.
    pub(super) fn last_bad(&self) -> Option<&Record> {
        self.last_bad.as_ref()
    }

    /// How many went well after it.
    pub(super) fn good_since(&self) -> u64 {
        self.good_since
    }

    pub(super) fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// What was found about a snapshot.
    pub(super) fn checks_of(&self, id: SnapshotId, destination: &str) -> Checks {
        let known = self.checks.get(&(id, destination.to_owned()));
        known.copied().unwrap_or_default()
    }
}

pub(super) fn grade(ended: Ended) -> Grade {
    match ended {
        Ended::Succeeded => Grade::Succeeded,
        Ended::Warned => Grade::Warned,
        Ended::Interrupted => Grade::Interrupted,
        Ended::Failed | Ended::Abandoned => Grade::Failed,
    }
}
