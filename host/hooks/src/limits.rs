//! How much a hook may use.

use std::time::Duration;

use copal_core::units::ByteCount;

/// A component beyond this size brings an interpreter, and gets more memory.
const LARGE_COMPONENT: usize = 4 * 1024 * 1024;

/// Bounds of one call of a hook. What goes beyond one ends the call with a
/// [`FailureKind`](crate::FailureKind) of its own, where it is not said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Memory of the instance, all its linear memories together. None: by the component's size,
    /// see [`memory_of`](Self::memory_of).
    pub memory: Option<ByteCount>,
    /// The WebAssembly stack.
    pub stack: ByteCount,
    /// How long a phase may compute and wait. Time that the host spends on a capability is not
    /// counted, since a large database is no fault of the hook; waiting for an answer over HTTP is.
    pub wall: Duration,
    /// How long a filter may compute on one batch.
    pub filter_wall: Duration,
    /// How much a hook may hand to the host in one call or answer.
    pub hostcall: ByteCount,
    /// How much of its log is kept, and shown to the operator. Older lines make room; none is an
    /// error.
    pub log: ByteCount,
    /// How often a hook may use capabilities in one phase.
    pub calls: u32,
    /// How much of each output of a command is kept. The rest is cut, which is no error.
    pub command_output: ByteCount,
    /// The largest body of a request or an answer over HTTP. The hook gets an error beyond.
    pub http_body: ByteCount,
    /// How long one request may take. The hook gets an error beyond.
    pub http_wall: Duration,
    /// All keys and values in the hook's store. The hook gets an error beyond.
    pub state: ByteCount,
}

impl Limits {
    /// The memory that a component of `size` bytes may have: 256 MiB for one that brings an
    /// interpreter, else 64 MiB, where nothing was said.
    pub fn memory_of(&self, size: usize) -> ByteCount {
        self.memory.unwrap_or(if size > LARGE_COMPONENT {
            ByteCount::mebibytes(256)
        } else {
            ByteCount::mebibytes(64)
        })
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: None,
            stack: ByteCount(512 * 1024),
            wall: Duration::from_mins(1),
            filter_wall: Duration::from_millis(250),
            hostcall: ByteCount::mebibytes(8),
            log: ByteCount::mebibytes(1),
            calls: 10_000,
            command_output: ByteCount::mebibytes(1),
            http_body: ByteCount::mebibytes(8),
            http_wall: Duration::from_secs(30),
            state: ByteCount::mebibytes(1),
        }
    }
}
