//! The watchdog: a thread of the run that ends its holds at `max_pause`, whatever the run is doing.

use std::io;
use std::sync::PoisonError;
use std::thread;
use std::time::Instant;

use super::run::Holds;

/// Watches the holds of a run until nothing can be held any more.
pub(super) fn start(holds: Holds) -> io::Result<()> {
    thread::Builder::new()
        .name("watchdog".to_owned())
        .spawn(move || watch(&holds))
        .map(drop)
}

fn watch(holds: &Holds) {
    let Some(most) = holds.max_pause() else {
        return;
    };
    let mut register = holds.register();
    while register.is_open {
        let changed = &holds.shared.changed;
        let Some(since) = register.since else {
            register = changed
                .wait(register)
                .unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        let left = (since + most).saturating_duration_since(Instant::now());
        if left.is_zero() {
            drop(register);
            holds.end_overdue();
            return;
        }
        let waited = changed.wait_timeout(register, left);
        register = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
}
