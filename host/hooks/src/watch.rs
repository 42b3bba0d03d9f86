//! What ends a running guest from outside: its time is up, the run is asked to end, or something
//! happened that it may not live on after.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::Cancel;
use crate::clock::Clock;
use crate::failure::Stop;

/// How long a waiting guest goes unwatched.
const GLANCE: Duration = Duration::from_millis(10);

/// Watches one instance. Clones watch the same one.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    cancel: Cancel,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    clock: Clock,
    stop: Option<Stop>,
}

impl Watch {
    pub(crate) fn new(cancel: &Cancel) -> Self {
        Self {
            cancel: cancel.clone(),
            shared: Arc::new(Mutex::new(Shared {
                clock: Clock::new(),
                stop: None,
            })),
        }
    }

    /// Uses the guest's clock.
    pub(crate) fn clock<T>(&self, then: impl FnOnce(&mut Clock) -> T) -> T {
        then(&mut self.shared().clock)
    }

    /// Has the guest ended at the next glance, where there is no other way to tell it.
    pub(crate) fn stop(&self, why: Stop) {
        self.shared().stop.get_or_insert(why);
    }

    /// Fails if the guest may not go on.
    pub(crate) fn check(&self) -> Result<(), Stop> {
        if self.cancel.is_cancelled() {
            return Err(Stop::Interrupted);
        }
        let shared = self.shared();
        if let Some(stop) = &shared.stop {
            return Err(stop.clone());
        }
        if shared.clock.left().is_zero() {
            let limit = shared.clock.limit();
            return Err(Stop::TimedOut { limit });
        }
        Ok(())
    }

    /// Fails if the run is asked to end.
    pub(crate) fn check_cancelled(&self) -> Result<(), Stop> {
        if self.cancel.is_cancelled() {
            Err(Stop::Interrupted)
        } else {
            Ok(())
        }
    }

    /// Returns when the guest may not go on. Polled while it waits; a computing guest is looked after
    /// by the epochs of its engine.
    pub(crate) async fn until_stopped(&self) -> Stop {
        loop {
            if let Err(stop) = self.check() {
                return stop;
            }
            let left = self.clock(|clock| clock.left());
            tokio::time::sleep(left.min(GLANCE)).await;
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().expect("no holder of this lock panics")
    }
}
