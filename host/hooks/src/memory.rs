//! Bounds what an instance may occupy.

use copal_core::units::ByteCount;
use wasmtime::ResourceLimiter;

use crate::failure::Stop;

/// Table elements of one instance together. Each occupies a pointer of the host.
const TABLE_ELEMENTS: usize = 100_000;

/// Counts what all memories and tables of a store occupy together: wasmtime's own limits are per
/// memory, and a component may have many.
///
/// It answers with an error, not with `false`: a guest whose allocation fails only aborts, and the
/// cause would be lost.
#[derive(Debug)]
pub(crate) struct MemoryLimiter {
    limit: ByteCount,
    used: u64,
    table_elements: usize,
}

impl MemoryLimiter {
    pub(crate) fn new(limit: ByteCount) -> Self {
        Self {
            limit,
            used: 0,
            table_elements: 0,
        }
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if is_beyond(maximum, desired) {
            return Ok(false);
        }
        let wanted = self.used + (desired.saturating_sub(current)) as u64;
        if wanted > self.limit.0 {
            return Err(wasmtime::Error::new(Stop::OutOfMemory {
                limit: self.limit,
                wanted: ByteCount(wanted),
            }));
        }
        self.used = wanted;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if is_beyond(maximum, desired) {
            return Ok(false);
        }
        self.table_elements += desired.saturating_sub(current);
        if self.table_elements > TABLE_ELEMENTS {
            return Err(wasmtime::Error::new(Stop::TooManyTableElements {
                limit: TABLE_ELEMENTS,
            }));
        }
        Ok(true)
    }
}

/// Growth beyond what the guest itself declared fails in any case, and must not be counted.
fn is_beyond(maximum: Option<usize>, desired: usize) -> bool {
    maximum.is_some_and(|maximum| desired > maximum)
}
