//! A run that was killed told nobody how it ended. The next one of its job does, before it begins.

use std::collections::BTreeMap;

use copal_core::text::second;
use copal_hooks::Report;

use super::Backup;
use crate::abandoned;
use crate::edge::begun::{Begun, Mark};
use crate::error::CopalError;
use crate::hooks::Hooks;

impl Backup<'_> {
    /// Tells post-backup hooks of a run that left its mark, and leaves that of this run in its place.
    pub(super) fn take_over(&mut self, hooks: &mut Hooks) {
        let mark = Mark::at(self.run.edges.state.begun(self.job.name()));
        let killed = mark.left().unwrap_or_else(|source| {
            let path = mark.file().to_owned();
            let unread = CopalError::UnreadMark { path, source };
            self.run.shortcomings.push(unread);
            None
        });
        if let Some(killed) = killed {
            let kept = abandoned::keep_bare(&killed, self.job.name(), self.run.edges.state);
            self.run
                .shortcomings
                .extend(kept.err().map(CopalError::from));
            let own = std::mem::replace(&mut hooks.run.run_id, killed.run.clone());
            hooks.post_backup(&report(&killed), &self.last_floor(), &self.cancel());
            hooks.run.run_id = own;
        }
        let begun = Begun {
            run: self.run.id.clone(),
            started: self.run.started,
        };
        self.fell_short(&mark, mark.leave(&begun));
        self.mark = Some(mark);
    }

    fn fell_short(&mut self, mark: &Mark, result: std::io::Result<()>) {
        let error = result.err().map(|source| unwritable(mark, source));
        self.run.shortcomings.extend(error);
    }
}

/// Takes the mark of a run away that has told how it ended.
pub(super) fn told(mark: &Mark) -> Option<CopalError> {
    let failed = mark.clear().err();
    failed.map(|source| unwritable(mark, source))
}

fn unwritable(mark: &Mark, source: std::io::Error) -> CopalError {
    CopalError::Unwritable {
        path: mark.file().to_owned(),
        source,
    }
}

fn report(killed: &Begun) -> Report {
    let when = second(killed.started);
    let started = u64::try_from(killed.started.as_millisecond()).unwrap_or(0);
    Report {
        outcome: copal_hooks::Outcome::Abandoned,
        message: Some(format!(
            "the run that began at {when} was killed, or the machine went down"
        )),
        snapshot: None,
        counters: BTreeMap::from([
            ("started-ms".to_owned(), started),
            ("troubles".to_owned(), 1),
        ]),
    }
}
