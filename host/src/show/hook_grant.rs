//! What granting a hook anew comes to.

use copal_core::digest::Sha256;
use copal_core::grants::{Change, Grants, InForce};
use serde_json::{Value, json};

use super::hook::{Card, with_effect, written};
use super::{Output, advice};
use crate::error::CopalError;
use crate::hook_edit::Entry;

/// What was in force for a hook before.
pub enum Before {
    /// It had no pin, and no run took it.
    Unpinned,
    /// The same component was pinned.
    Same(InForce),
    /// Another one was, and what it requested is known.
    Other(InForce),
    /// Another one was, of which only the digest is known.
    Unknown,
}

impl Before {
    /// Whether the pin stays what it is.
    pub fn is_same(&self) -> bool {
        matches!(self, Self::Same(_))
    }
}

/// What a renewal of a hook's pin comes to.
pub struct Renewal<'a> {
    /// The hook.
    pub name: &'a str,
    /// Its file, as written.
    pub file: &'a str,
    /// The pin until now, as written.
    pub pinned: Option<&'a str>,
    /// What was in force until now.
    pub before: &'a Before,
    /// The file's digest.
    pub digest: Sha256,
    /// What is granted anew.
    pub added: &'a [Entry],
    /// All that is granted then, and what the component requests.
    pub in_force: &'a InForce,
}

impl Renewal<'_> {
    /// What is in force then and was not, as far as is known, and the other way about.
    pub fn change(&self) -> Change {
        match self.before {
            Before::Same(was) | Before::Other(was) => self.in_force.since(was),
            Before::Unpinned | Before::Unknown => self.in_force.since(&InForce::default()),
        }
    }

    fn pin_rows(&self, card: &mut Card) {
        if self.before.is_same() {
            card.row("sha256", format_args!("{}  (as before)", self.digest));
        } else {
            card.row("before", self.pinned.unwrap_or("not pinned"));
            card.row("sha256", self.digest);
        }
    }

    fn change_rows(&self, card: &mut Card) {
        let Change { gained, lost } = self.change();
        let is_unknown = matches!(self.before, Before::Unknown);
        let gain = |entry: &Entry| {
            let text = written(entry);
            if is_unknown && !self.added.contains(entry) {
                format!("{text}  (was granted to another component, and may have had no effect)")
            } else {
                text
            }
        };
        if !gained.is_empty() {
            card.rows("now in force", gained.iter().map(gain), "");
        } else if !self.before.is_same() && lost.is_empty() && !self.in_force.grants.is_empty() {
            card.row("now in force", "nothing that was not before");
        }
        if !lost.is_empty() {
            card.rows("no longer", texts(&lost), "");
        }
    }
}

/// Shows a renewal before it is done.
pub fn print(renewal: &Renewal<'_>, output: Output) -> Result<(), CopalError> {
    if !output.quiet {
        warn(renewal);
    }
    let in_force = renewal.in_force;
    let missing = in_force.missing();
    if output.json {
        return super::json(&to_json(renewal));
    }
    let mut card = Card::default();
    card.row("hook", renewal.name);
    card.row("file", renewal.file);
    renewal.pin_rows(&mut card);
    let entries = in_force.grants.entries();
    let mark = |entry: &Entry| {
        let new = if renewal.added.contains(entry) {
            "  (new)"
        } else {
            ""
        };
        format!("{}{new}", with_effect(entry, in_force))
    };
    card.rows("grants", entries.iter().map(mark), "nothing");
    renewal.change_rows(&mut card);
    if !missing.is_empty() {
        card.rows("not granted", texts(&missing), "");
        let arguments: Vec<_> = missing.iter().map(advice::argument).collect();
        let command = format!("hook grant {} {}", renewal.name, arguments.join(" "));
        card.row(
            "",
            format_args!("to grant all: {}", advice::command(&command)),
        );
    }
    super::result(&card.to_string())
}

fn to_json(renewal: &Renewal<'_>) -> Value {
    let in_force = renewal.in_force;
    let change = renewal.change();
    let is_known = !matches!(renewal.before, Before::Unknown);
    json!({
        "name": renewal.name,
        "file": renewal.file,
        "before": renewal.pinned,
        "sha256": renewal.digest,
        "added": texts(renewal.added),
        "in_force": in_force.both().to_json(),
        "now_in_force": texts(&change.gained),
        // Of a component whose requests are not known, nobody can say what it loses.
        "no_longer_in_force": is_known.then(|| texts(&change.lost)),
        "requested_not_granted": texts(&in_force.missing()),
        "granted_not_requested": texts(&in_force.vain()),
    })
}

/// Tells of new grants that change nothing.
fn warn(renewal: &Renewal<'_>) {
    for entry in renewal.in_force.vain() {
        if renewal.added.contains(&entry) {
            super::message::note(&format!(
                "`{}` has no effect: the component of hook `{}` does not request it",
                written(&entry),
                renewal.name
            ));
        }
    }
}

/// Shows what was taken from a hook, and what it still has.
pub fn print_revoked(
    name: &str,
    before: &Grants,
    after: &Grants,
    output: Output,
) -> Result<(), CopalError> {
    let (mut revoked, left) = (before.entries(), after.entries());
    revoked.retain(|entry| !left.contains(entry));
    if output.json {
        return super::json(&json!({
            "name": name,
            "revoked": texts(&revoked),
            "grants": after.to_json(),
        }));
    }
    let mut card = Card::default();
    card.row("hook", name);
    card.rows("revoked", texts(&revoked), "nothing");
    card.rows("grants", texts(&left), "nothing");
    super::result(&card.to_string())
}

fn texts(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(written).collect()
}
