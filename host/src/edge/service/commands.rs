//! The driver of a service that the owner's own commands stop and start.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use copal_hooks::Cancel;
use serde::{Deserialize, Serialize};

use super::program::{Exited, Mark, Purpose, run, run_marked};
use super::{
    Deed, Driver, HoldHow, NotReady, Part, Released, ServiceError, State, Undo, end_of_look,
};

/// Between two looks while it is awaited.
const AGAIN: Duration = Duration::from_millis(200);

/// A service that was stopped by a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldCommands {
    /// Its commands.
    pub commands: Commands,
    /// What marks the processes that stop and start it.
    pub mark: Mark,
}

/// A service by the commands that stop and start it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commands {
    /// Its name, for people.
    pub name: String,
    /// Stops it: a program and its arguments.
    pub stop: Vec<String>,
    /// Starts it.
    pub start: Vec<String>,
    /// Ends with exit code 0 if it runs. Without it, the service is taken to run before a hold, and to
    /// be ready after one.
    pub state: Option<Vec<String>>,
    /// How long each of them may take.
    pub timeout: Duration,
    /// Where they run.
    pub base: PathBuf,
}

impl Commands {
    pub(super) fn part(&self) -> Part {
        // Such as `start.sh`, which is another file in another place.
        let is_here = |word: &String| {
            !word.is_empty() && Path::new(word).is_relative() && self.base.join(word).exists()
        };
        Part::Started {
            by: self.start.clone(),
            base: self.start.iter().any(is_here).then(|| self.base.clone()),
        }
    }

    fn runs(&self, deadline: Option<Instant>) -> Result<Option<bool>, ServiceError> {
        let Some(state) = &self.state else {
            return Ok(None);
        };
        Ok(Some(self.run(state, deadline)?.code == 0))
    }

    fn run(&self, words: &[String], deadline: Option<Instant>) -> Result<Exited, ServiceError> {
        run(words, &self.base, self.limit(words, deadline)?)
    }

    /// How long one of them may take.
    fn limit(&self, words: &[String], deadline: Option<Instant>) -> Result<Duration, ServiceError> {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let limit = left.map_or(self.timeout, |left| left.min(self.timeout));
        if limit.is_zero() {
            let deed = format!("run `{}`", words.join(" "));
            return Err(ServiceError::OutOfTime { deed });
        }
        Ok(limit)
    }
}

impl HeldCommands {
    pub(super) fn is_intact(&self) -> Result<bool, ServiceError> {
        Ok(self.commands.runs(None)? != Some(true))
    }

    /// Starts it, unless it is known to run. A start that was begun has all its time: one that is killed
    /// half way would be begun anew, for ever.
    pub(super) fn release(&self, deadline: Instant, deed: Deed) -> Result<Released, ServiceError> {
        let commands = &self.commands;
        // A stop that was begun by somebody who is gone is still a stop. What it leaves running has its
        // mark, too, and is waited for no longer than a stop may take.
        let is_stopping = || deed.left_of(commands.timeout).is_some() && self.mark.is_holding();
        if !over(is_stopping, deadline) {
            return Ok(still(&commands.stop));
        }
        // And so is a start.
        let longest = Instant::now() + commands.timeout;
        let is_starting = || Instant::now() < longest && self.mark.is_releasing();
        if !over(is_starting, deadline) {
            return Ok(still(&commands.start));
        }
        // That its state can't be told keeps nobody from starting it.
        if !matches!(commands.runs(Some(end_of_look(deadline))), Ok(Some(true))) {
            let Commands {
                start,
                base,
                timeout,
                ..
            } = commands;
            run_marked(start, base, *timeout, &self.mark, Purpose::Release)?.well()?;
        }
        Ok(Released::Done)
    }

    pub(super) fn wait_ready(&self, deadline: Instant, cancel: &Cancel) -> Result<(), NotReady> {
        let what = || format!("service `{}`", self.commands.name);
        while self.commands.runs(Some(end_of_look(deadline)))? == Some(false) {
            if cancel.is_cancelled() {
                return Err(NotReady::Interrupted { what: what() });
            }
            if Instant::now() + AGAIN >= deadline {
                let state = self.commands.state.as_deref().unwrap_or_default().join(" ");
                let how = format!("does not run, says `{state}`");
                return Err(NotReady::Late { what: what(), how });
            }
            thread::sleep(AGAIN);
        }
        Ok(())
    }
}

/// Waits until it is over; whether it is.
fn over(is_going_on: impl Fn() -> bool, deadline: Instant) -> bool {
    while is_going_on() {
        if Instant::now() + AGAIN >= deadline {
            return false;
        }
        thread::sleep(AGAIN);
    }
    true
}

fn still(words: &[String]) -> Released {
    let why = format!("`{}` is still running", words.join(" "));
    Released::Pending { why }
}

impl Driver for Commands {
    fn state(&self) -> Result<State, ServiceError> {
        Ok(match self.runs(None)? {
            Some(false) => State::Stopped,
            Some(true) | None => State::Running,
        })
    }

    fn parts(&self) -> Result<Vec<Part>, ServiceError> {
        Ok(vec![self.part()])
    }

    fn before(&self, how: HoldHow) -> Result<Option<Undo>, ServiceError> {
        if how == HoldHow::Pause {
            return Err(ServiceError::NoPause {
                what: format!("service `{}`", self.name),
                why: "it has commands to stop and to start it, and none to pause it",
            });
        }
        let runs = self.state()? == State::Running;
        Ok(runs.then(|| {
            Undo::Commands(HeldCommands {
                commands: self.clone(),
                mark: Mark::new(),
            })
        }))
    }

    fn hold(
        &self,
        undo: &Undo,
        deadline: Instant,
        cancel: &Cancel,
        spare: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), ServiceError> {
        let Undo::Commands(held) = undo else {
            return Err(ServiceError::Foreign);
        };
        if cancel.is_cancelled() {
            let deed = format!("stop service `{}`", self.name);
            return Err(ServiceError::Interrupted { deed });
        }
        let Commands { stop, base, .. } = &held.commands;
        if held.commands.runs(Some(deadline))? == Some(false) {
            spare(&held.commands.name);
            return Ok(());
        }
        let limit = held.commands.limit(stop, Some(deadline))?;
        let stopped = run_marked(stop, base, limit, &held.mark, Purpose::Hold)?;
        stopped.well().map(drop)
    }
}

#[cfg(test)]
#[path = "commands_tests.rs"]
mod tests;
