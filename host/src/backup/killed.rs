//! A run that was killed told nobody how it ended. The next one of its job does, before it begins.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use copal_core::text::second;
use copal_hooks::{HookFailure, Report};

use super::Backup;
use crate::abandoned::{self, SealedBefore};
use crate::edge::begun::{Begun, Mark};
use crate::edge::untold::{Untold, UntoldRuns};
use crate::error::CopalError;
use crate::hooks::Hooks;
use crate::outcome::{Achieved as _, Delivered};

impl Backup<'_> {
    /// Tells post-backup hooks of a run that left its mark, and leaves that of this run in its place. Those that could
    /// not tell of an earlier one are told of that before.
    pub(super) fn take_over(&mut self, hooks: &mut Hooks) {
        let (state, name) = (self.run.edges.state, self.job.name());
        let mark = Mark::at(state.begun(name));
        let killed = mark.left().unwrap_or_else(|source| {
            self.run.shortcomings.push(unread(mark.file(), source));
            None
        });
        if let Some(killed) = &killed {
            let kept = abandoned::keep_bare(killed, name, state);
            self.run
                .shortcomings
                .extend(kept.err().map(CopalError::from));
        }
        self.tell_of(hooks, killed);
        let mark_left = mark.leave(&self.begun(None));
        self.fell_short(mark.file(), mark_left);
        self.mark = Some(mark);
    }

    /// Notes in the mark what is sealed by now: it is good, whatever becomes of the run.
    pub(super) fn mark_sealed(&mut self, delivered: &Delivered, destinations: usize) {
        let snapshots = delivered.snapshots();
        let Some(mark) = self.mark.as_ref().filter(|_| !snapshots.is_empty()) else {
            return;
        };
        let sealed = SealedBefore {
            everywhere: snapshots.len() == destinations,
            snapshots,
        };
        let left = mark.leave(&self.begun(Some(sealed.in_a_line())));
        let file = mark.file().to_owned();
        self.fell_short(&file, left);
    }

    fn begun(&self, sealed: Option<String>) -> Begun {
        Begun {
            run: self.run.id.clone(),
            started: self.run.started,
            sealed,
        }
    }

    fn tell_of(&mut self, hooks: &mut Hooks, killed: Option<Begun>) {
        let list = UntoldRuns::at(self.run.edges.state.untold(self.job.name()));
        let before = list.all().unwrap_or_else(|source| {
            self.run.shortcomings.push(unread(list.file(), source));
            Vec::new()
        });
        let mut left = Vec::new();
        for untold in &before {
            let report = report(&untold.run);
            let told = self.about(hooks, &untold.run, |hooks, backup| {
                let (floor, cancel) = (backup.last_floor(), backup.cancel());
                hooks.post_backup_of(&untold.hook, &report, &floor, &cancel)
            });
            // One that is refused can be told when that is mended; one that is not configured any more can't.
            let is_left = told.map_or_else(|| self.has(&untold.hook), |told| told.is_err());
            left.extend(is_left.then(|| untold.clone()));
        }
        if let Some(killed) = killed {
            let known = hooks.shortcomings.len();
            self.about(hooks, &killed, |hooks, backup| {
                let (floor, cancel) = (backup.last_floor(), backup.cancel());
                hooks.post_backup(&report(&killed), &floor, &cancel);
            });
            let failed = hooks.shortcomings[known..].iter();
            left.extend(failed.map(|HookFailure { hook, .. }| Untold {
                hook: hook.clone(),
                run: killed.clone(),
            }));
        }
        if left != before {
            let kept = list.keep(&left);
            self.fell_short(list.file(), kept);
        }
    }

    /// Has hooks see that run as theirs meanwhile.
    fn about<T>(
        &self,
        hooks: &mut Hooks,
        run: &Begun,
        tell: impl FnOnce(&mut Hooks, &Self) -> T,
    ) -> T {
        let own = std::mem::replace(&mut hooks.run.run_id, run.run.clone());
        let told = tell(hooks, self);
        hooks.run.run_id = own;
        told
    }

    fn has(&self, hook: &str) -> bool {
        let mut configured = self.job.config.hooks().iter();
        configured.any(|one| one.name.as_str() == hook)
    }

    fn fell_short(&mut self, file: &Path, result: io::Result<()>) {
        let error = result.err().map(|source| unwritable(file, source));
        self.run.shortcomings.extend(error);
    }
}

/// Takes the mark of a run away that has told how it ended.
pub(super) fn told(mark: &Mark) -> Option<CopalError> {
    let failed = mark.clear().err();
    failed.map(|source| unwritable(mark.file(), source))
}

fn unread(file: &Path, source: io::Error) -> CopalError {
    let path = file.to_owned();
    CopalError::UnreadMark { path, source }
}

fn unwritable(file: &Path, source: io::Error) -> CopalError {
    let path = file.to_owned();
    CopalError::Unwritable { path, source }
}

fn report(killed: &Begun) -> Report {
    let when = second(killed.started);
    let started = u64::try_from(killed.started.as_millisecond()).unwrap_or(0);
    let mut counters = BTreeMap::from([
        ("started-ms".to_owned(), started),
        ("troubles".to_owned(), 1),
    ]);
    let killed_when = format!("the run that began at {when} was killed, or the machine went down");
    let Some(sealed) = SealedBefore::of(killed) else {
        return Report {
            outcome: copal_hooks::Outcome::Abandoned,
            message: Some(killed_when),
            snapshot: None,
            counters,
        };
    };
    let snapshot = sealed.snapshots.first();
    if let Some(snapshot) = snapshot {
        counters.insert("files".to_owned(), snapshot.files);
        counters.insert("bytes".to_owned(), snapshot.bytes);
    }
    let (outcome, how_far) = if sealed.everywhere {
        let after = "after its snapshot was sealed, which is good";
        (copal_hooks::Outcome::Warned, after)
    } else {
        let before = "before its snapshot was sealed at each destination";
        (copal_hooks::Outcome::Abandoned, before)
    };
    Report {
        outcome,
        message: Some(format!("{killed_when}, {how_far}")),
        snapshot: snapshot.map(|snapshot| snapshot.id.to_string()),
        counters,
    }
}
