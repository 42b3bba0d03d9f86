//! The world around a run, as one value: what a test replaces.

use std::time::Duration;

use copal_core::config::RemoteSpec;
use copal_core::units::ByteCount;
use jiff::Timestamp;

use crate::edge::interrupt::Interrupt;
use crate::edge::remote::{Progress, Remote};
use crate::edge::state::StateDir;
use crate::error::CopalError;

/// The world around a run: everything that a test may want to replace.
pub struct Edges<'a> {
    /// Opens a destination.
    pub open: &'a Open<'a>,
    /// The clock.
    pub now: &'a dyn Fn() -> Timestamp,
    /// Asks for an end.
    pub interrupt: &'a Interrupt,
    /// Copal's own directory.
    pub state: &'a StateDir,
    /// Told how far the run has come.
    pub show: &'a dyn Show,
}

/// Opens a destination.
pub type Open<'a> = dyn Fn(&RemoteSpec) -> Result<Box<dyn Remote>, CopalError> + 'a;

/// Watches a run.
pub trait Show {
    /// A step begins.
    fn step(&self, step: Step);
    /// The steps there were, in order, and how long each took; the last one up to now.
    fn steps(&self) -> Vec<(Step, Duration)> {
        Vec::new()
    }
    /// A transfer goes on: done so far, of how much.
    fn transfer(&self, done: Progress, total: Total);
}

/// The steps that a person is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Looking at the source.
    Plan,
    /// Asking the destinations.
    Preflight,
    /// Copying databases, taking checksums.
    Stage,
    /// Uploading.
    Transfer,
    /// Comparing, and writing the manifest.
    Seal,
    /// Removing what no rule keeps.
    Prune,
    /// Downloading.
    Fetch,
    /// Checking a restored copy.
    Try,
}

impl Step {
    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Preflight => "preflight",
            Self::Stage => "stage",
            Self::Transfer => "transfer",
            Self::Seal => "seal",
            Self::Prune => "prune",
            Self::Fetch => "fetch",
            Self::Try => "try",
        }
    }
}

/// What a transfer will come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// Files.
    pub files: u64,
    /// Bytes.
    pub bytes: ByteCount,
}
