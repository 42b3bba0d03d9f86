//! `copal recover`, and the same at the start of any other command.

use std::io;
use std::time::{Duration, Instant};

use super::Global;
use super::conclude::also;
use super::ending::{Exit, ending};
use super::open::state;
use crate::abandoned;
use crate::edge::state::StateDir;
use crate::error::CopalError;
use crate::holds::HoldsError;
use crate::holds::ledger::{Begun, By, Ledger};
use crate::holds::recovery::{self, Found, Settled};
use crate::holds::release::{self, Left};
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
    /// Runs that go on.
    running: Vec<Begun>,
    /// What could not be done.
    problems: Vec<CopalError>,
}

pub(super) fn run(global: &Global) -> Result<Exit, CopalError> {
    let until = Instant::now() + release::PATIENCE;
    let recovered = recover(&state()?, until, until)?;
    recovered.problems.iter().for_each(also);
    let exit = recovered.exit();
    let Recovered {
        released, running, ..
    } = recovered;
    show::recover::print(&released, &running, exit == Exit::Done, global.output())?;
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
        for released in &recovered.released {
            message::note(&released.to_string());
        }
    }
    recovered.problems.iter().for_each(also);
    Some(recovered.exit()).filter(|exit| *exit == Exit::NotResumed)
}

fn recover(state: &StateDir, lock_by: Instant, until: Instant) -> Result<Recovered, CopalError> {
    let mut recovered = Recovered::default();
    for path in recovery::journals(state).map_err(HoldsError::from)? {
        match recovery::settle(&path, "recovery", By::Recovery, lock_by, until) {
            Ok(Found::Gone) => {}
            Ok(Found::Busy(ledger)) => recovered.is_busy(&ledger),
            Ok(Found::Settled(settled)) => recovered.take(settled, state),
            Err(error) => recovered.problem(error.into()),
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
        let left = settled.left.iter().cloned();
        let left: Vec<_> = left.map(HoldsError::Unreleased).collect();
        if let Err(error) = abandoned::keep(&settled, state, None) {
            self.problems.push(error.into());
        }
        let unwritten = settled.unwritten.take().map(HoldsError::Journal);
        left.into_iter()
            .chain(unwritten)
            .for_each(|error| self.problem(error));
        if settled.ledger.unreadable > 0 {
            self.problem(HoldsError::Unreadable(settled.path().to_owned()));
        }
        if settled.ledger.is_settled()
            && let Err(error) = settled.forget()
        {
            self.problem(error.into());
        }
    }

    /// The run goes on; or its guard is at it, and may have tried in vain before.
    fn is_busy(&mut self, ledger: &Ledger) {
        for left in ledger.to_release().filter_map(Left::of) {
            self.problem(HoldsError::Unreleased(left));
        }
        if !ledger.ended {
            self.running.extend(ledger.begun.clone());
        }
    }

    fn problem(&mut self, error: HoldsError) {
        self.problems.push(error.into());
    }

    fn exit(&self) -> Exit {
        let exits: Vec<Exit> = self
            .problems
            .iter()
            .map(|error| ending(error).exit)
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
