//! Releasing what a ledger lists: one attempt after another, until all is done or the time is over.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::error::held;
use super::journal::JournalError;
use super::ledger::{By, Entry, Hold};
use crate::edge::service::{HoldHow, Released, Undo};

/// How long releasing may take, for all holds and attempts together.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// How long one attempt may take, beside the time that a container has to end, so that an engine that is
/// silent keeps no other hold waiting. It is asked again, and says so if it has done it meanwhile.
const ATTEMPT: Duration = Duration::from_secs(10);

/// Where the time is over before a hold was tried at all, it is tried for so long.
const LAST_ATTEMPT: Duration = Duration::from_secs(1);

/// How long the first attempt at a hold may take that may not have been taken, beside others. What was
/// asked of the engine by somebody who was killed takes effect only when its container has ended: that
/// is waited for when the others are back.
const GLANCE: Duration = Duration::from_millis(500);

/// Attempts at what an engine or a program refused: it hardly changes its mind.
const REFUSALS: u32 = 3;

/// The shortest and the longest wait between two attempts.
const WAITS: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];

/// What became of a release.
#[derive(Debug, Default)]
pub struct Releases {
    /// What is released now: the numbers, and how long each hold lasted.
    pub done: Vec<(u32, Duration)>,
    /// What is not.
    pub left: Vec<Left>,
    /// Why the journal does not know all of it.
    pub unwritten: Option<JournalError>,
}

/// A hold that could not be released.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Left {
    /// Its number in the journal.
    pub number: u32,
    /// The service.
    pub service: String,
    /// How it is held.
    pub how: HoldHow,
    /// Why it could not be released.
    pub why: String,
    /// What to do about that.
    pub next: String,
}

impl Left {
    /// One that others are still trying to release, in vain so far.
    pub fn of(hold: &Hold) -> Option<Self> {
        Some(Self {
            number: hold.number,
            service: hold.service.clone(),
            how: hold.how,
            why: hold.failed.clone()?,
            next: "see what keeps it from running".to_owned(),
        })
    }

    /// What that means.
    pub fn told(&self) -> String {
        let Self { service, how, .. } = self;
        format!(
            "service `{service}` could not be resumed: it is still {}",
            held(*how)
        )
    }
}

/// A hold on its way to its release.
struct Standing<'a> {
    hold: &'a Hold,
    /// The last reason why it was not.
    why: Option<(String, String)>,
    refusals: u32,
    /// How long it lasted.
    released: Option<Duration>,
}

/// Releases these, in this order, and writes down what becomes of each. Every one is tried at least
/// once, and none keeps another from being released.
pub fn release(
    holds: &[Hold],
    by: By,
    until: Instant,
    write: &mut dyn FnMut(Entry) -> Result<(), JournalError>,
) -> Releases {
    let mut releases = Releases::default();
    let mut note = |entry| write(entry).err();
    let mut standing: Vec<Standing<'_>> = holds.iter().map(Standing::new).collect();
    for one in &standing {
        let hold = one.hold.number;
        keep_first(&mut releases.unwritten, note(Entry::Releasing { hold, by }));
    }
    let mut wait = WAITS[0];
    let mut is_first = standing.len() > 1;
    while !standing.is_empty() {
        for one in &mut standing {
            if is_first {
                one.glance(until);
            } else {
                one.attempt(until);
            }
        }
        is_first = false;
        let now = Instant::now();
        standing.retain(|one| {
            let Some(ended) = one.ended(now, until) else {
                return true;
            };
            let hold = one.hold.number;
            let entry = match &ended {
                Ok(away) => {
                    let away_ms = u64::try_from(away.as_millis()).unwrap_or(u64::MAX);
                    Entry::Released { hold, by, away_ms }
                }
                Err(left) => {
                    let why = left.why.clone();
                    Entry::Failed { hold, by, why }
                }
            };
            keep_first(&mut releases.unwritten, note(entry));
            match ended {
                Ok(away) => releases.done.push((hold, away)),
                Err(left) => releases.left.push(left),
            }
            false
        });
        if !standing.is_empty() {
            std::thread::sleep(wait);
            wait = (wait * 2).min(WAITS[1]);
        }
    }
    releases
}

fn keep_first<E: std::fmt::Debug>(kept: &mut Option<E>, error: Option<E>) {
    if kept.is_none() {
        *kept = error;
    } else if let Some(error) = error {
        tracing::debug!(?error, "one more");
    }
}

impl<'a> Standing<'a> {
    fn new(hold: &'a Hold) -> Self {
        Self {
            hold,
            why: None,
            refusals: 0,
            released: None,
        }
    }

    /// An attempt that keeps no other waiting for what may never be held.
    fn glance(&mut self, until: Instant) {
        match &self.hold.undo {
            Undo::Containers(_) if !self.hold.is_sure => self.ask(Instant::now() + GLANCE),
            _ => self.attempt(until),
        }
    }

    fn attempt(&mut self, until: Instant) {
        let now = Instant::now();
        let deadline = match (&self.hold.undo, self.hold.how) {
            (Undo::Containers(_), HoldHow::Pause) => until.min(now + ATTEMPT),
            (Undo::Containers(_), HoldHow::Stop { grace }) => until.min(now + grace + ATTEMPT),
            // A program that is killed in the middle of starting something does not start it.
            _ => until,
        };
        self.ask(deadline.max(now + LAST_ATTEMPT));
    }

    fn ask(&mut self, deadline: Instant) {
        match self.hold.undo.release(deadline) {
            Ok(Released::Done) => {
                let away = Timestamp::now().duration_since(self.hold.since);
                self.released = Some(Duration::try_from(away).unwrap_or_default());
            }
            Ok(Released::Pending { why }) => {
                let next = "see that whoever runs it answers again: for containers, `docker ps`";
                self.why = Some((why, next.to_owned()));
            }
            Err(error) => {
                self.refusals += u32::from(!error.may_pass());
                self.why = Some((error.to_string(), error.advice()));
            }
        }
    }

    /// What became of it, when no further attempt is to be made.
    fn ended(&self, now: Instant, until: Instant) -> Option<Result<Duration, Left>> {
        if let Some(away) = self.released {
            return Some(Ok(away));
        }
        if now < until && self.refusals < REFUSALS {
            return None;
        }
        let (why, next) = self.why.clone().unwrap_or_default();
        Some(Err(Left {
            number: self.hold.number,
            service: self.hold.service.clone(),
            how: self.hold.how,
            why,
            next,
        }))
    }
}
