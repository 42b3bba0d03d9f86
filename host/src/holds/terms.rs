//! What the holds of a run are taken under.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::guard;
use super::ledger::Begun;
use crate::edge::state::StateDir;

/// What holds of a run are taken under.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Where their journal goes.
    pub state: StateDir,
    /// The run's id.
    pub run: String,
    /// The job's name.
    pub job: String,
    /// When the run began.
    pub started: Timestamp,
    /// How long they may last together; none where they last until the transfer has ended.
    pub max_pause: Option<Duration>,
    /// The program that the guard is; none where there is to be none.
    pub guard: Option<PathBuf>,
}

impl Terms {
    /// The program of the guard is this one.
    pub fn of(
        state: &StateDir,
        run: &str,
        job: &str,
        started: Timestamp,
        max_pause: Option<Duration>,
    ) -> Self {
        Self {
            state: state.clone(),
            run: run.to_owned(),
            job: job.to_owned(),
            started,
            max_pause,
            guard: guard::program(),
        }
    }

    pub(super) fn begun(&self) -> Begun {
        Begun {
            run: self.run.clone(),
            job: self.job.clone(),
            started: self.started,
            pid: std::process::id(),
            max_pause_ms: self
                .max_pause
                .map(|most| u64::try_from(most.as_millis()).unwrap_or(u64::MAX)),
        }
    }
}
