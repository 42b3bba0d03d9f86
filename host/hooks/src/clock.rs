//! How long a guest has computed and waited.

use std::time::{Duration, Instant};

/// Measures a guest's own time against its limit; stands still while the host works for it.
#[derive(Debug)]
pub(crate) struct Clock {
    limit: Duration,
    spent: Duration,
    since: Option<Instant>,
}

impl Clock {
    /// A stopped clock.
    pub(crate) fn new() -> Self {
        Self {
            limit: Duration::ZERO,
            spent: Duration::ZERO,
            since: None,
        }
    }

    /// Begins a call that may take `limit`.
    pub(crate) fn begin(&mut self, limit: Duration) {
        *self = Self {
            limit,
            spent: Duration::ZERO,
            since: Some(Instant::now()),
        };
    }

    /// The guest's time stops: the host works for it, or the call has ended.
    pub(crate) fn pause(&mut self) {
        self.spent = self.spent();
        self.since = None;
    }

    /// The guest goes on.
    pub(crate) fn resume(&mut self) {
        self.since = Some(Instant::now());
    }

    /// How long the guest has computed and waited in this call.
    pub(crate) fn spent(&self) -> Duration {
        self.spent + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// How much of the limit is left; zero when it is used up.
    pub(crate) fn left(&self) -> Duration {
        self.limit.saturating_sub(self.spent())
    }

    /// The limit of this call.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paused_clock_stands_still_and_goes_on_from_there() {
        let mut clock = Clock::new();
        clock.begin(Duration::from_hours(1));
        clock.pause();
        let spent = clock.spent();
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(clock.spent(), spent);
        clock.resume();
        while clock.spent() == spent {}
    }

    #[test]
    fn nothing_is_left_beyond_the_limit() {
        let mut clock = Clock::new();
        clock.begin(Duration::ZERO);
        assert_eq!(clock.left(), Duration::ZERO);
    }
}
