//! What a restore came to.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use copal_core::manifest::Manifest;
use serde_json::json;

use super::{Output, count};
use crate::edge::attributes::Owners;
use crate::error::CopalError;
use crate::outcome::Outcome;
use crate::replace::{NOTHING_KEPT, Replaced};
use crate::step::restore::Restored;

/// Prints a restore that succeeded, in whole or as far as the snapshot is.
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
            "left_out": restored.left_out,
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
    for path in &restored.left_out {
        writeln!(text, "  damaged, left out: {path}").expect("a String takes every write");
    }
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
    if replaced.trees.before.is_none() {
        writeln!(text, "  {NOTHING_KEPT}").expect("a String takes every write");
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
    let snapshot = replaced.map(|it| &it.snapshot);
    let left = replaced.map(|it| it.left_behind.iter().map(shown).collect::<Vec<_>>());
    let mut told = super::of_run(outcome);
    told["snapshot"] = json!(snapshot.map(|it| it.id));
    told["to"] = json!(replaced.map(|it| shown(&it.trees.live)));
    told["before"] = json!(replaced.and_then(|it| it.trees.before.as_ref()).map(shown));
    told["files"] = json!(snapshot.map(|it| it.files));
    told["bytes"] = json!(snapshot.map(|it| it.bytes));
    told["owners_not_restored"] = json!(snapshot.map(|it| it.owners.not_permitted));
    told["left_by_other_restores"] = json!(left);
    told
}

fn foreign(owners: Owners) -> String {
    let entries = match owners.not_permitted {
        0 => return String::new(),
        1 => "one entry".to_owned(),
        many => format!("{many} entries"),
    };
    format!("  owners: {entries} now belong to you, since only root may give files away\n")
}
