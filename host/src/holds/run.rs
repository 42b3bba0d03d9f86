//! The holds of a run: taken by its hooks, and released whatever happens.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use copal_hooks::Cancel;
use jiff::Timestamp;

use super::error::{HoldFailure, HoldsError, held};
use super::guard::{self, Guard};
use super::journal::Journal;
use super::ledger::{Begun, By, Entry, Hold};
use super::recovery::held_elsewhere;
use super::release::{self, release};
use super::watchdog;
use crate::edge::service::{Driver, HoldHow, NotReady, Undo};
use crate::edge::state::StateDir;

/// The holds of one run. Clones are the same holds.
#[derive(Debug, Clone, Default)]
pub struct Holds {
    pub(super) shared: Arc<Shared>,
}

#[derive(Debug, Default)]
pub(super) struct Shared {
    terms: Option<Terms>,
    state: Mutex<State>,
    /// Something about the state has changed.
    pub(super) changed: Condvar,
    /// `max_pause` is over.
    overdue: Arc<AtomicBool>,
}

/// What holds of a run are taken under.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Where their journal goes.
    pub state: StateDir,
    /// The run's id.
    pub run: String,
    /// The job's name.
    pub job: String,
    /// When the run began.
    pub started: Timestamp,
    /// How long they may last together; none where they last until the transfer has ended.
    pub max_pause: Option<Duration>,
    /// The program that the guard is; none where there is to be none.
    pub guard: Option<PathBuf>,
}

#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and they come in any order"
)]
pub(super) struct State {
    /// Between pause and resume: before and after, nothing can be held.
    pub(super) is_open: bool,
    /// When the first of those that last was taken.
    pub(super) since: Option<Instant>,
    watched: bool,
    /// Whether something could not be released.
    unreleased: bool,
    /// Whether what they came to has been told.
    finished: bool,
    journal: Option<Journal>,
    guard: Option<Guard>,
    holds: Vec<Mine>,
    problems: Vec<HoldsError>,
}

#[derive(Debug)]
struct Mine {
    hold: Hold,
    ready: Duration,
    standing: Standing,
    away: Option<Away>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
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
    /// How long after that it was ready again: running, and healthy where it has a health check. None
    /// where it was not, within the time for it.
    pub ready: Option<Duration>,
}

/// What the holds of a run came to.
#[derive(Debug, Default)]
pub struct Finished {
    /// Each that was released.
    pub away: Vec<Away>,
    /// What went wrong with them, the worst first.
    pub problems: Vec<HoldsError>,
}

/// The stretch of a run in which it may hold something. When it is left without
/// [`Holds::finish`], by a panic, all is released all the same.
#[derive(Debug)]
#[must_use = "what is held is released when this is dropped"]
pub struct Bracket {
    holds: Holds,
}

/// A deed that is under way. When it is over, by a panic as well, its hold is one to be released.
struct Taking<'a> {
    holds: &'a Holds,
    number: u32,
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        self.holds.state().mine(self.number).standing = Standing::Held;
        self.holds.shared.changed.notify_all();
    }
}

impl Drop for Bracket {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("releasing what is held before the end");
            self.holds.release_all(By::Run);
        }
    }
}

impl Holds {
    /// Holds of a run under these terms.
    pub fn under(terms: Terms) -> Self {
        let shared = Shared {
            terms: Some(terms),
            ..Shared::default()
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// From here on something can be held, until [`Holds::finish`].
    pub fn open(&self) -> Bracket {
        self.state().is_open = true;
        let holds = self.clone();
        Bracket { holds }
    }

    /// Set from the moment when `max_pause` is over: then all that goes on under holds is to end.
    pub fn overdue(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.shared.overdue)
    }

    /// An error from the moment when `max_pause` was over: what is staged from then on is of no use.
    pub fn check(&self) -> Result<(), HoldsError> {
        match self.max_pause() {
            Some(most) if self.is_overdue() => Err(HoldsError::Overdue(most)),
            _ => Ok(()),
        }
    }

    /// Whether something is held just now.
    pub fn is_any(&self) -> bool {
        let state = self.state();
        state
            .holds
            .iter()
            .any(|mine| mine.standing != Standing::Over)
    }

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
        let Some(undo) = driver.before(how)? else {
            self.is_down_by_itself(service)?;
            return Ok(None);
        };
        let (number, overdue_at) = self.begin(service, ready, how, &undo)?;
        let taking = Taking {
            holds: self,
            number,
        };
        let deadline = overdue_at.map_or(deadline, |at| deadline.min(at));
        let done = driver.hold(&undo, deadline, cancel);
        drop(taking);
        if done.is_err() && overdue_at.is_some_and(|at| Instant::now() >= at) {
            self.shared.overdue.store(true, Ordering::SeqCst);
        }
        let result = match done {
            Ok(()) => self.taken(number),
            Err(error) => Err(error.into()),
        };
        if result.is_err() {
            self.release_these(&[number], By::Run);
        }
        result.map(|()| Some(number))
    }

