//! Resume: whatever was attempted to hold is released, in reverse order, whatever happened before.
//!
//! The bracket of a backup calls this exactly once for each pause it attempts; the releasing itself is
//! [`Holds::finish`].

use super::stage::Staged;
use crate::error::CopalError;
use crate::holds::{Finished, Holds, HoldsError};
use crate::run::Run;

/// What the bracket of a backup came to: everything is staged, and so it stands with the services.
#[derive(Debug)]
pub enum Bracketed {
    /// The app goes on, and each hold lasted until then.
    Released(Staged),
    /// With `mode = "hold"` services are held until all is delivered, and what is staged is of one moment
    /// only if they stay so: see [`Lasted`].
    Held(Staged, Holds),
}

/// Proof that each hold lasted for as long as it was relied on: nothing is sealed without.
#[derive(Debug)]
pub struct Lasted(());

impl Lasted {
    /// Of holds that are over or, where they are not, have lasted until now.
    pub(super) fn until_now(held: Option<&Holds>) -> Result<Self, HoldsError> {
        held.map_or(Ok(()), Holds::lasted).map(|()| Self(()))
    }
}

/// What staging came to, when all holds are released: a hold that did not last makes it useless. What
/// else there is to tell of them is told beside it.
pub fn resume(
    staged: Result<Staged, CopalError>,
    finished: Finished,
    run: &mut Run<'_>,
) -> Result<Bracketed, CopalError> {
    let mut problems = note(finished, run);
    let is_signal = run.edges.interrupt.signal().is_some();
    // What `max_pause` ended looks as if a signal had.
    let is_own = |error: &CopalError| is_signal || !error.is_interruption();
    let spoilt = problems.iter().position(HoldsError::spoils);
    let result = match (staged, spoilt) {
        (Err(error), _) if is_own(&error) => Err(error),
        (_, Some(at)) => Err(problems.remove(at).into()),
        (Err(error), None) => Err(error),
        (Ok(staged), None) => {
            // One that came while services were waited for.
            let still = run.edges.interrupt.check();
            still
                .map(|()| Bracketed::Released(staged))
                .map_err(Into::into)
        }
    };
    let told = result.as_ref().err().map(CopalError::in_one_line);
    for problem in problems.into_iter().map(CopalError::from) {
        // What came of several holds at once is told once.
        let line = problem.in_one_line();
        let is_new = |known: &CopalError| known.in_one_line() != line;
        if told.as_ref() != Some(&line) && run.shortcomings.iter().all(is_new) {
            run.shortcomings.push(problem);
        }
    }
    result
}

/// Takes down which services were held; what went wrong with that.
pub fn note(finished: Finished, run: &mut Run<'_>) -> Vec<HoldsError> {
    run.holds.extend(finished.away);
    finished.problems
}
