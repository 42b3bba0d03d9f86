//! The holds of a run: taken by its hooks, and released whatever happens.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::copying::Locks;
use super::error::HoldsError;
use super::exchange::Stuck;
use super::kept::Kept;
use super::ledger::By;
use super::register::{Register, Standing};
use super::terms::Terms;

/// The holds of one run. Clones are the same holds.
#[derive(Debug, Clone, Default)]
pub struct Holds {
    pub(super) shared: Arc<Shared>,
}

#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) terms: Option<Terms>,
    register: Mutex<Register>,
    /// Something in the register has changed.
    pub(super) changed: Condvar,
    pub(super) kept: Kept,
    pub(super) locks: Locks,
    /// The source is between two trees: nothing is released.
    stuck: Mutex<Option<Stuck>>,
    /// `max_pause` is over.
    pub(super) overdue: Arc<AtomicBool>,
}

impl Shared {
    /// Whole at all times, so that another thread's panic left it so.
    pub(super) fn stuck(&self) -> MutexGuard<'_, Option<Stuck>> {
        self.stuck.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The stretch of a run in which it may hold something. When it is left without
/// [`Holds::finish`], by a panic, all is released all the same.
#[derive(Debug)]
#[must_use = "what is held is released when this is dropped"]
pub struct Bracket {
    holds: Holds,
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
        self.register().is_open = true;
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
        let register = self.register();
        let mut holds = register.all().iter();
        holds.any(|mine| mine.standing != Standing::Over)
    }

    /// How long holds may last together.
    pub fn max_pause(&self) -> Option<Duration> {
        self.shared.terms.as_ref()?.max_pause
    }

    /// The run has come to its end and keeps a record of its own. The journal goes, unless it still lists
    /// something.
    pub fn end(&self) -> Result<(), HoldsError> {
        let is_settled = !self.register().is_unreleased && self.shared.stuck().is_none();
        self.shared.kept.end(is_settled)
    }

    /// Whole at all times, so that another thread's panic left it so.
    pub(super) fn register(&self) -> MutexGuard<'_, Register> {
        let register = self.shared.register.lock();
        register.unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_overdue(&self) -> bool {
        self.shared.overdue.load(Ordering::SeqCst)
    }

    /// `max_pause` is over: from here on nothing is held, and nothing that is staged is used.
    pub(super) fn end_overdue(&self) {
        self.shared.overdue.store(true, Ordering::SeqCst);
        self.release_all(By::MaxPause);
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