    /// A service that is down is left so, unless it is down because another run holds it: that run may
    /// release it at any moment, while this one relies on it.
    fn is_down_by_itself(&self, service: &str) -> Result<(), HoldFailure> {
        let Some(terms) = &self.shared.terms else {
            return Ok(());
        };
        match held_elsewhere(&terms.state, &terms.run, &terms.job, service)? {
            None => Ok(()),
            Some(other) => Err(HoldFailure::Elsewhere {
                service: service.to_owned(),
                run: other.run,
                job: other.job,
            }),
        }
    }

    /// Everything that has to be there before a deed, a line in the journal last.
    fn begin(
        &self,
        service: &str,
        ready: Duration,
        how: HoldHow,
        undo: &Undo,
    ) -> Result<(u32, Option<Instant>), HoldFailure> {
        let mut state = self.state();
        let terms = self.shared.terms.as_ref();
        let terms = terms.filter(|_| state.is_open).ok_or(HoldFailure::NotNow)?;
        self.check()?;
        state.on_guard(terms)?;
        if terms.max_pause.is_some() && !state.watched {
            watchdog::start(self.clone()).map_err(HoldsError::Guard)?;
            state.watched = true;
        }
        let number = u32::try_from(state.holds.len() + 1).map_err(|_| HoldFailure::NotNow)?;
        state.write(Entry::Holding {
            hold: number,
            service: service.to_owned(),
            how,
            undo: undo.clone(),
        })?;
        let since = *state.since.get_or_insert_with(Instant::now);
        state.holds.push(Mine {
            hold: Hold {
                number,
                service: service.to_owned(),
                how,
                undo: undo.clone(),
                since: Timestamp::now(),
                is_sure: false,
                released: None,
                failed: None,
            },
            ready,
            standing: Standing::BeingTaken,
            away: None,
        });
        self.shared.changed.notify_all();
        Ok((number, terms.max_pause.map(|most| since + most)))
    }

    /// A deed was done. If `max_pause` was over meanwhile, or staging was, it came too late.
    fn taken(&self, number: u32) -> Result<(), HoldFailure> {
        let mut state = self.state();
        state.mine(number).hold.is_sure = true;
        state.write(Entry::Held { hold: number })?;
        if !state.is_open {
            return Err(HoldFailure::NotNow);
        }
        drop(state);
        self.check().map_err(Into::into)
    }

    /// Releases one before the end of staging, as its hook wishes.
    pub fn release(&self, number: u32) -> Result<(), HoldsError> {
        self.release_these(&[number], By::Hook);
        let state = self.state();
        let problem = state.problems.iter().find_map(|problem| match problem {
            HoldsError::Unreleased(left) if left.number == number => Some(left.clone()),
            _ => None,
        });
        problem.map_or(Ok(()), |left| Err(HoldsError::Unreleased(left)))
    }

    /// Releases all that is held, the last taken first.
    pub(super) fn release_all(&self, by: By) {
        let all: Vec<u32> = {
            let state = self.state();
            state
                .holds
                .iter()
                .rev()
                .map(|mine| mine.hold.number)
                .collect()
        };
        self.release_these(&all, by);
    }

    fn release_these(&self, numbers: &[u32], by: By) {
        let holds = self.state().begin_release(numbers, self.max_pause());
        if holds.is_empty() {
            return;
        }
        // Where somebody else resumed it meanwhile, what was staged is of no moment at all.
        let is_relied_on = matches!(by, By::Run | By::Hook) && !self.is_overdue();
        let relied_on = holds.iter().filter(|hold| is_relied_on && hold.is_sure);
        let doubts: Vec<HoldsError> = relied_on.filter_map(doubt).collect();
        let until = Instant::now() + release::PATIENCE;
        let releases = release(&holds, by, until, &mut |entry| self.state().write(entry));
        let mut state = self.state();
        state.problems.extend(doubts);
        for (number, away) in releases.done {
            let mine = state.mine(number);
            mine.standing = Standing::Over;
            mine.away = Some(Away {
                service: mine.hold.service.clone(),
                how: mine.hold.how,
                away: Some(away),
                by: Some(by),
                ready: None,
            });
        }
        for left in releases.left {
            let mine = state.mine(left.number);
            mine.standing = Standing::Over;
            mine.away = Some(Away {
                service: left.service.clone(),
                how: left.how,
                away: None,
                by: None,
                ready: None,
            });
            state.unreleased = true;
            state.problems.push(HoldsError::Unreleased(left));
        }
        state
            .problems
            .extend(releases.unwritten.map(HoldsError::Journal));
        if state
            .holds
            .iter()
            .all(|mine| mine.standing == Standing::Over)
        {
            state.since = None;
        }
        drop(state);
        self.shared.changed.notify_all();
    }

