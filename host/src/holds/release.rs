//! Releasing what a ledger lists, each as soon as it can be.
//!
//! They are released in their order, and each waits for the one before it. But none waits for an engine
//! that is silent, nor for the disk: each has a thread of its own, and what takes long goes on beside the
//! others.

use std::panic::resume_unwind;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use super::attempt::{Attempts, End, patience_of_others};
use super::error::{HoldsError, held};
use super::journal::JournalError;
use super::ledger::{By, Entry, Hold};
pub use super::left::Left;
use crate::edge::service::ServiceError;

/// How long releasing may take, for all holds and attempts together.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Where it is written down what becomes of holds, and who is at which.
pub trait Book: Sync {
    /// Begins to release one, unless another process does or has.
    fn claim(&self, number: u32, by: By) -> Claim;

    /// Writes down what became of one.
    fn write(&self, entry: Entry) -> Result<(), JournalError>;
}

/// Who is to release a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Whoever asked.
    Ours,
    /// Another process, that is at it.
    Others(By),
    /// Nobody: it is released, and lasted so long.
    Released(By, Duration),
}

/// How holds are released.
pub struct Releasing<'a> {
    /// By whom.
    pub by: By,
    /// When no further attempt is made.
    pub until: Instant,
    /// Where that is written down.
    pub book: &'a dyn Book,
    /// Whether what was staged relies on those that are known to have been taken: then it is looked
    /// whether each lasted until now.
    pub is_relied_on: bool,
    /// Whether what refuses to start may be kept from it by what passes, and so is tried until then.
    pub is_kept_out: &'a (dyn Fn() -> bool + Sync),
}

/// What became of a release.
#[derive(Debug, Default)]
pub struct Releases {
    /// What is released now: the numbers, by whom, and how long each hold lasted.
    pub done: Vec<(u32, By, Duration)>,
    /// What is not.
    pub left: Vec<Left>,
    /// Why what was staged can't be relied on.
    pub doubts: Vec<HoldsError>,
    /// Why the journal does not know all of it.
    pub unwritten: Option<JournalError>,
}

impl Releasing<'_> {
    /// Releases these, in this order, and writes down what becomes of each. Every one is tried at least
    /// once, and none keeps another from being released.
    pub fn release(&self, holds: &[Hold]) -> Releases {
        let mut releases = Releases::default();
        thread::scope(|scope| {
            let begun: Vec<_> = holds.iter().map(|hold| self.begin(scope, hold)).collect();
            for one in begun {
                releases.take(match one {
                    Begun::Beside(one) => one.join().unwrap_or_else(|panic| resume_unwind(panic)),
                    Begun::Ended(one) => *one,
                });
            }
        });
        releases
    }

    /// Begins with one, and waits until it is the next one's turn.
    fn begin<'scope, 'env>(
        &'env self,
        scope: &'scope Scope<'scope, 'env>,
        hold: &'env Hold,
    ) -> Begun<'scope> {
        let (go_on, turn) = mpsc::channel();
        let beside = thread::Builder::new()
            .name("release".to_owned())
            .spawn_scoped(scope, move || self.one(hold, Some(&go_on)));
        match beside {
            Ok(thread) => {
                if let Err(RecvTimeoutError::Timeout) = turn.recv_timeout(patience_of_others(hold))
                {
                    tracing::debug!(service = hold.service, "released beside the others");
                }
                Begun::Beside(thread)
            }
            // Where no thread can be had, it is done without one.
            Err(_) => Begun::Ended(Box::new(self.one(hold, None))),
        }
    }

    fn one(&self, hold: &Hold, go_on: Option<&Sender<()>>) -> One {
        let go_on = || {
            if let Some(Err(_)) = go_on.map(|go_on| go_on.send(())) {
                tracing::trace!("nobody waits for it any more");
            }
        };
        if !hold.undo.answers() {
            go_on();
        }
        // Just before: afterwards there is nothing to be seen.
        let looked_at = self.is_relied_on && hold.is_sure;
        let doubt = looked_at.then(|| doubt(hold)).flatten();
        let mut attempts = Attempts::new(hold);
        let end = attempts.until_the_end(self, &go_on);
        let entry = match &end {
            End::Done(by, away) if *by == self.by => Some(Entry::Released {
                hold: hold.number,
                by: *by,
                away_ms: u64::try_from(away.as_millis()).unwrap_or(u64::MAX),
            }),
            // The other one has written it.
            End::Done(..) => None,
            End::Left(_) => Some(attempts.failure(self.by)),
        };
        One {
            number: hold.number,
            doubt,
            end,
            unwritten: entry.and_then(|entry| self.book.write(entry).err()),
        }
    }
}

/// One that was begun.
enum Begun<'scope> {
    Beside(ScopedJoinHandle<'scope, One>),
    Ended(Box<One>),
}

/// What became of one.
struct One {
    number: u32,
    doubt: Option<HoldsError>,
    end: End,
    unwritten: Option<JournalError>,
}

impl Releases {
    fn take(&mut self, one: One) {
        match one.end {
            End::Done(by, away) => self.done.push((one.number, by, away)),
            End::Left(left) => self.left.push(left),
        }
        self.doubts.extend(one.doubt);
        match (&self.unwritten, one.unwritten) {
            (None, error) => self.unwritten = error,
            (Some(_), Some(error)) => tracing::debug!(?error, "one more"),
            (Some(_), None) => {}
        }
    }
}

/// Why what was staged under this hold can't be trusted.
pub(super) fn doubt(hold: &Hold) -> Option<HoldsError> {
    let service = hold.service.clone();
    let how = held(hold.how);
    match hold.undo.loss() {
        Ok(None) => None,
        Ok(Some(loss)) => Some(HoldsError::Lost { service, how, loss }),
        Err(source @ ServiceError::Unwatched { .. }) => Some(HoldsError::Unwatched(source)),
        Err(source) => Some(HoldsError::Unseen {
            service,
            how,
            source,
        }),
    }
}
