//! Services: what runs on the source, and how it is held still for a while.
//!
//! A [`Driver`] knows one service by the configuration's words. What it answers before a hold is an
//! [`Undo`], which is complete in itself: whoever has it can end the hold, in another process and
//! without any configuration.

mod aftermath;
mod again;
mod choose;
mod commands;
mod compose;
mod containers;
mod docker;
mod effect;
mod error;
mod followed;
mod loss;
mod part;
mod program;
mod ready;
mod systemctl;
mod systemd;
mod unit;

use std::time::{Duration, Instant};

use copal_hooks::Cancel;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use choose::driver;
pub use commands::{Commands, HeldCommands};
pub use compose::{ComposeProject, Members};
pub use containers::{HeldContainer, HeldContainers};
pub use docker::OneContainer;
pub use error::{NotReady, ServiceError};
pub use followed::Followed;
pub use loss::Loss;
pub use part::Part;
pub use program::Mark;
pub use systemctl::Systemctl;
pub use systemd::{HeldUnit, SystemdUnit};

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
    /// It can't be known yet: what holds it may still be under way. Try again.
    Pending {
        /// Why, for a person.
        why: String,
    },
    /// Who would have to do it does not answer, for example since it restarts. Try again.
    Silent {
        /// Why, for a person.
        why: String,
    },
}

/// Whether what was done to hold something may still have an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// It is over, whatever came of it.
    Over,
    /// Who did it is gone, or did not hear what came of it.
    Open {
        /// From when on all the time for it to take effect is counted.
        since: Timestamp,
    },
    /// It was heard, and given up when its time was over: it may take effect much later.
    GivenUp {
        /// When.
        since: Timestamp,
    },
}

impl Deed {
    /// What was asked for may have been heard only now.
    pub fn reopen(&mut self, now: Timestamp) {
        if let Self::Open { since } | Self::GivenUp { since } = self {
            *since = now;
        }
    }

    /// How much is left of the `time` that it may take. None where it is over.
    fn left_of(self, time: Duration) -> Option<Duration> {
        let (Self::Open { since } | Self::GivenUp { since }) = self else {
            return None;
        };
        // A clock that was set back makes nothing take longer than all of it.
        let age = Duration::try_from(Timestamp::now().duration_since(since));
        let left = time.saturating_sub(age.unwrap_or_default());
        Some(left).filter(|left| !left.is_zero())
    }
}

/// Between the end of what another process does, and what it says of it.
const AGAIN: Duration = Duration::from_secs(1);

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

    /// What the configuration names of it and is not there, though the rest may be: services of a project.
    fn missing_parts(&self) -> Result<Vec<String>, ServiceError> {
        Ok(Vec::new())
    }

    /// What it consists of now, whether that runs or not.
    fn parts(&self) -> Result<Vec<Part>, ServiceError>;

    /// What would have to be undone if it were held now. None where nothing of it runs: then there is
    /// nothing to hold, and it is left as it is.
    fn before(&self, how: HoldHow) -> Result<Option<Undo>, ServiceError>;

    /// Holds what `undo`, an answer of [`Driver::before`], names. Where it fails, a part of it may be
    /// held, and `undo` is what ends that too.
    ///
    /// What ended by itself since that answer is told to `spare`, in the words of [`Undo::spare`]: it is
    /// down without us, and is to stay so.
    fn hold(
        &self,
        undo: &Undo,
        deadline: Instant,
        cancel: &Cancel,
        spare: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), ServiceError>;
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
    /// Nothing: all of it ended by itself before it was held.
    Nothing,
}

impl Undo {
    /// Takes out a part that is not held and is to stay down: a container by its id, a unit or a command
    /// service by its name.
    pub fn spare(&mut self, part: &str) {
        let is_left = match self {
            Self::Containers(held) => held.spare(part),
            Self::Unit(held) => held.spare(part),
            Self::Commands(held) => held.commands.name != part,
            Self::Nothing => false,
        };
        if !is_left {
            *self = Self::Nothing;
        }
    }

    /// What is held.
    pub fn parts(&self) -> Vec<Part> {
        match self {
            Self::Containers(held) => held.parts(),
            Self::Unit(held) => held.parts(),
            Self::Commands(held) => vec![held.commands.part()],
            Self::Nothing => Vec::new(),
        }
    }

    /// Whether whoever would have to undo it answers at once.
    pub fn answers(&self) -> bool {
        match self {
            Self::Containers(held) => held.answers(),
            Self::Unit(_) | Self::Commands(_) | Self::Nothing => true,
        }
    }

    /// How long undoing it may take that another process has begun, where it must not be done twice at
    /// the same time.
    pub fn longest(&self) -> Option<Duration> {
        match self {
            Self::Commands(held) => Some(held.commands.timeout + AGAIN),
            Self::Containers(_) | Self::Unit(_) | Self::Nothing => None,
        }
    }

    /// Undoes it. What is not held is left as it is, so that doing it twice does no harm; and one part
    /// that can't be released keeps no other from being. `deed` is what is known of the hold.
    ///
    /// A command that starts something has its own time for that, also beyond `deadline`.
    pub fn release(&self, deadline: Instant, deed: Deed) -> Result<Released, ServiceError> {
        match self {
            Self::Containers(held) => held.release(deadline, deed),
            Self::Unit(held) => held.release(deadline, deed),
            Self::Commands(held) => held.release(deadline, deed),
            Self::Nothing => Ok(Released::Done),
        }
    }

    /// Starts what was stopped, was released, and ended again by itself with an error; whether there was
    /// any. Of what commands start only `is_late` tells that it is not on its way up.
    pub fn start_again(&self, deadline: Instant, is_late: bool) -> Result<bool, ServiceError> {
        match self {
            Self::Containers(held) => held.start_again(deadline),
            Self::Unit(held) => held.start_again(deadline),
            Self::Commands(held) if is_late => held.start_again(deadline),
            Self::Commands(_) | Self::Nothing => Ok(false),
        }
    }

    /// Waits until everything runs again, and is healthy as far as it was before the hold.
    pub fn wait_ready(&self, deadline: Instant, cancel: &Cancel) -> Result<(), NotReady> {
        match self {
            Self::Containers(held) => held.wait_ready(deadline, cancel),
            Self::Unit(held) => held.wait_ready(deadline, cancel),
            Self::Commands(held) => held.wait_ready(deadline, cancel),
            Self::Nothing => Ok(()),
        }
    }
}
