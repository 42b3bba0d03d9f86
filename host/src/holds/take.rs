//! Taking a hold: everything that undoes it is there before the deed.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use copal_hooks::Cancel;
use jiff::Timestamp;

use super::error::{HoldFailure, HoldsError};
use super::journal::Journal;
use super::ledger::{By, Entry};
use super::others::nobody_elses;
use super::register::Standing;
use super::release::Book;
use super::run::Holds;
use super::watchdog;
use crate::edge::service::{Deed, Driver, HoldHow, Part, ServiceError, Undo};

/// A deed that is under way. When it is over, by a panic as well, its hold is one to be released.
struct Taking<'a> {
    holds: &'a Holds,
    number: u32,
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        if let Some(mine) = self.holds.register().mine(self.number) {
            mine.standing = Standing::Held;
        }
        self.holds.shared.changed.notify_all();
    }
}

impl Holds {
    /// Holds a service; the number of the hold. None where there was nothing to hold: it did not run.
    /// The deed ends at `deadline`, and at `max_pause`.
    pub fn hold(
        &self,
        service: &str,
        ready: Duration,
        driver: &dyn Driver,
        how: HoldHow,
        deadline: Instant,
        cancel: &Cancel,
    ) -> Result<Option<u32>, HoldFailure> {
        let mut parts = driver.parts()?;
        // Before the look: what another run holds looks like anything in a moment.
        self.is_nobody_elses(service, &parts)?;
        let Some(mut undo) = driver.before(how)? else {
            // And after it: it may be down since another run has just begun to hold it.
            self.is_nobody_elses(service, &parts)?;
            return Ok(None);
        };
        undo.follow()?;
        parts.extend(undo.parts());
        let number = self.begin(service, ready, how, &undo, &parts)?;
        let taking = Taking {
            holds: self,
            number,
        };
        let overdue_at = self.overdue_at();
        let deadline = overdue_at.map_or(deadline, |at| deadline.min(at));
        let began = Instant::now();
        let done = driver.hold(&undo, deadline, cancel, &mut |part| {
            self.spare(number, part);
        });
        self.note_deed(number, &done);
        self.note_kill(number, how, began.elapsed());
        drop(taking);
        if done.is_err() && overdue_at.is_some_and(|at| Instant::now() >= at) {
            self.shared.overdue.store(true, Ordering::SeqCst);
        }
        let result = match done {
            Ok(()) => self.taken(number),
            Err(error) => Err(error.into()),
        };
        match result {
            Ok(()) => Ok(Some(number).filter(|number| self.is_something(*number))),
            Err(error) => {
                // Where somebody else was quicker, there is nothing of ours to be released.
                if self.is_something(number) {
                    self.release_failed(number);
                }
                Err(error)
            }
        }
    }

    fn is_nobody_elses(&self, service: &str, parts: &[Part]) -> Result<(), HoldFailure> {
        let terms = self.shared.terms.as_ref();
        terms.map_or(Ok(()), |terms| {
            nobody_elses(&terms.state, &terms.run, service, parts)
        })
    }

    /// Everything that has to be there before a deed, a line in the journal last.
    fn begin(
        &self,
        service: &str,
        ready: Duration,
        how: HoldHow,
        undo: &Undo,
        parts: &[Part],
    ) -> Result<u32, HoldFailure> {
        let number = {
            let mut register = self.register();
            self.check()?;
            if self.shared.terms.is_none() || !register.is_open {
                return Err(HoldFailure::NotNow);
            }
            register.add(service, ready, how, undo)
        };
        let begun = self.write_down(number, service, how, undo, parts);
        let mut register = self.register();
        let begun = begun.and_then(|()| {
            self.check()?;
            // Staging may have ended meanwhile.
            register.is_open.then_some(()).ok_or(HoldFailure::NotNow)
        });
        match begun {
            Ok(()) => {
                register.since.get_or_insert_with(Instant::now);
            }
            Err(_) => register.forget(number),
        }
        drop(register);
        self.shared.changed.notify_all();
        begun.map(|()| number)
    }