    /// An error if something that is held did not stay so until now: what was staged under it is of no
    /// one moment.
    pub fn lasted(&self) -> Result<(), HoldsError> {
        let held: Vec<Hold> = {
            let mut state = self.state();
            if let Some(at) = state.problems.iter().position(HoldsError::spoils) {
                return Err(state.problems.remove(at));
            }
            let held = state.holds.iter();
            let held = held.filter(|mine| mine.standing == Standing::Held && mine.hold.is_sure);
            held.map(|mine| mine.hold.clone()).collect()
        };
        held.iter().find_map(doubt).map_or(Ok(()), Err)
    }

    /// Releases all that is still held. Nothing can be held after this.
    pub fn let_go(&self) {
        self.state().is_open = false;
        self.shared.changed.notify_all();
        self.release_all(By::Run);
        // A deed that its hook gave up waiting for is not over by that.
        drop(self.wait_while(Standing::BeingTaken));
        self.release_all(By::Run);
    }

    /// Releases all that is still held, waits until it is ready, and tells what the holds came to that it
    /// has not told yet. Nothing can be held after this.
    pub fn finish(&self, cancel: &Cancel) -> Finished {
        self.let_go();
        let released: Vec<(usize, Undo, Duration)> = {
            let state = self.wait_while(Standing::BeingReleased);
            let all = state.holds.iter().enumerate();
            let is_released = |away: &Away| away.by.is_some();
            let released = all.filter(|(_, mine)| mine.away.as_ref().is_some_and(is_released));
            released
                .map(|(at, mine)| (at, mine.hold.undo.clone(), mine.ready))
                .collect()
        };
        let began = Instant::now();
        for (at, undo, ready) in released {
            let waited = undo.wait_ready(began + ready, cancel);
            let mut state = self.state();
            let mine = &mut state.holds[at];
            match (waited, &mut mine.away) {
                (Ok(()), Some(away)) => away.ready = Some(began.elapsed()),
                // After a signal nothing is held any more, and it is told as one.
                (Ok(()), None) | (Err(NotReady::Interrupted { .. }), _) => {}
                (Err(source), _) => {
                    let service = mine.hold.service.clone();
                    let waited = ready;
                    state
                        .problems
                        .push(HoldsError::not_back(service, waited, source));
                }
            }
        }
        let mut state = self.state();
        let mut problems = std::mem::take(&mut state.problems);
        let told = problems
            .iter()
            .any(|problem| matches!(problem, HoldsError::Overdue(_)));
        if !told && !std::mem::replace(&mut state.finished, true) {
            problems.extend(self.check().err());
        }
        problems.sort_by_key(HoldsError::rank);
        let holds = state.holds.iter_mut();
        Finished {
            away: holds.filter_map(|mine| mine.away.take()).collect(),
            problems,
        }
    }

    /// The run has come to its end and keeps a record of its own. The journal goes, unless it still lists
    /// something.
    pub fn end(&self) -> Result<(), HoldsError> {
        let (journal, guard, is_settled) = {
            let mut state = self.state();
            (state.journal.take(), state.guard.take(), !state.unreleased)
        };
        let mut result = Ok(());
        if let Some(mut journal) = journal {
            result = journal.write(Entry::Ended);
            if is_settled {
                // It may go also where it could not be written to.
                result = journal.remove();
            }
        }
        if let Some(guard) = guard {
            guard.dismiss();
        }
        result.map_err(Into::into)
    }

    /// The state, when somebody else is at no hold any more.
    fn wait_while(&self, standing: Standing) -> MutexGuard<'_, State> {
        let at_it = |state: &mut State| state.holds.iter().any(|mine| mine.standing == standing);
        let waited = self.shared.changed.wait_while(self.state(), at_it);
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    /// Whole at all times, so that another thread's panic left it so.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        let state = self.shared.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    /// How long holds may last together.
    pub fn max_pause(&self) -> Option<Duration> {
        self.shared.terms.as_ref()?.max_pause
    }

