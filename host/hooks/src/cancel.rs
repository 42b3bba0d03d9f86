//! Ending a hook from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A switch that ends running hooks. Clones are the same switch.
///
/// A hook notices within a few ticks (of 10 ms) of computing or waiting; while the host works for it
/// on a capability, that capability has to look for itself ([`Call::cancel`](crate::Call::cancel)).
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    own: Arc<AtomicBool>,
    /// Other switches that throw this one as well.
    others: Vec<Arc<AtomicBool>>,
    /// When it throws itself.
    until: Option<Instant>,
}

impl Cancel {
    /// A switch that nobody has thrown.
    pub fn new() -> Self {
        Self::default()
    }

    /// A switch that throws itself when `time` is over.
    pub fn after(time: Duration) -> Self {
        Self {
            until: Instant::now().checked_add(time),
            ..Self::default()
        }
    }

    /// Throws it, for good.
    pub fn cancel(&self) {
        self.own.store(true, Ordering::Relaxed);
    }

    /// Whether it was thrown.
    pub fn is_cancelled(&self) -> bool {
        let is_thrown = |flag: &Arc<AtomicBool>| flag.load(Ordering::Relaxed);
        is_thrown(&self.own)
            || self.others.iter().any(is_thrown)
            || self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// A switch for one deed, which is thrown with this one and can be thrown alone.
    pub(crate) fn child(&self) -> Self {
        Self {
            own: Arc::default(),
            others: self.others.clone(),
            until: self.until,
        }
        .or(Arc::clone(&self.own))
    }

    /// The same switch, which is thrown by that flag as well.
    #[must_use]
    pub fn or(mut self, flag: Arc<AtomicBool>) -> Self {
        self.others.push(flag);
        self
    }
}

/// Takes over a flag that something else sets, for example a signal handler.
impl From<Arc<AtomicBool>> for Cancel {
    fn from(flag: Arc<AtomicBool>) -> Self {
        Self {
            own: flag,
            ..Self::default()
        }
    }
}
