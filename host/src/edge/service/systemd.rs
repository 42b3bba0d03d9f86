//! The driver of a systemd unit.

use std::thread;
use std::time::{Duration, Instant};

use copal_hooks::Cancel;
use serde::{Deserialize, Serialize};

use super::program::Mark;
use super::systemctl::{ANSWER, Systemctl};
use super::unit::{Active, Unit};
use super::{Deed, Driver, HoldHow, Part, Released, ServiceError, State, Undo};

/// How long a unit that systemd starts anew may take to run.
const RESTARTS: Duration = Duration::from_secs(5);

/// Between two looks.
const AGAIN: Duration = Duration::from_millis(50);

/// A unit by its name.
#[derive(Debug)]
pub struct SystemdUnit {
    manager: Systemctl,
    unit: String,
}

/// A unit that ran, and those that stop with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldUnit {
    /// Who manages it.
    pub manager: Systemctl,
    /// How it is held.
    pub how: HoldHow,
    /// What marks the processes that hold it.
    pub mark: Mark,
    /// Its name.
    pub unit: String,
    /// What systemd calls this run of it. One that was started since is not held.
    pub invocation: String,
    /// Units that ran and require it, so that they stop with it, in the order in which they are
    /// started again.
    pub dependents: Vec<String>,
}

impl SystemdUnit {
    /// A unit of the system, or of this user.
    pub fn new(unit: impl Into<String>, user: bool) -> Self {
        let program = "systemctl".to_owned();
        Self::of(Systemctl { program, user }, unit)
    }

    /// A unit of some manager.
    pub fn of(manager: Systemctl, unit: impl Into<String>) -> Self {
        let unit = unit.into();
        Self { manager, unit }
    }

    /// Looks at it again until systemd is not about to start it anew. A unit that fails again and again is
    /// none that is down: it may come up at any moment, also in the middle of a copy.
    fn when_up(&self, deadline: Instant) -> Result<Unit, ServiceError> {
        let patience = Instant::now() + RESTARTS;
        loop {
            let found = self.manager.show(&self.unit, deadline)?;
            if !found.is_failing {
                return Ok(found);
            }
            if Instant::now() >= patience {
                let unit = self.unit.clone();
                return Err(ServiceError::Failing { unit });
            }
            thread::sleep(AGAIN);
        }
    }

    /// What stops with it and runs, each after what it requires.
    fn dependents(&self, deadline: Instant) -> Result<Vec<String>, ServiceError> {
        let runs = |found: &Unit| found.active == Active::Runs;
        let family = self.manager.family(&self.unit, deadline, runs)?;
        let others = family.into_iter().skip(1);
        let running = others.filter(|(_, found)| runs(found));
        Ok(running.map(|(name, _)| name).collect())
    }
}

impl Driver for SystemdUnit {
    fn state(&self) -> Result<State, ServiceError> {
        let found = self.manager.show(&self.unit, Instant::now() + ANSWER)?;
        Ok(found.state)
    }

    fn parts(&self) -> Result<Vec<Part>, ServiceError> {
        let deadline = Instant::now() + ANSWER;
        let family = self.manager.family(&self.unit, deadline, |_| true)?;
        let names = family.iter().map(|(name, _)| name);
        Ok(names
            .map(|name| Part::unit(self.manager.user, name))
            .collect())
    }

    fn before(&self, how: HoldHow) -> Result<Option<Undo>, ServiceError> {
        let deadline = Instant::now() + ANSWER;
        let found = self.when_up(deadline)?;
        if found.state != State::Running {
            return Ok(None);
        }
        if how == HoldHow::Pause && !found.can_freeze {
            return Err(ServiceError::NoPause {
                what: format!("unit `{}`", self.unit),
                why: "this systemd can't freeze units (it takes version 246 and cgroup v2)",
            });
        }
        let dependents = match how {
            HoldHow::Pause => Vec::new(),
            HoldHow::Stop { .. } => self.dependents(deadline)?,
        };
        Ok(Some(Undo::Unit(HeldUnit {
            manager: self.manager.clone(),
            how,
            mark: Mark::new(),
            unit: self.unit.clone(),
            invocation: found.invocation,
            dependents,
        })))
    }

    fn hold(
        &self,
        undo: &Undo,
        deadline: Instant,
        cancel: &Cancel,
        spare: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), ServiceError> {
        let Undo::Unit(held) = undo else {
            return Err(ServiceError::Foreign);
        };
        if cancel.is_cancelled() {
            let deed = format!("hold unit `{}`", self.unit);
            return Err(ServiceError::Interrupted { deed });
        }
        match held.how {
            HoldHow::Pause => held.freeze(deadline, spare),
            HoldHow::Stop { grace } => {
                if held.still_run(deadline, spare)? {
                    return held.stop(grace, deadline);
                }
                Ok(())
            }
        }
    }
}

impl HeldUnit {
    pub(super) fn parts(&self) -> Vec<Part> {
        let units = std::iter::once(&self.unit).chain(&self.dependents);
        units
            .map(|unit| Part::unit(self.manager.user, unit))
            .collect()
    }

    /// Takes out a unit that is not held; whether the held one is left.
    pub(super) fn spare(&mut self, unit: &str) -> bool {
        self.dependents.retain(|dependent| dependent != unit);
        self.unit != unit
    }