    fn is_overdue(&self) -> bool {
        self.shared.overdue.load(Ordering::SeqCst)
    }

    /// `max_pause` is over: from here on nothing is held, and nothing that is staged is used.
    pub(super) fn end_overdue(&self) {
        self.shared.overdue.store(true, Ordering::SeqCst);
        self.release_all(By::MaxPause);
    }
}

/// Why what was staged under this hold can't be trusted.
fn doubt(hold: &Hold) -> Option<HoldsError> {
    let service = hold.service.clone();
    let how = held(hold.how);
    match hold.undo.is_intact() {
        Ok(true) => None,
        Ok(false) => Some(HoldsError::Lost { service, how }),
        Err(source) => Some(HoldsError::Unseen {
            service,
            how,
            source,
        }),
    }
}

impl State {
    /// A journal, and a guard over it.
    fn on_guard(&mut self, terms: &Terms) -> Result<(), HoldsError> {
        let journal = match &mut self.journal {
            Some(journal) => journal,
            none => none.insert(Journal::begin(&terms.state, terms.begun())?),
        };
        let Some(program) = &terms.guard else {
            return Ok(());
        };
        let is_there = self
            .guard
            .as_mut()
            .is_some_and(|guard| guard.ring().is_ok());
        if !is_there {
            // One that was killed is replaced.
            if let Some(gone) = self.guard.take() {
                gone.dismiss();
            }
            let path = absolute(journal.path())?;
            self.guard = Some(Guard::start(program, &path).map_err(HoldsError::Guard)?);
        }
        Ok(())
    }

    /// Adds a line to the journal, and has the guard read it.
    fn write(&mut self, entry: Entry) -> Result<(), super::journal::JournalError> {
        if let Some(journal) = &mut self.journal {
            journal.write(entry)?;
        }
        if let Some(Err(error)) = self.guard.as_mut().map(Guard::ring) {
            tracing::warn!(%error, "the guard is gone; what is held is released by this run, or by `copal recover`");
        }
        Ok(())
    }

    fn mine(&mut self, number: u32) -> &mut Mine {
        let holds = self.holds.iter_mut();
        let mut found = holds.filter(|mine| mine.hold.number == number);
        found
            .next()
            .expect("holds are asked for by the numbers they were given")
    }

    /// Takes those that are held out of everybody else's hands. What the guard released meanwhile is
    /// over: the run was stopped for so long that nothing it staged is of one moment.
    fn begin_release(&mut self, numbers: &[u32], max_pause: Option<Duration>) -> Vec<Hold> {
        let ledger = self
            .journal
            .as_mut()
            .and_then(|journal| journal.read().ok());
        let mut mine = Vec::new();
        for number in numbers {
            let Some(one) = self.holds.iter_mut().find(|one| one.hold.number == *number) else {
                continue;
            };
            if one.standing != Standing::Held {
                continue;
            }
            let known = ledger.as_ref().and_then(|ledger| ledger.hold(*number));
            if let Some((by, away)) = known.and_then(|hold| hold.released) {
                one.standing = Standing::Over;
                one.away = Some(Away {
                    service: one.hold.service.clone(),
                    how: one.hold.how,
                    away: Some(away),
                    by: Some(by),
                    ready: None,
                });
                self.problems
                    .push(HoldsError::Overdue(max_pause.unwrap_or_default()));
                continue;
            }
            one.standing = Standing::BeingReleased;
            mine.push(one.hold.clone());
        }
        mine
    }
}

/// The guard runs at the root of the file system.
fn absolute(path: &std::path::Path) -> Result<PathBuf, HoldsError> {
    std::path::absolute(path).map_err(HoldsError::Guard)
}

impl Terms {
    /// The program of the guard is this one.
    pub fn of(
        state: &StateDir,
        run: &str,
        job: &str,
        started: Timestamp,
        max_pause: Option<Duration>,
    ) -> Self {
        Self {
            state: state.clone(),
            run: run.to_owned(),
            job: job.to_owned(),
            started,
            max_pause,
            guard: guard::program(),
        }
    }

    fn begun(&self) -> Begun {
        Begun {
            run: self.run.clone(),
            job: self.job.clone(),
            started: self.started,
            pid: std::process::id(),
            max_pause_ms: self
                .max_pause
                .map(|most| u64::try_from(most.as_millis()).unwrap_or(u64::MAX)),
        }
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
