//! What a hook was refused, and what would help.

use std::fmt;

use copal_core::grants::{Capability, InForce, Need, Verdict};

/// A hook asked for something that is not in force for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The hook's name.
    pub hook: String,
    /// The capability it asked for.
    pub capability: Capability,
    /// What it asked it for: a name, a method and an origin, or `*`.
    pub value: String,
    /// Why it was refused.
    pub cause: Cause,
}

/// Why something is not in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The owner has not granted it.
    NotGranted {
        /// The line that grants it besides what is granted, to stand in the hook's table of
        /// copal.toml in place of its `grants`, if there are any.
        line: String,
    },
    /// The component does not request it, so that no grant helps.
    NotRequested {
        /// What it requests: `{ http = ["https://ntfy.sh"] }`.
        requests: String,
        /// What would have to stand below `[requests]` in its hook.toml: `http = ["https://ntfy.sh"]`.
        lacks: String,
    },
}

impl Denial {
    /// Why what has these needs may not be done; nothing if it may. It is about the first of them that
    /// is not in force; what would help grants all of them.
    pub(crate) fn of(hook: &str, in_force: &InForce, needs: &[Need]) -> Option<Self> {
        let need = needs.iter().find(|need| !in_force.cover(need))?;
        let cause = match in_force.verdict(need) {
            Verdict::Covered => return None,
            Verdict::NotGranted { .. } => Cause::NotGranted {
                line: in_force.line_with_all(needs),
            },
            Verdict::NotRequested => Cause::NotRequested {
                requests: requests(in_force),
                lacks: lacks(in_force, need),
            },
        };
        Some(Self {
            hook: hook.to_owned(),
            capability: need.capability(),
            value: need.to_string(),
            cause,
        })
    }

    /// Changes what is of the hook's own making in it.
    pub(crate) fn map_text(self, change: impl Fn(String) -> String) -> Self {
        Self {
            value: change(self.value),
            cause: match self.cause {
                Cause::NotGranted { line } => Cause::NotGranted { line: change(line) },
                Cause::NotRequested { requests, lacks } => Cause::NotRequested {
                    requests,
                    lacks: change(lacks),
                },
            },
            ..self
        }
    }

    /// What would help, for the hook and for people.
    pub fn remedy(&self) -> String {
        match &self.cause {
            Cause::NotGranted { line } => line.clone(),
            Cause::NotRequested { .. } => "none: its component does not request it".to_owned(),
        }
    }
}

/// A component's requests as they would be written.
fn requests(in_force: &InForce) -> String {
    let line = in_force.requests.clone().unwrap_or_default().line();
    let table = line.strip_prefix("grants = ").unwrap_or(&line);
    table.to_owned()
}

/// The line of hook.toml that requests `need` besides what is requested of its kind.
fn lacks(in_force: &InForce, need: &Need) -> String {
    let mut requests = in_force.requests.clone().unwrap_or_default();
    requests.add_need(need);
    let line = requests.assignment(need.capability());
    line.unwrap_or_default()
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            hook,
            capability,
            value,
            cause,
        } = self;
        write!(f, "hook `{hook}` may not use `{capability}`")?;
        // The store is one thing; its value says nothing.
        if *capability != Capability::State {
            write!(f, " on `{value}`")?;
        }
        match cause {
            Cause::NotGranted { .. } => f.write_str(": it is not granted"),
            Cause::NotRequested { requests, .. } => write!(
                f,
                ": its component does not request it; its requests are {requests}"
            ),
        }
    }
}

impl std::error::Error for Denial {}
