//! One hold on its way to its release: attempt after attempt, until it is done or the time is over.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::ledger::{By, Entry, Hold};
use super::left::Left;
use super::release::{Claim, Releasing};
use crate::edge::service::{Deed, HoldHow, Released, Undo};

/// How long one attempt may take, beside the time that a container has to end. An engine that is silent is
/// asked again, and says so if it has done it meanwhile.
const ATTEMPT: Duration = Duration::from_secs(10);

/// Where the time is over before a hold was tried at all, it is tried for so long.
const LAST_ATTEMPT: Duration = Duration::from_secs(1);

/// How long others wait for a hold that may not have been taken. What was asked of the engine by
/// somebody who was killed takes effect only when its container has ended, or a command has.
const GLANCE: Duration = Duration::from_millis(500);

/// How long others wait at most: a command's own time bounds what takes longer.
const FOR_LONG: Duration = Duration::from_hours(1);

/// Attempts at what an engine or a program refused: it hardly changes its mind.
const REFUSALS: u32 = 3;

/// The shortest and the longest wait between two attempts.
const WAITS: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];

/// How long those that are released after this one wait for the first attempt at it.
pub(super) fn patience_of_others(hold: &Hold) -> Duration {
    match hold.deed {
        Deed::Open { .. } | Deed::GivenUp { .. } => GLANCE,
        Deed::Over => FOR_LONG,
    }
}

/// What became of a hold.
#[derive(Debug)]
pub(super) enum End {
    /// It is released: by whom, and how long it lasted.
    Done(By, Duration),
    /// It is not.
    Left(Left),
}

/// The attempts at one hold.
pub(super) struct Attempts<'a> {
    hold: &'a Hold,
    deed: Deed,
    /// The last reason why it was not released.
    why: (String, String),
    /// Whether that was an engine that did not answer.
    was_silent: bool,
    refusals: u32,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(hold: &'a Hold) -> Self {
        Self {
            hold,
            deed: hold.deed,
            why: (String::new(), String::new()),
            was_silent: false,
            refusals: 0,
        }
    }

    /// Tries until there is an end; `tried` is called after the first attempt.
    pub(super) fn until_the_end(&mut self, all: &Releasing<'_>, tried: &dyn Fn()) -> End {
        let mut wait = WAITS[0];
        loop {
            let ended = self.attempt(all);
            tried();
            if let Some(end) = ended.or_else(|| self.give_up(all)) {
                return end;
            }
            std::thread::sleep(wait);
            wait = (wait * 2).min(WAITS[1]);
        }
    }

    /// The line that tells why not.
    pub(super) fn failure(&self, by: By) -> Entry {
        Entry::Failed {
            hold: self.hold.number,
            by,
            why: self.why.0.clone(),
            was_silent: self.was_silent,
        }
    }

    fn attempt(&mut self, all: &Releasing<'_>) -> Option<End> {
        match all.book.claim(self.hold.number, all.by) {
            Claim::Ours => {}
            Claim::Released(by, away) => return Some(End::Done(by, away)),
            Claim::Others(by) => {
                let why = format!("the {} is releasing it", by.name());
                self.why = (why, "see what keeps it from running".to_owned());
                return None;
            }
        }
        let now = Instant::now();
        let until = self.until(all);
        let deadline = match (&self.hold.undo, self.hold.how) {
            (Undo::Containers(_), HoldHow::Pause) => until.min(now + ATTEMPT),
            (Undo::Containers(_), HoldHow::Stop { grace }) => until.min(now + grace + ATTEMPT),
            // A program that is killed in the middle of starting something does not start it.
            _ => until,
        };
        let deadline = deadline.max(now + LAST_ATTEMPT);
        match self.hold.undo.release(deadline, self.deed) {
            Ok(Released::Done) => {
                let away = Timestamp::now().duration_since(self.hold.since);
                let away = Duration::try_from(away).unwrap_or_default();
                return Some(End::Done(all.by, away));
            }
            Ok(Released::Pending { why }) => {
                let next = "see what keeps it from ending: for containers, `docker ps`";
                self.why = (why, next.to_owned());
                self.was_silent = false;
            }
            Ok(Released::Silent { why }) => {
                let next = "see that whoever runs it answers again: for containers, `docker ps`";
                self.why = (why, next.to_owned());
                self.was_silent = true;
                self.deed.reopen(Timestamp::now());
            }
            Err(error) => {
                self.refusals += u32::from(!error.may_pass() && !(all.is_kept_out)());
                self.why = (error.to_string(), error.advice());
                self.was_silent = error.may_pass();
            }
        }
        None
    }

    /// When no further attempt is made. What may have been asked of an engine is waited for as long as it may
    /// take, however little time there is: it can't be released before, and would stay down after.
    fn until(&self, all: &Releasing<'_>) -> Instant {
        let outstanding = match (self.deed, &self.hold.undo, self.hold.how) {
            (Deed::Over, ..) => Duration::ZERO,
            (_, Undo::Containers(_), HoldHow::Stop { grace }) => grace,
            (Deed::Open { .. } | Deed::GivenUp { .. }, ..) => Duration::ZERO,
        };
        all.until + outstanding
    }

    /// That no further attempt is to be made.
    fn give_up(&self, all: &Releasing<'_>) -> Option<End> {
        let has_time = Instant::now() < self.until(all) && self.refusals < REFUSALS;
        if has_time || (all.is_kept_out)() {
            return None;
        }
        let (why, next) = self.why.clone();
        Some(End::Left(Left {
            number: self.hold.number,
            service: self.hold.service.clone(),
            how: self.hold.how,
            why,
            next,
        }))
    }
}
