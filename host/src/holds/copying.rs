//! Databases that are still to be copied. The locks under which their moments stand may keep out an app that
//! wants one for itself alone (`locking_mode = EXCLUSIVE`), so that a start that fails meanwhile is not the
//! last word.

use std::sync::atomic::{AtomicBool, Ordering};

use super::run::Holds;

/// Whether moments of databases stand by locks, and whether they did when services were released.
#[derive(Debug, Default)]
pub(super) struct Locks {
    now: AtomicBool,
    ever: AtomicBool,
}

impl Locks {
    /// Whether there may be some now.
    pub(super) fn are_there(&self) -> bool {
        self.now.load(Ordering::SeqCst)
    }

    /// Whether a service may have been kept from starting by some that are gone.
    pub(super) fn were_there(&self) -> bool {
        self.ever.load(Ordering::SeqCst) && !self.are_there()
    }
}

/// The stretch of a run in which moments of databases may stand by locks: until this is dropped.
#[derive(Debug)]
#[must_use = "it is over when this is dropped"]
pub struct Copying {
    holds: Holds,
}

impl Copying {
    /// There were none.
    pub fn of_none(self) {
        self.holds.shared.locks.ever.store(false, Ordering::SeqCst);
    }
}

impl Drop for Copying {
    fn drop(&mut self) {
        self.holds.shared.locks.now.store(false, Ordering::SeqCst);
    }
}

impl Holds {
    /// From here on databases may be copied from moments that stand by locks.
    pub fn copying(&self) -> Copying {
        let locks = &self.shared.locks;
        locks.ever.store(true, Ordering::SeqCst);
        locks.now.store(true, Ordering::SeqCst);
        let holds = self.clone();
        Copying { holds }
    }
}
