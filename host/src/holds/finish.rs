//! Releasing what is held, and what the holds of a run came to.

use std::sync::{MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use copal_hooks::Cancel;

use super::error::HoldsError;
use super::ledger::{By, Hold};
use super::left::Left;
use super::register::{Away, Register, Standing};
use super::release::{self, Releasing};
use super::run::Holds;
use crate::edge::service::{HoldHow, NotReady, Undo};

/// Between two looks at a service that copies of databases may keep from starting.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// What they kept from starting may take so long to end.
const ABOUT_TO_END: Duration = Duration::from_secs(2);

/// Between two looks at what runs.
const AGAIN: Duration = Duration::from_millis(100);

/// What the holds of a run came to.
#[derive(Debug, Default)]
pub struct Finished {
    /// Each that was released.
    pub away: Vec<Away>,
    /// What went wrong with them, the worst first.
    pub problems: Vec<HoldsError>,
}

impl Holds {
    /// Releases one before the end of staging, as its hook wishes. What can't be released yet is tried again
    /// at the end.
    pub fn release(&self, number: u32) -> Result<(), HoldsError> {
        let left = self.release_these(&[number], By::Hook).pop();
        left.map_or(Ok(()), |left| Err(HoldsError::Unreleased(left)))
    }

    /// Releases all that is held, the last taken first.
    pub(super) fn release_all(&self, by: By) {
        let all = self.register().numbers();
        self.release_these(&all, by);
    }

    /// Releases these; what is left to be tried again.
    pub(super) fn release_these(&self, numbers: &[u32], by: By) -> Vec<Left> {
        let ledger = self.shared.kept.ledger();
        let max_pause = self.max_pause();
        let begun = self
            .register()
            .begin_release(numbers, ledger.as_ref(), max_pause);
        if begun.is_empty() {
            return Vec::new();
        }
        let stuck = self.shared.stuck().clone();
        if let Some(stuck) = stuck {
            let mut register = self.register();
            for hold in &begun {
                register.mark_left(stuck.keeps(hold));
            }
            self.shared.changed.notify_all();
            return Vec::new();
        }
        let releasing = Releasing {
            by,
            until: Instant::now() + release::PATIENCE,
            book: &self.shared.kept,
            // Where somebody else resumed it meanwhile, what was staged is of no moment at all.
            is_relied_on: matches!(by, By::Run | By::Hook) && !self.is_overdue(),
            // A hook goes on only after its release, and with it the copies.
            is_kept_out: &|| by != By::Hook && self.shared.locks.are_there(),
        };
        let releases = releasing.release(&begun);
        let left = self.register().take(releases, by, max_pause);
        self.shared.changed.notify_all();
        left
    }

    /// An error if something that is held did not stay so until now: what was staged under it is of no
    /// one moment.
    pub fn lasted(&self) -> Result<(), HoldsError> {
        let held: Vec<Hold> = {
            let mut register = self.register();
            if let Some(at) = register.problems.iter().position(HoldsError::spoils) {
                return Err(register.problems.remove(at));
            }
            let held = register.all().iter();
            let held = held.filter(|mine| mine.standing == Standing::Held && mine.hold.is_sure);
            held.map(|mine| mine.hold.clone()).collect()
        };
        // What is only to be told is told at the release.
        let mut doubts = held.iter().filter_map(release::doubt);
        doubts.find(HoldsError::spoils).map_or(Ok(()), Err)
    }

    /// Releases all that is still held. Nothing can be held after this.
    pub fn let_go(&self) {
        self.register().is_open = false;
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
        drop(self.wait_while(Standing::BeingReleased));
        self.await_ready(cancel);
        let mut register = self.register();
        let mut problems = std::mem::take(&mut register.problems);
        let is_overdue = |problem: &HoldsError| matches!(problem, HoldsError::Overdue(_));
        if problems.iter().any(is_overdue) {
            register.is_overdue_told = true;
        } else if !std::mem::replace(&mut register.is_overdue_told, true) {
            problems.extend(self.check().err());
        }
        problems.sort_by_key(HoldsError::rank);
        let holds = register.all_mut().iter_mut();
        Finished {
            away: holds.filter_map(|mine| mine.away.take()).collect(),
            problems,
        }
    }

    /// Waits until what was released is ready.
    fn await_ready(&self, cancel: &Cancel) {
        let released: Vec<(u32, Undo, HoldHow, Duration)> = {
            let register = self.register();
            let is_released = |away: &Away| away.by.is_some();
            let all = register.all().iter();
            all.filter(|mine| mine.away.as_ref().is_some_and(is_released))
                .map(|mine| {
                    let Hold { number, how, .. } = mine.hold;
                    (number, mine.hold.undo.clone(), how, mine.ready)
                })
                .collect()
        };
        let began = Instant::now();
        for (number, undo, how, ready) in released {
            let waited = self.wait_ready((&undo, how), (began, ready), cancel);
            let mut register = self.register();
            let lost: Vec<String> = register.lost().map(str::to_owned).collect();
            let Some(mine) = register.mine(number) else {
                continue;
            };
            match (waited, &mut mine.away) {
                (Ok(back), Some(away)) => away.ready = Some(back),
                // After a signal nothing is held any more, and it is told as one.
                (Ok(_), None) | (Err(NotReady::Interrupted { .. }), _) => {}
                // That is how its hold was lost, and is told.
                (Err(NotReady::Gone { .. }), _) if lost.contains(&mine.hold.service) => {}
                (Err(source), _) => {
                    let service = mine.hold.service.clone();
                    // A health check that comes rarely is waited for longer.
                    let waited = ready.max(Duration::from_secs(began.elapsed().as_secs()));
                    let problem = HoldsError::not_back(service, waited, source);
                    register.problems.push(problem);
                }
            }
        }
    }

    /// Waits for one; how long after `began` it was ready. What was stopped, and ends by itself after its
    /// release while databases stand locked, or just after, is started once more when they do not.
    fn wait_ready(
        &self,
        (undo, how): (&Undo, HoldHow),
        (began, ready): (Instant, Duration),
        cancel: &Cancel,
    ) -> Result<Duration, NotReady> {
        let locks = &self.shared.locks;
        let is_stopped = matches!(how, HoldHow::Stop { .. });
        let (mut back, mut settled) = (None, None);
        while is_stopped && (locks.are_there() || locks.were_there()) {
            let waited = undo.wait_ready(Instant::now() + BETWEEN_LOOKS, cancel);
            match &waited {
                Ok(()) => _ = back.get_or_insert_with(|| began.elapsed()),
                Err(NotReady::Late { .. }) => back = None,
                Err(_) => return waited.map(|()| began.elapsed()),
            }
            if locks.are_there() {
                thread::sleep(AGAIN);
                continue;
            }
            let now = Instant::now();
            let settled = *settled.get_or_insert(now + ABOUT_TO_END);
            match back {
                Some(back) if now >= settled || cancel.is_cancelled() => return Ok(back),
                Some(_) => thread::sleep(AGAIN),
                None => {
                    let is_late = now >= began + ready;
                    if undo.start_again(now + release::PATIENCE, is_late)? {
                        undo.wait_ready(Instant::now() + ready, cancel)?;
                        return Ok(began.elapsed());
                    }
                    if is_late {
                        return waited.map(|()| began.elapsed());
                    }
                }
            }
        }
        undo.wait_ready(began + ready, cancel)?;
        Ok(began.elapsed())
    }

    /// The register, when somebody else is at no hold any more.
    fn wait_while(&self, standing: Standing) -> MutexGuard<'_, Register> {
        let at_it = |register: &mut Register| {
            let mut holds = register.all().iter();
            holds.any(|mine| mine.standing == standing)
        };
        let waited = self.shared.changed.wait_while(self.register(), at_it);
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}
