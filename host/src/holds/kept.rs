//! The journal of a run, and the guard over it.
//!
//! Neither has to do with the register of holds (`register.rs`): while a guard is being started, or a
//! line waits for the disk, all that is held can be released.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};

use jiff::Timestamp;

use super::error::HoldsError;
use super::guard::Guard;
use super::journal::{Journal, JournalError};
use super::ledger::{By, Entry, Ledger};
use super::release::{Book, Claim};
use super::terms::Terms;

/// What is there from the first hold on.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Set by whoever has the guard's lock.
    journal: OnceLock<Journal>,
    guard: Mutex<Option<Guard>>,
}

impl Kept {
    /// Sees to it that there is a journal, and a guard over it.
    pub(super) fn on_guard(&self, terms: &Terms) -> Result<(), HoldsError> {
        let mut guard = self.guard();
        let journal = if let Some(journal) = self.journal.get() {
            journal
        } else {
            let begun = Journal::begin(&terms.state, terms.begun())?;
            self.journal.get_or_init(|| begun)
        };
        let Some(program) = &terms.guard else {
            return Ok(());
        };
        let is_there = guard.as_mut().is_some_and(|guard| guard.ring().is_ok());
        if !is_there {
            // One that was killed is replaced.
            if let Some(gone) = guard.take() {
                gone.dismiss();
            }
            // The guard runs at the root of the file system.
            let path = std::path::absolute(journal.path()).map_err(HoldsError::Guard)?;
            *guard = Some(Guard::start(program, &path).map_err(HoldsError::Guard)?);
        }
        Ok(())
    }

    /// What the journal says, whoever wrote it. None where there is none, or it can't be read.
    pub(super) fn ledger(&self) -> Option<Ledger> {
        self.journal.get()?.read().ok()
    }

    /// Has the guard read the journal.
    pub(super) fn ring(&self) {
        let mut guard = match self.guard.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(guard)) => guard.into_inner(),
            // One is being started. It is rung with the line about its hold.
            Err(TryLockError::WouldBlock) => return,
        };
        if let Some(Err(error)) = guard.as_mut().map(Guard::ring) {
            tracing::warn!(%error, "the guard is gone; what is held is released by this run, or by `copal recover`");
        }
    }

    /// The end of the run. The journal goes if all `is_settled`.
    pub(super) fn end(&self, is_settled: bool) -> Result<(), HoldsError> {
        let mut result = Ok(());
        if let Some(journal) = self.journal.get() {
            result = journal.write(Entry::Ended);
            if is_settled {
                // It may go also where it could not be written to.
                result = journal.remove();
            }
            journal.unlock();
        }
        if let Some(guard) = self.guard().take() {
            guard.dismiss();
        }
        result.map_err(Into::into)
    }

    fn guard(&self) -> MutexGuard<'_, Option<Guard>> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book for Kept {
    fn claim(&self, number: u32, by: By) -> Claim {
        let Some(journal) = self.journal.get() else {
            return Claim::Ours;
        };
        claim(journal, number, by)
    }

    /// Adds a line to the journal, and has the guard read it.
    fn write(&self, entry: Entry) -> Result<(), JournalError> {
        if let Some(journal) = self.journal.get() {
            journal.write(entry)?;
        }
        self.ring();
        Ok(())
    }
}

/// Claims a hold in a journal whose run is there: so may its guard be. Where both do at the same time, the
/// order of their lines decides.
pub(super) fn claim(journal: &Journal, number: u32, by: By) -> Claim {
    let standing = || {
        let hold = journal.read().ok()?.hold(number)?.clone();
        let released = hold.released.map(|(by, away)| Claim::Released(by, away));
        let others = || hold.claimed(by, Timestamp::now()).map(Claim::Others);
        let is_ours = hold.claim.is_some_and(|(claimed, _)| claimed == by);
        let known = is_ours && hold.undo.longest().is_none();
        released.or_else(others).or(known.then_some(Claim::Ours))
    };
    if let Some(standing) = standing() {
        return standing;
    }
    if let Err(error) = journal.announce(Entry::Releasing { hold: number, by }) {
        // To release it is worth more than to say so.
        tracing::warn!(%error, "releasing without a line about it");
    }
    standing().unwrap_or(Claim::Ours)
}
