//! What was acknowledged, and when.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Stopped;

/// A write that the app has told its user is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// A row of `chat` with its messages.
    Chat {
        /// Its key.
        id: String,
        /// Of the column `chat`.
        sha256: String,
    },
    /// A file in `uploads/` and its row of `file`.
    Upload {
        /// The row's key.
        id: String,
        /// The file's name in `uploads/`.
        stored_name: String,
        /// Of the file's content.
        sha256: String,
    },
    /// A passage in `chroma.sqlite3`.
    Passage {
        /// Its `embedding_id`.
        id: String,
        /// Of its text, followed by its vector.
        sha256: String,
    },
}

/// A write and when its commit had returned.
#[derive(Debug, Clone)]
pub struct Acknowledged {
    /// A moment after the commit.
    pub at: Instant,
    /// What was written.
    pub write: Write,
}

/// What the writers' threads share.
#[derive(Debug, Default)]
pub(super) struct Journal {
    state: Mutex<State>,
    stopped: Condvar,
}

#[derive(Debug, Default)]
struct State {
    acknowledged: Vec<Acknowledged>,
    failures: Vec<String>,
    slowest: Duration,
    stopping: bool,
}

impl Journal {
    pub(super) fn acknowledge(&self, write: Write, took: Duration) {
        let mut state = self.state();
        let at = Instant::now();
        state.slowest = state.slowest.max(took);
        state.acknowledged.push(Acknowledged { at, write });
    }

    pub(super) fn failed(&self, why: String) {
        self.state().failures.push(why);
    }

    /// Rests, and tells whether there is more to write.
    pub(super) fn goes_on_after(&self, rest: Duration) -> bool {
        let (state, _) = self
            .stopped
            .wait_timeout_while(self.state(), rest, |state| !state.stopping)
            .unwrap_or_else(PoisonError::into_inner);
        !state.stopping
    }

    pub(super) fn stop(&self) {
        self.state().stopping = true;
        self.stopped.notify_all();
    }

    pub(super) fn count(&self) -> usize {
        self.state().acknowledged.len()
    }

    #[cfg(test)]
    pub(super) fn failures(&self) -> usize {
        self.state().failures.len()
    }

    pub(super) fn before(&self, moment: Instant) -> Vec<Write> {
        let state = self.state();
        // The entries are in the order of their moments: both come under one lock.
        let end = state.acknowledged.partition_point(|a| a.at < moment);
        let early = &state.acknowledged[..end];
        early.iter().map(|a| a.write.clone()).collect()
    }

    pub(super) fn take(&self) -> Stopped {
        let state = std::mem::take(&mut *self.state());
        Stopped {
            acknowledged: state.acknowledged,
            failures: state.failures,
            slowest: state.slowest,
        }
    }

    /// A panic elsewhere leaves the list as sound as it was.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
