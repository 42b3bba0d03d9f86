//! Waiting for a condition, never for a while.

use std::time::{Duration, Instant};

/// The condition did not come true in time.
#[derive(Debug)]
pub struct TimedOut {
    what: String,
    after: Duration,
}

impl std::fmt::Display for TimedOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "waited {:?} in vain for {}", self.after, self.what)
    }
}

impl std::error::Error for TimedOut {}

/// Asks `condition` again and again until it answers with something, at most for `limit`.
///
/// `what` says what is being waited for, in the words of the error.
pub fn wait_until<T>(
    what: &str,
    limit: Duration,
    mut condition: impl FnMut() -> Option<T>,
) -> Result<T, TimedOut> {
    let end = Instant::now() + limit;
    loop {
        if let Some(value) = condition() {
            return Ok(value);
        }
        if Instant::now() >= end {
            return Err(TimedOut {
                what: what.to_owned(),
                after: limit,
            });
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
