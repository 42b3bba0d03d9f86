//! The driver of a service that the owner's own commands stop and start.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use copal_hooks::Cancel;
use serde::{Deserialize, Serialize};

use super::program::{Mark, Purpose, refuse_missing, run, run_marked};
use super::{Deed, Driver, HoldHow, Part, Released, ServiceError, State, Undo, end_of_look};

/// How long a command may take to say whether the service runs: longer than that, and a release would wait
/// for it.
const LOOK: Duration = Duration::from_secs(10);

/// How long a service has to go on running after a stop that failed. Until then it may be about to end.
const SETTLED: Duration = Duration::from_secs(10);

/// The same after a stop that was killed when its time was over: the app may end as late as it likes, and
/// would be down then. The guard looks for as long.
const GIVEN_UP: Duration = Duration::from_mins(10);

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
    /// Ends with exit code 0 if it runs, and with 1 to 125 if it does not. Without it, the service is taken to run before a hold, and to
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

    pub(super) fn runs(&self, deadline: Option<Instant>) -> Result<Option<bool>, ServiceError> {
        let Some(state) = &self.state else {
            return Ok(None);
        };
        let limit = self.limit(state, deadline)?.min(LOOK);
        match run(state, &self.base, limit) {
            Err(ServiceError::Slow { program, limit }) => {
                Err(ServiceError::Mute { program, limit })
            }
            ended => ended?.answer().map(Some),
        }
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
        match self.goes_on(deadline, deed) {
            Some(true) => {}
            Some(false) => {
                let Commands {
                    start,
                    base,
                    timeout,
                    ..
                } = commands;
                run_marked(start, base, *timeout, &self.mark, Purpose::Release)?.well()?;
            }
            None => {
                let name = &commands.name;
                let why = match deed {
                    Deed::GivenUp { .. } => format!(
                        "service `{name}` runs, and may still end: its stop was killed when its time was over"
                    ),
                    _ => format!("service `{name}` may still be about to end"),
                };
                return Ok(Released::Pending { why });
            }
        }
        Ok(Released::Done)
    }

    /// Whether it runs, and is not about to end: a stop that failed, or whose caller is gone, may have been
    /// heard all the same. None where there is no time to know.
    fn goes_on(&self, deadline: Instant, deed: Deed) -> Option<bool> {
        let commands = &self.commands;
        // Without a state there is nothing to look at for so long.
        let is_given_up = matches!(deed, Deed::GivenUp { .. }) && commands.state.is_some();
        let settled = if is_given_up {
            deed.left_of(GIVEN_UP)
        } else {
            let left = deed.left_of(commands.timeout + LOOK + SETTLED);
            left.map(|left| left.min(SETTLED))
        };
        let settled = settled.unwrap_or_default();
        let known = Instant::now() + settled;
        loop {
            let found = commands.runs(Some(end_of_look(deadline)));
            let now = Instant::now();
            let is_late = now + AGAIN >= deadline;
            match found {
                Ok(Some(true)) if now >= known => return Some(true),
                Ok(Some(true)) if is_late => return None,
                // Started while it is ending, it would be down in a moment.
                Ok(None) if now >= known || is_late => return Some(false),
                Ok(Some(true) | None) => thread::sleep(AGAIN),
                // That its state can't be told keeps nobody from starting it.
                Ok(Some(false)) | Err(_) => return Some(false),
            }
        }
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
        for words in [&self.stop, &self.start] {
            refuse_missing(words, &self.base)?;
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
