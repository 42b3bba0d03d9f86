//! Facts for the manifest, or to be compared with it. They need no grant: what they say is the hook's own word.

use super::{Answer, Asked, Gate};
use crate::{Phase, Used};

/// The longest key, in bytes.
const LONGEST_KEY: usize = 64;

/// The longest value, in bytes.
const LONGEST_VALUE: usize = 1024;

/// How many facts a hook may record.
const MOST: usize = 32;

impl Gate {
    pub(crate) fn record(&mut self, key: &str, value: &str) -> Answer<()> {
        let asked = Asked::of(Used::RunInfo, "record")
            .with("key", key)
            .with("value", value)
            .unless(self.objection(key, value))
            .only_in(Phase::PreBackup)
            .only_in(Phase::PreRestore);
        let recorded = self.deed(
            asked,
            |host, call| host.record(call, key, value),
            |()| "recorded".to_owned(),
        )?;
        Ok(recorded.map(|()| {
            self.facts.insert(key.to_owned());
        }))
    }

    /// What speaks against a fact.
    fn objection(&self, key: &str, value: &str) -> Option<String> {
        let is_allowed =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
        if key.is_empty() || key.len() > LONGEST_KEY || !key.chars().all(is_allowed) {
            return Some(format!(
                "a fact's key is 1 to {LONGEST_KEY} letters (a–z), digits, `.`, `_` and `-`"
            ));
        }
        if value.len() > LONGEST_VALUE {
            let length = value.len();
            return Some(format!(
                "a fact of {length} bytes is more than the {LONGEST_VALUE} that a manifest takes"
            ));
        }
        if value.chars().any(char::is_control) {
            return Some("a fact has no control characters".to_owned());
        }
        (self.facts.len() >= MOST && !self.facts.contains(key))
            .then(|| format!("a hook records at most {MOST} facts"))
    }
}
