//! How much a hook may use.

use std::time::Duration;

use copal_core::units::ByteCount;

/// The wasm stack of any hook. It belongs to the engine, so it is the same for all.
pub(crate) const STACK: usize = 512 * 1024;

/// Bounds of one call of a hook. What goes beyond one ends the call with a
/// [`FailureKind`](crate::FailureKind) of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Memory of the instance, all its linear memories together.
    pub memory: ByteCount,
    /// How long a phase may compute. Time spent by the host on a capability isn't counted, since a
    /// large database is no fault of the hook.
    pub wall: Duration,
    /// How long a filter may compute on one batch.
    pub filter_batch: Duration,
    /// How much a hook may hand to the host in one call or answer.
    pub hostcall: ByteCount,
    /// How much of its log is kept, and shown to the operator. Older lines make room; none is an
    /// error.
    pub log: ByteCount,
    /// How often a hook may use capabilities in one phase.
    pub capability_calls: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: ByteCount::mebibytes(64),
            wall: Duration::from_mins(1),
            filter_batch: Duration::from_millis(250),
            hostcall: ByteCount::mebibytes(8),
            log: ByteCount::mebibytes(1),
            capability_calls: 10_000,
        }
    }
}
