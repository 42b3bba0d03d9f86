//! Saves the text of a panic, which a trap alone does not carry.

use std::panic;
use std::sync::Once;

use crate::log::{self, Level};

/// Makes panics log their text. Called at the door of each phase.
pub(crate) fn log_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|panic| {
            log::write(Level::Error, &panic.to_string(), &[]);
        }));
    });
}
