//! The register of a run's holds: which there are, and who is at each. It is never locked while
//! something slow is done.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::error::HoldsError;
use super::ledger::{By, Hold, Ledger};
use super::left::Left;
use super::release::Releases;
use crate::edge::service::{Deed, HoldHow, Undo};

/// The holds of a run.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and they come in any order"
)]
pub(super) struct Register {
    /// Between pause and resume: before and after, nothing can be held.
    pub(super) is_open: bool,
    /// When the first of those that last was taken.
    pub(super) since: Option<Instant>,
    /// Whether a watchdog looks at it.
    pub(super) is_watched: bool,
    /// Whether something could not be released.
    pub(super) is_unreleased: bool,
    /// Whether it was told that `max_pause` was over.
    pub(super) is_overdue_told: bool,
    pub(super) problems: Vec<HoldsError>,
    numbers: u32,
    holds: Vec<Mine>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Mine {
    pub(super) hold: Hold,
    /// How long its service may take to be ready after the release.
    pub(super) ready: Duration,
    pub(super) standing: Standing,
    /// After how long something of it was killed.
    pub(super) killed: Option<Duration>,
    pub(super) away: Option<Away>,
}

/// Who is at a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its deed is under way: whoever does it ends it, too.
    BeingTaken,
    Held,
    BeingReleased,
    Over,
}

/// How long a service was held, and how it came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away {
    /// The service.
    pub service: String,
    /// How it was held.
    pub how: HoldHow,
    /// From just before the hold until after its release. None where it could not be released.
    pub away: Option<Duration>,
    /// Who released it.
    pub by: Option<By>,
    /// After how long something of it was killed, since it had not ended by itself. None where nothing was,
    /// as far as that is known.
    pub killed: Option<Duration>,
    /// How long after that it was ready again: running, and healthy where it has a health check. None
    /// where it was not, within the time for it.
    pub ready: Option<Duration>,
}

impl Mine {
    /// It is over; `released` is by whom, and how long it lasted.
    fn end(&mut self, released: Option<(By, Duration)>) {
        self.standing = Standing::Over;
        self.hold.undo.unfollow();
        self.away = Some(Away {
            service: self.hold.service.clone(),
            how: self.hold.how,
            away: released.map(|(_, away)| away),
            by: released.map(|(by, _)| by),
            killed: self.killed,
            ready: None,
        });
    }
}

impl Register {
    /// Registers a hold that is about to be taken; its number, which is no other's, whatever becomes of
    /// the line about it.
    pub(super) fn add(&mut self, service: &str, ready: Duration, how: HoldHow, undo: &Undo) -> u32 {
        self.numbers += 1;
        let now = Timestamp::now();
        self.holds.push(Mine {
            hold: Hold {
                number: self.numbers,
                service: service.to_owned(),
                how,
                undo: undo.clone(),
                since: now,
                is_sure: false,
                deed: Deed::Open { since: now },
                claim: None,
                released: None,
                failed: None,
            },
            ready,
            standing: Standing::BeingTaken,
            killed: None,
            away: None,
        });
        self.numbers
    }

    /// Takes one out of which nothing is held, nor ever was.
    pub(super) fn forget(&mut self, number: u32) {
        self.holds.retain(|mine| mine.hold.number != number);
        self.note_end();
    }

    pub(super) fn mine(&mut self, number: u32) -> Option<&mut Mine> {
        let mut holds = self.holds.iter_mut();
        holds.find(|mine| mine.hold.number == number)
    }

    pub(super) fn all(&self) -> &[Mine] {
        &self.holds
    }

    pub(super) fn all_mut(&mut self) -> &mut [Mine] {
        &mut self.holds
    }

    /// The numbers of all, the last taken first.
    pub(super) fn numbers(&self) -> Vec<u32> {
        let holds = self.holds.iter().rev();
        holds.map(|mine| mine.hold.number).collect()
    }

    /// Takes those that are held out of everybody else's hands. What another process released meanwhile is
    /// over: the run was stopped for so long that nothing it staged is of one moment.
    pub(super) fn begin_release(
        &mut self,
        numbers: &[u32],
        ledger: Option<&Ledger>,
        max_pause: Option<Duration>,
    ) -> Vec<Hold> {
        let mut begun = Vec::new();
        for number in numbers {
            let Some(one) = self.mine(*number) else {
                continue;
            };
            if one.standing != Standing::Held {
                continue;
            }
            let known = ledger.and_then(|ledger| ledger.hold(*number));
            if let Some(released) = known.and_then(|hold| hold.released) {
                one.end(Some(released));
                self.problems
                    .push(HoldsError::Overdue(max_pause.unwrap_or_default()));
                continue;
            }
            one.standing = Standing::BeingReleased;
            begun.push(one.hold.clone());
        }
        begun
    }

    /// The services whose holds were lost.
    pub(super) fn lost(&self) -> impl Iterator<Item = &str> {
        self.problems.iter().filter_map(|problem| match problem {
            HoldsError::Lost { service, .. } => Some(service.as_str()),
            _ => None,
        })
    }

    /// Takes down what became of a release by `by`; what is left to be tried again, since it was a hook's.
    pub(super) fn take(
        &mut self,
        releases: Releases,
        by: By,
        max_pause: Option<Duration>,
    ) -> Vec<Left> {
        self.problems.extend(releases.doubts);
        for (number, who, away) in releases.done {
            if let Some(mine) = self.mine(number) {
                mine.end(Some((who, away)));
            }
            if !by.is_of_the_same(who) {
                self.problems
                    .push(HoldsError::Overdue(max_pause.unwrap_or_default()));
            }
        }
        let mut again = Vec::new();
        for left in releases.left {
            if by == By::Hook {
                if let Some(mine) = self.mine(left.number) {
                    mine.standing = Standing::Held;
                }
                again.push(left);
            } else {
                self.mark_left(left);
            }
        }
        self.problems
            .extend(releases.unwritten.map(HoldsError::Journal));
        self.note_end();
        again
    }

    pub(super) fn mark_left(&mut self, left: Left) {
        if let Some(mine) = self.mine(left.number) {
            mine.end(None);
        }
        self.is_unreleased = true;
        self.problems.push(HoldsError::Unreleased(left));
    }

    /// Time stands still where nothing is held.
    fn note_end(&mut self) {
        let is_over = |mine: &Mine| mine.standing == Standing::Over;
        if self.holds.iter().all(is_over) {
            self.since = None;
        }
    }
}
