//! `copal recover`, and the same at the start of any other command.

use std::io;
use std::time::{Duration, Instant};

use super::Global;
use super::conclude::also;
use super::ending::{Exit, ending};
use super::open::state;
use crate::abandoned;
use crate::edge::begun::Mark;
use crate::edge::lock::{Lock, LockError};
use crate::edge::state::StateDir;
use crate::error::CopalError;
use crate::holds::HoldsError;
use crate::holds::ledger::{Begun, By, Ledger};
use crate::holds::recovery::{self, Found, Settled};
use crate::holds::release::{self, Left};
use crate::show::recover::Going;
use crate::show::{self, message};

/// How long another command tries: it has something else to do.
const IN_PASSING: Duration = Duration::from_secs(5);

/// How long it waits for whoever is at it: mostly a guard that is about to be ready.
const FOR_OTHERS: Duration = Duration::from_secs(2);

/// What was found, and done about it.
#[derive(Debug, Default)]
struct Recovered {
    /// What was released, by whose run held it.
    released: Vec<show::recover::Released>,
    /// Exchanges that were ended.
    ended: Vec<show::recover::Ended>,
    /// Runs that go on.
    running: Vec<Going>,
    /// Killed runs that held nothing, and were in no record.
    killed: Vec<show::recover::Killed>,
    /// What could not be done, and whose run it was about.
    problems: Vec<(CopalError, Option<Begun>)>,
}

pub(super) fn run(global: &Global) -> Result<Exit, CopalError> {
    let until = Instant::now() + release::PATIENCE;
    let state = state()?;
    let mut recovered = recover(&state, until, until)?;
    recovered.record_killed(&state);
    recovered.tell_problems();
    let exit = recovered.exit();
    let came_to = show::recover::CameTo {
        released: &recovered.released,
        ended: &recovered.ended,
        running: &recovered.running,
        killed: &recovered.killed,
        is_well: exit == Exit::Done,
    };
    show::recover::print(&came_to, global.output())?;
    Ok(exit)
}

/// Releases in passing what a killed run left held. The answer outranks what the command comes to.
pub(super) fn in_passing(global: &Global) -> Option<Exit> {
    // Without a place for it there is none, and the command says so where it matters.
    let state = StateDir::from_environment()?;
    let now = Instant::now();
    let recovered = match recover(&state, now + FOR_OTHERS, now + IN_PASSING) {
        Ok(recovered) => recovered,
        Err(CopalError::Holds(error))
            if matches!(&*error, HoldsError::Journal(error)
                if error.source.kind() == io::ErrorKind::PermissionDenied) =>
        {
            // Another user's, who is told by a command of their own.
            return None;
        }
        Err(error) => {
            also(&error);
            return None;
        }
    };
    if !global.quiet {
        for ended in &recovered.ended {
            message::note(&ended.to_string());
        }
        for released in &recovered.released {
            message::note(&released.to_string());
        }
    }
    recovered.tell_problems();
    Some(recovered.exit()).filter(|exit| *exit == Exit::NotResumed)
}

fn recover(state: &StateDir, lock_by: Instant, until: Instant) -> Result<Recovered, CopalError> {
    let mut recovered = Recovered::default();
    for path in recovery::journals(state).map_err(HoldsError::from)? {
        match recovery::settle(&path, "recovery", By::Recovery, lock_by, until) {
            Ok(Found::Gone) => {}
            Ok(Found::Busy(ledger)) => recovered.note_busy(&ledger),
            Ok(Found::Settled(settled)) => recovered.take(settled, state),
            Err(error) => recovered.problem(error.into(), None),
        }
    }
    Ok(recovered)
}

