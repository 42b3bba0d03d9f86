//! Services on the source that are held still for a while. Grant: `service`.
//!
//! Copal ends every hold itself: at the end of staging, at `max_pause`, on any error, and after a crash.

use std::time::Duration;

use crate::Error;
use crate::bindings::imports::copal::hooks::service;

pub use service::{Hold, State};

/// The services that are granted, in the order in which they are.
pub fn names() -> Result<Vec<String>, Error> {
    service::names()
}

/// What a service is doing.
pub fn state(name: &str) -> Result<State, Error> {
    service::state_of(name)
}

/// Freezes a service where it is. What does not run is left so, and the hold does nothing.
pub fn pause(name: &str) -> Result<Hold, Error> {
    service::pause(name)
}

/// Has a service end, and killed where it has not after `grace`, which is at most 49 days. What does
/// not run is left so, and the hold does nothing.
pub fn stop(name: &str, grace: Duration) -> Result<Hold, Error> {
    let grace = u32::try_from(grace.as_millis()).unwrap_or(u32::MAX);
    service::stop(name, grace)
}
