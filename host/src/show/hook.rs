//! What a component says about itself.

use std::fmt::{self, Display};

use copal_core::grants::{Capability, Effect, Grants, InForce};
use copal_hooks::Inspection;
use serde_json::{Value, json};

use super::Output;
use crate::error::CopalError;

/// Where the values stand, unless a label is longer.
const MARGIN: usize = 12;

/// Lines with a label each.
#[derive(Default)]
pub(super) struct Card(Vec<(String, String)>);

impl Card {
    pub(super) fn row(&mut self, label: &str, what: impl Display) {
        self.0.push((label.to_owned(), what.to_string()));
    }

    /// A row for each; where there is none, one that says so.
    pub(super) fn rows<T: Display>(
        &mut self,
        label: &str,
        all: impl IntoIterator<Item = T>,
        none: &str,
    ) {
        let mut label = label;
        for one in all {
            self.row(std::mem::take(&mut label), one);
        }
        if !label.is_empty() {
            self.row(label, none);
        }
    }
}

impl Display for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = self.0.iter().map(|(label, _)| label.chars().count());
        // A value stands at least one space behind its label.
        let margin = labels.max().map_or(MARGIN, |widest| MARGIN.max(widest + 1));
        for (label, what) in &self.0 {
            writeln!(f, "{label:margin$}{what}")?;
        }
        Ok(())
    }
}

/// Prints what a component says about itself.
pub fn inspection(found: &Inspection, output: Output) -> Result<(), CopalError> {
    if output.json {
        return super::json(&inspected(found));
    }
    let mut card = Card::default();
    card.row("phases", names(found.phases.iter()));
    card.row("imports", or_none(&found.imports.join(", ")));
    card.rows("WASI", found.wasi.iter().map(|name| with_use(name)), "none");
    let none = "nothing: it says nothing about what it needs";
    match &found.requests {
        None => card.row("requests", none),
        Some(requests) => {
            let entries = requests.entries();
            card.rows("requests", entries.iter().map(written), "nothing");
        }
    }
    card.row("size", found.size);
    card.row("sha256", found.digest);
    card.row(
        "built for",
        format_args!("copal:hooks {}", found.wit_version),
    );
    super::result(&card.to_string())
}

/// An interface of WASI, and what is behind it where that is nothing: most languages' tools import all
/// there are, and a hook that has one is not one that can use it.
fn with_use(name: &str) -> String {
    let inert = if name.starts_with("wasi:sockets/") {
        "  (leads nowhere: hooks have no sockets)"
    } else if name.starts_with("wasi:cli/environment@") {
        "  (empty: hooks have no environment)"
    } else {
        ""
    };
    format!("{name}{inert}")
}

pub(super) fn inspected(found: &Inspection) -> Value {
    let phases: Vec<_> = found.phases.iter().map(|phase| phase.name()).collect();
    json!({
        "phases": phases,
        "imports": found.imports,
        "wasi": found.wasi,
        "requests": found.requests.as_ref().map(Grants::to_json),
        "bytes": found.size.0,
        "sha256": found.digest,
        "wit_version": found.wit_version,
    })
}

/// An entry as one reads it: `http POST https://ntfy.sh`.
pub(super) fn written((capability, entry): &(Capability, String)) -> String {
    match capability {
        Capability::State => capability.to_string(),
        _ => format!("{capability} {entry}"),
    }
}

/// An entry of a hook's grants, and how much of it is in force.
pub(super) fn with_effect(entry: &(Capability, String), in_force: &InForce) -> String {
    let text = written(entry);
    match in_force.effect(entry) {
        Effect::Whole => text,
        Effect::Part(part) => format!(
            "{text}  (as far as it is requested: {})",
            part.of(entry.0).join(", ")
        ),
        Effect::None => format!("{text}  (not requested: of no effect)"),
    }
}

pub(super) fn names<T: Display>(all: impl Iterator<Item = T>) -> String {
    all.map(|one| one.to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_runs_into_its_label() {
        let mut card = Card::default();
        card.row("sqlite-backup", "built in");
        card.row("  phases", "pre-backup");
        assert_eq!(
            card.to_string(),
            "sqlite-backup built in\n  phases      pre-backup\n"
        );
    }

    #[test]
    fn what_leads_nowhere_is_told_from_what_does() {
        assert!(with_use("wasi:sockets/tcp@0.2.12").contains("leads nowhere"));
        assert_eq!(with_use("wasi:http/types@0.2.12"), "wasi:http/types@0.2.12");
    }
}
