//! What hooks did, as it is told afterwards.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use copal_core::grants::Capability;

use crate::Denial;
use crate::guest_log::harmless_text;
use crate::mask::Masks;

/// The longest text of a deed that is kept, in bytes: a hook can do ten thousand.
const LONGEST: usize = 512;

/// How many bytes all arguments of a deed may come to; what is beyond is not kept.
const ARGUMENTS: usize = 2 * 1024;

/// Of how many deeds the arguments are kept: nobody reads on, and they occupy the host's memory.
const TOLD_IN_FULL: usize = 1000;

/// What a hook did in one phase.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Each use of a capability, in the order in which they began.
    pub deeds: Vec<Deed>,
    /// How long the hook computed and waited, without the time that the host worked for it.
    pub computed: Duration,
    /// What it asked for and was not granted, in order; the first hundred.
    pub denials: Vec<Denial>,
    /// The lines that it logged, oldest first, as many of the last as its limit keeps.
    pub log: Vec<String>,
    /// Those of them that it found worth a warning, each once; the first twenty.
    pub warnings: Vec<String>,
}

/// What a deed used: a capability, or what needs no grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Used {
    /// A capability.
    Capability(Capability),
    /// `run-info`.
    RunInfo,
}

impl From<Capability> for Used {
    fn from(capability: Capability) -> Self {
        Self::Capability(capability)
    }
}

impl fmt::Display for Used {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capability(capability) => capability.fmt(f),
            Self::RunInfo => f.pad("run-info"),
        }
    }
}

/// One use of a capability, whatever came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// What was used.
    pub capability: Used,
    /// What was done with it: `backup`, `send`.
    pub action: &'static str,
    /// What it was done with, by name: `name` `webui.db`. Long ones are cut. Never a secret's value.
    pub arguments: Vec<(String, String)>,
    /// What came of it, in a few words; if it was not done, why.
    pub result: Result<String, String>,
    /// How long it took.
    pub took: Duration,
}

/// The deeds of one instance, also those that are still being done. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    deeds: Arc<Mutex<Vec<Deed>>>,
    masks: Masks,
}

/// Where a deed stands in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line(usize);

impl Ledger {
    /// An empty one that shows no secret.
    pub(crate) fn new(masks: &Masks) -> Self {
        Self {
            deeds: Arc::default(),
            masks: masks.clone(),
        }
    }

    /// Writes down a deed that begins.
    pub(crate) fn begin(
        &self,
        capability: impl Into<Used>,
        action: &'static str,
        arguments: Vec<(String, String)>,
    ) -> Line {
        let mut deeds = self.deeds();
        let mut kept = Vec::new();
        let mut room = ARGUMENTS;
        let is_told = deeds.len() < TOLD_IN_FULL;
        for (name, value) in arguments.into_iter().take_while(|_| is_told) {
            let (name, value) = (self.fit(name), self.fit(value));
            let Some(left) = room.checked_sub(name.len() + value.len()) else {
                break;
            };
            room = left;
            kept.push((name, value));
        }
        deeds.push(Deed {
            capability: capability.into(),
            action,
            arguments: kept,
            result: Err("the hook did not wait for it".to_owned()),
            took: Duration::ZERO,
        });
        Line(deeds.len() - 1)
    }

    /// Adds to what is known of a deed.
    pub(crate) fn note(&self, line: Line, name: &str, value: String) {
        let argument = (name.to_owned(), self.fit(value));
        self.deeds()[line.0].arguments.push(argument);
    }

    /// Writes down what came of a deed.
    pub(crate) fn end(&self, line: Line, result: Result<String, String>, took: Duration) {
        let result = result
            .map(|text| self.fit(text))
            .map_err(|text| self.fit(text));
        let deed = &mut self.deeds()[line.0];
        deed.result = result;
        deed.took = took;
    }

    /// Where the last one stands that began.
    pub(crate) fn last(&self) -> Option<Line> {
        self.count().checked_sub(1).map(Line)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.deeds().len()
    }

    /// All of them, as far as they got.
    pub(crate) fn all(&self) -> Vec<Deed> {
        self.deeds().clone()
    }

    fn deeds(&self) -> MutexGuard<'_, Vec<Deed>> {
        self.deeds.lock().expect("no holder of this lock panics")
    }

    /// A text as it may be kept.
    fn fit(&self, text: String) -> String {
        let mut text = harmless_text(&self.masks.cover(text));
        if text.len() > LONGEST {
            text.truncate(text.floor_char_boundary(LONGEST));
            text.push('…');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_deeds_with_many_arguments_occupy_little() {
        let ledger = Ledger::default();
        for _ in 0..2 * TOLD_IN_FULL {
            let many = vec![("n".repeat(500), "v".repeat(500)); 1000];
            ledger.begin(Capability::Command, "run", many);
        }
        let bytes = |deed: &Deed| -> usize {
            let arguments = deed.arguments.iter();
            arguments
                .map(|(name, value)| name.len() + value.len())
                .sum()
        };
        let deeds = ledger.all();
        assert_eq!(deeds.len(), 2 * TOLD_IN_FULL);
        assert!(deeds.iter().map(bytes).sum::<usize>() <= TOLD_IN_FULL * ARGUMENTS);
    }

    #[test]
    fn a_deed_is_told_without_what_moves_a_cursor() {
        let ledger = Ledger::default();
        let asked = vec![("na\u{9b}me".to_owned(), "\x1b]0;x\u{202e}".to_owned())];
        let line = ledger.begin(Capability::Command, "run", asked);
        ledger.end(line, Err("\x1b[2J".to_owned()), Duration::ZERO);
        let [deed] = ledger.all().try_into().expect("one deed");
        let (name, value) = &deed.arguments[0];
        assert_eq!(name, r"na\u{9b}me");
        assert_eq!(value, r"\u{1b}]0;x\u{202e}");
        assert_eq!(deed.result, Err(r"\u{1b}[2J".to_owned()));
    }

    #[test]
    fn a_deed_that_was_never_ended_says_so_and_long_texts_are_cut() {
        let ledger = Ledger::default();
        let long = vec![("name".to_owned(), "é".repeat(LONGEST))];
        ledger.begin(Capability::Sqlite, "backup", long);
        let [deed] = ledger.all().try_into().expect("one deed");
        assert_eq!(deed.result, Err("the hook did not wait for it".to_owned()));
        assert_eq!(deed.arguments[0].1.chars().count(), LONGEST / 2 + 1);
    }
}
