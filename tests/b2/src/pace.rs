//! How slow the server is.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::call::Call;

/// Delays that every call has. Without any, it answers as fast as it can.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    /// Before each answer.
    pub latency: Duration,
    /// Before each answer to these calls, in place of the one above.
    pub latency_of: BTreeMap<Call, Duration>,
    /// Bytes in a second that each connection takes in; `None` for all that come.
    pub up: Option<u64>,
    /// Bytes in a second that each connection sends; `None` for all it can.
    pub down: Option<u64>,
}

impl Pace {
    pub(crate) fn before(&self, call: Call) -> Duration {
        let own = self.latency_of.get(&call);
        own.copied().unwrap_or(self.latency)
    }
}

/// How long so many bytes take.
pub(crate) fn time_of(bytes: usize, per_second: Option<u64>) -> Duration {
    let Some(speed) = per_second.filter(|speed| *speed > 0) else {
        return Duration::ZERO;
    };
    Duration::from_nanos((bytes as u64).saturating_mul(1_000_000_000) / speed)
}