impl Recovered {
    fn take(&mut self, mut settled: Settled, state: &StateDir) {
        let ledger = &settled.ledger;
        let released = settled.released.iter().filter_map(|n| ledger.hold(*n));
        self.released
            .extend(released.map(|hold| show::recover::Released::of(ledger, hold)));
        self.ended.extend(show::recover::Ended::of(&settled));
        let left = settled.left.iter().cloned();
        let left: Vec<_> = left.map(HoldsError::Unreleased).collect();
        if let Err(error) = abandoned::keep(&settled, state, None) {
            self.problems.push((error.into(), None));
        }
        let begun = settled.ledger.begun.clone();
        let unwritten = settled.unwritten.take().map(HoldsError::Journal);
        let stuck = settled.stuck.take().map(|stuck| HoldsError::Between {
            live: stuck.live,
            why: stuck.why,
        });
        stuck
            .into_iter()
            .chain(left)
            .chain(unwritten)
            .for_each(|error| self.problem(error, begun.as_ref()));
        if settled.ledger.unreadable > 0 {
            self.problem(
                HoldsError::Unreadable(settled.path().to_owned()),
                begun.as_ref(),
            );
        }
        if settled.ledger.is_settled()
            && let Err(error) = settled.forget()
        {
            self.problem(error.into(), begun.as_ref());
        }
    }

    /// Runs that held nothing have no journal. Their hooks hear of them by the next backup, which finds the mark.
    fn record_killed(&mut self, state: &StateDir) {
        let jobs = match abandoned::marked(state) {
            Ok(jobs) => jobs,
            Err(error) => return self.problems.push((error, None)),
        };
        for job in jobs {
            match keep_killed(&job, state) {
                Ok(killed) => self.killed.extend(killed),
                Err(error) => self.problems.push((error, None)),
            }
        }
    }

    /// The run goes on; or its guard is at it, and may have tried in vain before.
    fn note_busy(&mut self, ledger: &Ledger) {
        for left in ledger.to_release().filter_map(Left::of) {
            self.problem(HoldsError::Unreleased(left), ledger.begun.as_ref());
        }
        if !ledger.ended {
            let going = ledger.begun.clone().map(|run| Going {
                is_stopped: is_stopped(run.pid),
                run,
            });
            self.running.extend(going);
        }
    }

    fn problem(&mut self, error: HoldsError, begun: Option<&Begun>) {
        self.problems.push((error.into(), begun.cloned()));
    }

    /// Each with the job that it is about: there may be many.
    fn tell_problems(&self) {
        for (error, begun) in &self.problems {
            let next = ending(error).next;
            match begun {
                Some(Begun { job, run, .. }) => {
                    let next = format!("{next}. A run of the job `{job}` held it: {run}");
                    message::error(error, &next);
                }
                None => message::error(error, &next),
            }
        }
    }

    fn exit(&self) -> Exit {
        let exits: Vec<Exit> = self
            .problems
            .iter()
            .map(|(error, _)| ending(error).exit)
            .collect();
        if exits.contains(&Exit::NotResumed) {
            return Exit::NotResumed;
        }
        if exits.is_empty() {
            Exit::Done
        } else {
            Exit::FellShort
        }
    }
}

/// Keeps that the run of this job was killed, where the history does not know it.
fn keep_killed(job: &str, state: &StateDir) -> Result<Option<show::recover::Killed>, CopalError> {
    if abandoned::unrecorded(job, state)?.is_none() {
        return Ok(None);
    }
    let _lock = match Lock::take(&state.lock_file(job), job) {
        Ok(lock) => lock,
        // One that begins now sees to it.
        Err(LockError::Held { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mark = Mark::at(state.begun(job));
    let left = mark.left().map_err(|source| CopalError::UnreadMark {
        path: mark.file().to_owned(),
        source,
    })?;
    let Some(begun) = left else {
        return Ok(None);
    };
    let kept = abandoned::keep_bare(&begun, job, state)?;
    Ok(kept.map(|outcome| show::recover::Killed {
        name: job.to_owned(),
        run: begun.run,
        started: begun.started,
        outcome,
    }))
}

/// Whether a process was stopped, by SIGSTOP for example. Of one that can't be seen nothing is said.
fn is_stopped(pid: u32) -> bool {
    let line = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Such as `12 (a name) T 1 …`.
    let rest = line.rsplit(')').next().unwrap_or_default();
    rest.split_whitespace().next() == Some("T")
}
