//! What granting a hook anew comes to.

use copal_core::digest::Sha256;
use copal_core::grants::{Capability, Grants};
use serde_json::json;

use super::Output;
use super::hook::{Card, written};
use crate::error::CopalError;

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
    pub added: &'a [(Capability, String)],
    /// All that is granted then.
    pub grants: &'a Grants,
    /// What the component requests.
    pub requests: Option<&'a Grants>,
}

/// Shows a renewal before it is done.
pub fn print(renewal: &Renewal<'_>, output: Output) -> Result<(), CopalError> {
    let missing = renewal
        .requests
        .map(|requests| requests.beyond(renewal.grants));
    let missing = missing.unwrap_or_default();
    let vain = renewal
        .requests
        .map(|requests| renewal.grants.beyond(requests));
    let vain = vain.unwrap_or_default();
    let texts =
        |entries: &[(Capability, String)]| -> Vec<String> { entries.iter().map(written).collect() };
    if output.json {
        return super::json(&json!({
            "name": renewal.name,
            "file": renewal.file,
            "before": renewal.before,
            "sha256": renewal.digest,
            "added": texts(renewal.added),
            "requested_not_granted": texts(&missing),
            "granted_not_requested": texts(&vain),
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
    let entries = renewal.grants.entries();
    let mark = |entry: &(Capability, String)| {
        let mark = match (renewal.added.contains(entry), vain.contains(entry)) {
            (true, true) => "  (new, and not requested: of no effect)",
            (true, false) => "  (new)",
            (false, true) => "  (not requested: of no effect)",
            (false, false) => "",
        };
        format!("{}{mark}", written(entry))
    };
    card.rows("grants", entries.iter().map(mark), "nothing");
    if !missing.is_empty() {
        card.rows("not granted", texts(&missing), "");
        let arguments: Vec<_> = missing.iter().map(argument).collect();
        card.row(
            "",
            format_args!(
                "to grant all: copal hook grant {} {}",
                renewal.name,
                arguments.join(" ")
            ),
        );
    }
    super::result(&card.0)
}

/// An entry as `copal hook grant` takes it, quoted for a shell.
fn argument((capability, entry): &(Capability, String)) -> String {
    let argument = format!("{capability}={entry}");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "=._/:,-".contains(c);
    if argument.chars().all(is_plain) {
        argument
    } else {
        format!("'{}'", argument.replace('\'', "'\\''"))
    }
}
