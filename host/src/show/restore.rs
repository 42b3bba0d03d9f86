//! What a restore came to.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use copal_core::manifest::Manifest;
use serde_json::json;

use super::{Output, count};
use crate::edge::attributes::Owners;
use crate::error::CopalError;
use crate::outcome::Outcome;
use crate::replace::Replaced;
use crate::step::restore::Restored;

/// Prints a restore that succeeded.
pub fn print(
    manifest: &Manifest,
    to: &Path,
    restored: &Restored,
    output: Output,
) -> Result<(), CopalError> {
    if output.json {
        return super::json(&json!({
            "name": manifest.name,
            "snapshot": manifest.id,
            "to": to.display().to_string(),
            "files": restored.files,
            "bytes": restored.bytes,
            "owners_not_restored": restored.owners.not_permitted,
        }));
    }
    let mut text = format!(
        "restored {}/{} to {}: {}, {}, every checksum right\n",
        manifest.name,
        manifest.id,
        to.display(),
        count(restored.files, "file"),
        restored.bytes
    );
    text += &foreign(restored.owners);
    super::result(&text)
}

/// Prints a restore in place.
pub fn print_in_place(outcome: &Outcome<Replaced>, output: Output) -> Result<(), CopalError> {
    if output.json {
        return super::json(&to_json(outcome));
    }
    let Ok(replaced) = &outcome.result else {
        return Ok(());
    };
    let mut text = format!(
        "restored {}/{} to {}: {}, {}, every checksum right\n",
        outcome.name,
        replaced.snapshot.id,
        replaced.trees.live.display(),
        count(replaced.snapshot.files, "file"),
        replaced.snapshot.bytes
    );
    if let Some(before) = &replaced.trees.before {
        writeln!(
            text,
            "  what was there is kept: {}\n  it also has what the filters leave out of snapshots; `copal restore --undo` swaps it back, `copal restore --discard {}` deletes it",
            before.display(),
            outcome.run
        )
        .expect("a String takes every write");
    }
    for left in &replaced.left_behind {
        writeln!(
            text,
            "  left by another restore: {}; look at it before you remove it",
            left.display()
        )
        .expect("a String takes every write");
    }
    text += &foreign(replaced.snapshot.owners);
    super::result(&text)
}

fn to_json(outcome: &Outcome<Replaced>) -> serde_json::Value {
    let replaced = outcome.result.as_ref().ok();
    let shown = |path: &PathBuf| path.display().to_string();
    let errors = |all: &mut dyn Iterator<Item = &CopalError>| -> Vec<String> {
        all.map(CopalError::in_one_line).collect()
    };
    json!({
        "run": outcome.run,
        "name": outcome.name,
        "outcome": outcome.verdict().name(),
        "seconds": outcome.took.as_secs_f64(),
        "snapshot": replaced.map(|it| it.snapshot.id),
        "to": replaced.map(|it| shown(&it.trees.live)),
        "before": replaced.and_then(|it| it.trees.before.as_ref()).map(shown),
        "files": replaced.map(|it| it.snapshot.files),
        "bytes": replaced.map(|it| it.snapshot.bytes),
        "owners_not_restored": replaced.map(|it| it.snapshot.owners.not_permitted),
        "left_by_other_restores": replaced.map(|it| it.left_behind.iter().map(shown).collect::<Vec<_>>()),
        "errors": errors(&mut outcome.errors()),
        "shortcomings": errors(&mut outcome.shortcomings.iter()),
    })
}

fn foreign(owners: Owners) -> String {
    let entries = match owners.not_permitted {
        0 => return String::new(),
        1 => "one entry".to_owned(),
        many => format!("{many} entries"),
    };
    format!("  owners: {entries} now belong to you, since only root may give files away\n")
}