    fn write_down(
        &self,
        number: u32,
        service: &str,
        how: HoldHow,
        undo: &Undo,
        parts: &[Part],
    ) -> Result<(), HoldFailure> {
        let terms = self.shared.terms.as_ref().ok_or(HoldFailure::NotNow)?;
        self.shared.kept.on_guard(terms)?;
        if terms.max_pause.is_some() && !std::mem::replace(&mut self.register().is_watched, true) {
            watchdog::start(self.clone()).map_err(HoldsError::Guard)?;
        }
        // Of two runs that come to one service at once, the second sees the line of the first.
        let _alone = Journal::alone(&terms.state)?;
        self.is_nobody_elses(service, parts)?;
        self.shared.kept.write(Entry::Holding {
            hold: number,
            service: service.to_owned(),
            how,
            undo: undo.clone(),
        })?;
        Ok(())
    }

    /// When `max_pause` is over for what is held now.
    fn overdue_at(&self) -> Option<Instant> {
        let most = self.max_pause()?;
        Some(self.register().since? + most)
    }

    /// A part ended by itself: it stays as it is.
    fn spare(&self, number: u32, part: &str) {
        if let Some(mine) = self.register().mine(number) {
            mine.hold.undo.spare(part);
        }
        let part = part.to_owned();
        let hold = number;
        if let Err(error) = self.shared.kept.write(Entry::Spared { hold, part }) {
            self.register().problems.push(error.into());
        }
    }

    /// What is known of a deed that was done, or was not.
    fn note_deed(&self, number: u32, done: &Result<(), ServiceError>) {
        let deed = match done {
            Err(error) if error.is_given_up() => Deed::GivenUp {
                since: Timestamp::now(),
            },
            Err(error) if error.leaves_open() => return,
            _ => Deed::Over,
        };
        if let Some(mine) = self.register().mine(number) {
            mine.hold.deed = deed;
        }
        if matches!(deed, Deed::GivenUp { .. })
            && let Err(error) = self.shared.kept.write(Entry::GivenUp { hold: number })
        {
            self.register().problems.push(error.into());
        }
    }

    /// What did not end by itself within its grace was killed: what it had in memory is lost.
    fn note_kill(&self, number: u32, how: HoldHow, took: Duration) {
        let HoldHow::Stop { grace } = how else { return };
        let undo = self
            .register()
            .mine(number)
            .map(|mine| mine.hold.undo.clone());
        // Nobody is asked where there was no time for it.
        let was_killed = took >= grace && undo.is_some_and(|undo| undo.was_killed());
        if let Some(mine) = self.register().mine(number).filter(|_| was_killed) {
            mine.killed = Some(grace);
        }
    }

    /// Whether something of it is held: what ended by itself leaves nothing to be released.
    fn is_something(&self, number: u32) -> bool {
        let mut register = self.register();
        let is_nothing = register
            .mine(number)
            .is_some_and(|mine| mine.hold.undo == Undo::Nothing);
        if is_nothing {
            register.forget(number);
            drop(register);
            self.shared.changed.notify_all();
        }
        !is_nothing
    }

    /// A deed was done. If `max_pause` was over meanwhile, or staging was, it came too late.
    fn taken(&self, number: u32) -> Result<(), HoldFailure> {
        let is_open = {
            let mut register = self.register();
            if let Some(mine) = register.mine(number) {
                mine.hold.is_sure = true;
            }
            register.is_open
        };
        self.shared.kept.write(Entry::Held { hold: number })?;
        if !is_open {
            return Err(HoldFailure::NotNow);
        }
        self.check().map_err(Into::into)
    }

    /// Releases one that could not be taken as a whole. Where the engine may still come to it, that is
    /// waited for beside all else: others are not to be held for longer by it.
    fn release_failed(&self, number: u32) {
        let is_open = self
            .register()
            .mine(number)
            .is_some_and(|mine| mine.hold.deed != Deed::Over);
        let holds = self.clone();
        let beside = is_open.then(|| {
            thread::Builder::new()
                .name("release".to_owned())
                .spawn(move || holds.release_these(&[number], By::Run))
        });
        if !matches!(beside, Some(Ok(_))) {
            self.release_these(&[number], By::Run);
        }
    }
}
