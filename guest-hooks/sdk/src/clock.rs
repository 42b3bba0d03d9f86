//! The time of day.

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
            }
        ",
        world: "copal:sdk/clock",
        generate_all,
    });
}

use bindings::wasi::clocks::wall_clock;

/// Now, in nanoseconds since 1970, as [`Entry::modified`](crate::Entry) counts them.
pub fn now() -> i64 {
    let now = wall_clock::now();
    let seconds = i64::try_from(now.seconds).unwrap_or(i64::MAX);
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(now.nanoseconds.into())
}
