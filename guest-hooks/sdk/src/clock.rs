//! The time of day, and waiting.

#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::pedantic,
    reason = "generated; the words are in wit/deps/"
)]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package copal:sdk;
            world clock {
                import wasi:clocks/wall-clock@0.2.12;
                import wasi:clocks/monotonic-clock@0.2.12;
            }
        ",
        world: "copal:sdk/clock",
        generate_all,
    });
}

use std::time::Duration;

use bindings::wasi::clocks::{monotonic_clock, wall_clock};

/// Now, in nanoseconds since 1970, as [`Entry::modified`](crate::Entry) counts them.
pub fn now() -> i64 {
    let now = wall_clock::now();
    let seconds = i64::try_from(now.seconds).unwrap_or(i64::MAX);
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(now.nanoseconds.into())
}

/// Waits. It counts as time that the hook uses: see [`run::time_left`](crate::run::time_left).
pub fn sleep(time: Duration) {
    let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    monotonic_clock::subscribe_duration(nanoseconds).block();
}
