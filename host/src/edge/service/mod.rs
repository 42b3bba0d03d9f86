//! Services: what runs on the source, and how it is held still for a while.
//!
//! A [`Driver`] knows one service by the configuration's words. What it answers before a hold is an
//! [`Undo`], which is complete in itself: whoever has it can end the hold, in another process and
//! without any configuration.

mod choose;
mod commands;
mod compose;
mod containers;
mod docker;
mod error;
mod program;
mod settle;
mod systemd;
mod unit;

use std::time::{Duration, Instant};

use copal_hooks::Cancel;
use serde::{Deserialize, Serialize};

pub use choose::driver;
pub use commands::{Commands, HeldCommands};
pub use compose::ComposeProject;
pub use containers::{HeldContainer, HeldContainers};
pub use docker::OneContainer;
pub use error::{NotReady, ServiceError};
pub use program::Mark;
pub use systemd::{HeldUnit, Systemctl, SystemdUnit};

/// What a service is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It runs; of several parts, at least one does.
    Running,
    /// It is paused by somebody; of several parts, none runs.
    Paused,
    /// It is there, and does not run.
    Stopped,
    /// There is no such thing.
    Missing,
}

/// How a service is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldHow {
    /// Its processes are frozen where they are.
    Pause,
    /// It is asked to end, and killed if it has not after `grace`.
    Stop {
        /// How long it may take to end by itself.
        grace: Duration,
    },
}

/// What became of the release of a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Released {
    /// Nothing of it is held any more.
    Done,
    /// Who would have to do it does not answer, for example since it restarts: try again.
    Pending {
        /// Why, for a person.
        why: String,
    },
}

/// How long the last look before the end of a wait may take, however little is left.
const LAST_LOOK: Duration = Duration::from_secs(2);

/// When a look that is part of a wait until `deadline` has to be over.
fn end_of_look(deadline: Instant) -> Instant {
    deadline.max(Instant::now() + LAST_LOOK)
}

/// One service. Its calls may come from any thread, also one that belongs to an asynchronous runtime.
pub trait Driver: Send + Sync + std::fmt::Debug {
    /// What the service is doing.
    fn state(&self) -> Result<State, ServiceError>;

    /// What would have to be undone if it were held now. None where nothing of it runs: then there is
    /// nothing to hold, and it is left as it is.
    fn before(&self, how: HoldHow) -> Result<Option<Undo>, ServiceError>;

    /// Holds what `undo`, an answer of [`Driver::before`], names. Where it fails, a part of it may be
    /// held, and `undo` is what ends that too.
    fn hold(&self, undo: &Undo, deadline: Instant, cancel: &Cancel) -> Result<(), ServiceError>;
}

/// How a hold is undone, whole in itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "kebab-case")]
pub enum Undo {
    /// Containers of one engine.
    Containers(HeldContainers),
    /// A systemd unit.
    Unit(HeldUnit),
    /// A service that commands stop and start.
    Commands(HeldCommands),
}

impl Undo {
    /// Whether all of it is held still, and was all the time as far as that shows. An engine that
    /// restarts, for example, brings paused containers back running.
    pub fn is_intact(&self) -> Result<bool, ServiceError> {
        match self {
            Self::Containers(held) => held.is_intact(),
            Self::Unit(held) => held.is_intact(),
            Self::Commands(held) => held.is_intact(),
        }
    }

    /// Undoes it. What is not held is left as it is, so that doing it twice does no harm; and one part
    /// that can't be released keeps no other from being.
    pub fn release(&self, deadline: Instant) -> Result<Released, ServiceError> {
        match self {
            Self::Containers(held) => held.release(deadline),
            Self::Unit(held) => held.release(deadline),
            Self::Commands(held) => held.release(deadline),
        }
    }

    /// Waits until everything runs again, and is healthy as far as it was before the hold.
    pub fn wait_ready(&self, deadline: Instant, cancel: &Cancel) -> Result<(), NotReady> {
        match self {
            Self::Containers(held) => held.wait_ready(deadline, cancel),
            Self::Unit(held) => held.wait_ready(deadline, cancel),
            Self::Commands(held) => held.wait_ready(deadline, cancel),
        }
    }
}
