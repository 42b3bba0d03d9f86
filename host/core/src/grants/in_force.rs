//! What the owner grants and the component requests.

use super::{Capability, Grants, Need};

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

/// What an entry of the owner's grants comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// All that it says is in force.
    Whole,
    /// This much of it, as the component requests no more.
    Part(Box<Grants>),
    /// None of it: the component does not request it.
    None,
}

/// What becomes of a hook's rights when its component or its grants change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// What is in force then, and was not.
    pub gained: Vec<(Capability, String)>,
    /// What was in force, and is not then.
    pub lost: Vec<(Capability, String)>,
}

impl InForce {
    /// What is in force here and was not in `before`, and the other way about.
    pub fn since(&self, before: &Self) -> Change {
        let (is, was) = (self.both(), before.both());
        Change {
            gained: is.beyond(&was),
            lost: was.beyond(&is),
        }
    }

    /// What both cover: it covers a need exactly where that is let through, and it is what is shown as
    /// in force.
    pub fn both(&self) -> Grants {
        match &self.requests {
            Some(requests) => self.grants.requested_by(requests),
            None => self.grants.clone(),
        }
    }

    /// Whether both cover `need`.
    pub fn cover(&self, need: &Need) -> bool {
        self.both().cover(need)
    }

    /// Whether `need` may be done, and if not, what would help.
    pub fn verdict(&self, need: &Need) -> Verdict {
        if self.cover(need) {
            Verdict::Covered
        } else if self.request(need) {
            let line = self.line_with_all(std::slice::from_ref(need));
            Verdict::NotGranted { line }
        } else {
            Verdict::NotRequested
        }
    }

    /// The line of copal.toml that grants all of `needs` besides what is granted.
    pub fn line_with_all(&self, needs: &[Need]) -> String {
        let mut wider = self.clone();
        for need in needs {
            if !wider.cover(need) {
                wider.grants.add_need(need);
            }
            // Something else of its kind is granted than is requested: only what is can be meant.
            if !wider.cover(need) && wider.request(need) {
                wider.grants.add_kind(need, wider.requests.as_ref());
            }
        }
        wider.grants.line()
    }

    /// What an entry of the owner's comes to.
    pub fn effect(&self, entry: &(Capability, String)) -> Effect {
        let one = Grants::of_entry(entry);
        let both = match &self.requests {
            Some(requests) => one.requested_by(requests),
            None => one.clone(),
        };
        if both.contain(&one) {
            Effect::Whole
        } else if both.is_empty() {
            Effect::None
        } else {
            Effect::Part(Box::new(both))
        }
    }

    /// The entries of the component's requests of which something is not in force.
    pub fn missing(&self) -> Vec<(Capability, String)> {
        let requests = self.requests.as_ref();
        requests.map_or_else(Vec::new, |requests| requests.beyond(&self.both()))
    }

    /// The entries of the owner's of which nothing is in force.
    pub fn vain(&self) -> Vec<(Capability, String)> {
        let mut entries = self.grants.entries();
        entries.retain(|entry| self.effect(entry) == Effect::None);
        entries
    }

    fn request(&self, need: &Need) -> bool {
        let requests = self.requests.as_ref();
        requests.is_none_or(|requests| requests.request(need))
    }
}
