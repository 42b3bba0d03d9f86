//! What hooks found out about the source, for the manifest.

use std::sync::Mutex;

use copal_core::manifest::Facts as Recorded;

use super::Artifacts;

/// Facts so far, by hook and key.
pub(super) type Facts = Mutex<Recorded>;

impl Artifacts {
    /// Keeps a fact of a hook's; a later value takes the place of an earlier one.
    pub fn record(&self, hook: &str, key: &str, value: &str) {
        let mut facts = self.facts.lock().expect("no holder of this lock panics");
        let own = facts.entry(hook.to_owned()).or_default();
        own.insert(key.to_owned(), value.to_owned());
    }

    /// All of them.
    pub fn facts(&self) -> Recorded {
        self.facts
            .lock()
            .expect("no holder of this lock panics")
            .clone()
    }
}
