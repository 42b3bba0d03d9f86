//! What a hook asks for, before it is known whether it may be.

use copal_core::grants::Need;
use copal_core::name::Name;
use copal_core::path::RelPath;

use crate::{Phase, Used};

/// The longest name worth looking at: the longest path there is, each byte percent-encoded.
const LONGEST_NAME: usize = 3 * 4096;

/// One use of a capability, as it is asked for.
pub(super) struct Asked {
    pub(super) capability: Used,
    pub(super) action: &'static str,
    /// What it is done with, for the account.
    pub(super) arguments: Vec<(String, String)>,
    /// All that has to be in force for it; or why it can't be understood.
    pub(super) needs: Result<Vec<Need>, String>,
    /// The only phases it makes sense in; none where it does in all.
    pub(super) only_in: Vec<Phase>,
}

impl Asked {
    /// Something that is asked of a capability, without a need yet.
    pub(super) fn of(capability: impl Into<Used>, action: &'static str) -> Self {
        Self {
            capability: capability.into(),
            action,
            arguments: Vec::new(),
            needs: Ok(Vec::new()),
            only_in: Vec::new(),
        }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.arguments.push((name.to_owned(), value.into()));
        self
    }

    /// One more thing that has to be in force.
    pub(super) fn needing(mut self, need: Result<Need, String>) -> Self {
        self.needs = match (self.needs, need) {
            (Ok(mut needs), Ok(need)) => {
                needs.push(need);
                Ok(needs)
            }
            (Err(why), _) | (_, Err(why)) => Err(why),
        };
        self
    }

    /// What can't be understood in it, if anything.
    pub(super) fn unless(mut self, wrong: Option<String>) -> Self {
        if let (Ok(_), Some(why)) = (&self.needs, wrong) {
            self.needs = Err(why);
        }
        self
    }

    /// One of the phases it makes sense in, and no other.
    pub(super) fn only_in(mut self, phase: Phase) -> Self {
        self.only_in.push(phase);
        self
    }
}

/// The path that `name` means.
pub(super) fn path(name: &str) -> Result<RelPath, String> {
    if name.len() > LONGEST_NAME {
        return Err(format!("a name of {} bytes is no path", name.len()));
    }
    name.parse().map_err(|error| format!("{error}"))
}

/// A name of the owner's.
pub(super) fn name(text: &str) -> Result<Name, String> {
    text.parse().map_err(|why| {
        let shown: String = text.chars().take(100).collect();
        format!("`{}` is no name: {why}", shown.escape_debug())
    })
}
