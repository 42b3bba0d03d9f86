//! What granting a hook anew comes to.

use copal_core::digest::Sha256;
use copal_core::grants::{Grants, InForce};
use serde_json::json;

use super::hook::{Card, with_effect, written};
use super::{Output, advice};
use crate::error::CopalError;
use crate::hook_edit::Entry;

/// What a renewal of a hook's pin comes to.
pub struct Renewal<'a> {
    /// The hook.
    pub name: &'a str,
    /// Its file, as written.
    pub file: &'a str,
    /// The pin until now, as written.
    pub before: Option<&'a str>,
    /// The file's digest.
    pub digest: Sha256,
    /// What is granted anew.
    pub added: &'a [Entry],
    /// All that is granted then, and what the component requests.
    pub in_force: &'a InForce,
}

/// Shows a renewal before it is done.
pub fn print(renewal: &Renewal<'_>, output: Output) -> Result<(), CopalError> {
    if !output.quiet {
        warn(renewal);
    }
    let in_force = renewal.in_force;
    let missing = in_force.missing();
    if output.json {
        return super::json(&json!({
            "name": renewal.name,
            "file": renewal.file,
            "before": renewal.before,
            "sha256": renewal.digest,
            "added": texts(renewal.added),
            "in_force": in_force.both().to_json(),
            "requested_not_granted": texts(&missing),
            "granted_not_requested": texts(&in_force.vain()),
        }));
    }
    let mut card = Card::default();
    card.row("hook", renewal.name);
    card.row("file", renewal.file);
    let digest = renewal.digest.to_string();
    match renewal.before {
        Some(before) if before == digest => {
            card.row("sha256", format_args!("{digest}  (as before)"));
        }
        before => {
            card.row("before", before.unwrap_or("not pinned"));
            card.row("sha256", digest);
        }
    }
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
    if !missing.is_empty() {
        card.rows("not granted", texts(&missing), "");
        let arguments: Vec<_> = missing.iter().map(advice::argument).collect();
        let command = format!("hook grant {} {}", renewal.name, arguments.join(" "));
        card.row(
            "",
            format_args!("to grant all: {}", advice::command(&command)),
        );
    }
    super::result(&card.0)
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
    super::result(&card.0)
}

fn texts(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(written).collect()
}
