//! What the owner grants and the component requests.

use super::{Grants, Need};

/// The grants that are in force for a hook: those of the owner that its component requests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InForce {
    /// What the owner grants.
    pub grants: Grants,
    /// What the component says it needs; a component that says nothing narrows nothing.
    pub requests: Option<Grants>,
}

/// Whether something may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is granted.
    Covered,
    /// The owner has not granted it.
    NotGranted {
        /// The line of copal.toml that grants it besides what is granted.
        line: String,
    },
    /// The component does not request it: no grant of the owner's would help.
    NotRequested,
}

impl InForce {
    /// Whether both cover `need`.
    pub fn cover(&self, need: &Need) -> bool {
        self.grants.cover(need) && self.request(need)
    }

    /// Whether `need` may be done, and if not, what would help.
    pub fn verdict(&self, need: &Need) -> Verdict {
        if !self.request(need) {
            Verdict::NotRequested
        } else if self.grants.cover(need) {
            Verdict::Covered
        } else {
            let line = self.grants.line_with(need);
            Verdict::NotGranted { line }
        }
    }

    fn request(&self, need: &Need) -> bool {
        self.requests
            .as_ref()
            .is_none_or(|requests| requests.cover(need))
    }
}