    /// Tells of what ended by itself meanwhile; whether the unit runs still. Those that require it are of
    /// no interest where it does not: they were not stopped by us.
    fn still_run(
        &self,
        deadline: Instant,
        spare: &mut (dyn FnMut(&str) + Send),
    ) -> Result<bool, ServiceError> {
        let runs = |unit: &String| {
            let found = self.manager.show(unit, deadline)?;
            Ok::<_, ServiceError>(found.active != Active::Ended)
        };
        let found = self.manager.show(&self.unit, deadline)?;
        if found.active == Active::Ended {
            spare(&self.unit);
            return Ok(false);
        }
        if !self.is_same(&found) {
            return Err(self.moved("it was started anew"));
        }
        for dependent in &self.dependents {
            if !runs(dependent)? {
                spare(dependent);
            }
        }
        Ok(true)
    }

    fn moved(&self, found: &'static str) -> ServiceError {
        let what = format!("unit `{}`", self.unit);
        ServiceError::Moved { what, found }
    }

    fn freeze(
        &self,
        deadline: Instant,
        spare: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), ServiceError> {
        let found = self.manager.show(&self.unit, deadline)?;
        if found.active == Active::Ended {
            spare(&self.unit);
            return Ok(());
        }
        // Whoever froze it thaws it.
        if found.state == State::Paused {
            spare(&self.unit);
            return Err(self.moved("somebody has frozen it now"));
        }
        let words = ["freeze", "--", &self.unit];
        self.manager.ask(&words, deadline, Some(&self.mark))
    }

    /// Stops it; what has not ended after `grace` is killed, though its own limit may be longer.
    fn stop(&self, grace: Duration, deadline: Instant) -> Result<(), ServiceError> {
        let words = ["stop", "--no-block", "--", &self.unit];
        self.manager.ask(&words, deadline, Some(&self.mark))?;
        let mut patience = Some(Instant::now() + grace);
        loop {
            let found = self.manager.show(&self.unit, deadline)?;
            let is_over = found.active == Active::Ended && !found.has_job;
            let ending = self.ending(deadline)?;
            if is_over && ending.is_empty() {
                return self.know_again(&found, deadline);
            }
            if patience.is_some_and(|end| Instant::now() >= end) {
                patience = None;
                let own = (!is_over).then_some(&self.unit);
                for unit in own.into_iter().chain(&ending) {
                    let words = ["kill", "--signal=KILL", "--", unit];
                    self.manager.ask(&words, deadline, Some(&self.mark))?;
                }
            }
            thread::sleep(AGAIN);
        }
    }

    /// Those that stop with it and are still at that: what they write then is to be on the disk, too.
    fn ending(&self, deadline: Instant) -> Result<Vec<String>, ServiceError> {
        let family = self.manager.family(&self.unit, deadline, |_| true)?;
        let others = family.into_iter().skip(1);
        let ending = others.filter(|(_, found)| found.active == Active::Ending);
        Ok(ending.map(|(name, _)| name).collect())
    }

    /// What was started in the very moment before it was stopped is started again, since nobody else would.
    fn know_again(&self, found: &Unit, deadline: Instant) -> Result<(), ServiceError> {
        if self.is_same(found) {
            return Ok(());
        }
        self.start(&self.unit, deadline)?;
        self.start_dependents(deadline)?;
        Err(self.moved("it was started anew"))
    }

    pub(super) fn is_intact(&self) -> Result<bool, ServiceError> {
        let deadline = Instant::now() + ANSWER;
        let family = self.manager.family(&self.unit, deadline, |_| true)?;
        let Some((_, found)) = family.first() else {
            return Ok(false);
        };
        let is_held = match self.how {
            HoldHow::Pause => found.state == State::Paused,
            // Also those that did not run before: they are not to write either.
            HoldHow::Stop { .. } => family.iter().all(|(_, one)| one.active == Active::Ended),
        };
        Ok(is_held && self.is_same(found))
    }

    /// Whether it was not started since. systemd may forget what it called a run that ended.
    fn is_same(&self, found: &Unit) -> bool {
        found.invocation.is_empty() || found.invocation == self.invocation
    }

    pub(super) fn release(&self, deadline: Instant, deed: Deed) -> Result<Released, ServiceError> {
        let may_be_held = || deed.left_of(ANSWER).is_some() && self.mark.is_holding();
        let found = loop {
            let found = self.manager.show(&self.unit, deadline)?;
            // A stop that was asked for by somebody who is gone is still a stop.
            let is_moving = found.has_job || found.active == Active::Ending || may_be_held();
            if !is_moving {
                break found;
            }
            if Instant::now() + AGAIN >= deadline {
                let why = format!("unit `{}` is still stopping or starting", self.unit);
                return Ok(Released::Pending { why });
            }
            thread::sleep(AGAIN);
        };
        match self.how {
            HoldHow::Pause if found.state == State::Paused => {
                self.manager
                    .ask(&["thaw", "--", &self.unit], deadline, None)?;
            }
            HoldHow::Stop { .. } if self.is_same(&found) && found.state == State::Stopped => {
                self.start(&self.unit, deadline)?;
                self.start_dependents(deadline)?;
            }
            // It was stopped with those that require it, and is back: so are they to be.
            HoldHow::Stop { .. } if found.active == Active::Runs => {
                self.start_dependents(deadline)?;
            }
            _ => {}
        }
        Ok(Released::Done)
    }

    pub(super) fn start(&self, unit: &str, deadline: Instant) -> Result<(), ServiceError> {
        self.manager.ask(&["start", "--", unit], deadline, None)
    }

    /// One that fails keeps no other from being started; what failed first is told.
    fn start_dependents(&self, deadline: Instant) -> Result<(), ServiceError> {
        let start = |unit: &String| self.start(unit, deadline);
        let started: Vec<_> = self.dependents.iter().map(start).collect();
        started.into_iter().collect()
    }
}

#[cfg(test)]
#[path = "systemd_tests.rs"]
mod tests;
