//! Services that are held.

use std::time::Duration;

/// What a service is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceState {
    /// It runs; of several parts, at least one does.
    Running,
    /// It is paused; of several parts, none runs.
    Paused,
    /// It is there, and does not run.
    Stopped,
    /// There is no such thing.
    Missing,
}

impl ServiceState {
    /// Its name in `wit/`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Missing => "missing",
        }
    }
}

/// How a hook wishes a service to be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldWish {
    /// It is frozen where it is.
    Pause,
    /// It is ended.
    Stop {
        /// How long it may take before it is killed.
        grace: Duration,
    },
}

/// A hold, as the implementer numbers it. Hooks never see the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HoldId(pub u64);

/// What came of a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It is there.
    Held(HoldId),
    /// There was nothing to hold.
    Not {
        /// Why, for a person: "it does not run".
        why: String,
    },
}
