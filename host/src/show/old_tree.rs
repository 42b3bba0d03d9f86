//! What became of the old tree of a restore in place.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::json;

use super::{Output, count};
use crate::error::CopalError;
use crate::outcome::Outcome;
use crate::undo::{Discarded, Undone};

/// Prints an undoing.
pub fn print_undone(outcome: &Outcome<Undone>, output: Output) -> Result<(), CopalError> {
    if output.json {
        return super::json(&to_json(outcome));
    }
    let Ok(Undone { of, trees }) = &outcome.result else {
        return Ok(());
    };
    let mut text = format!(
        "swapped back to {}: the tree that the run {of} had kept\n",
        trees.live.display()
    );
    if let Some(before) = &trees.before {
        writeln!(
            text,
            "  what was there is kept: {}\n  `copal restore --undo` swaps them again, `copal restore --discard {}` deletes it",
            before.display(),
            outcome.run
        )
        .expect("a String takes every write");
    }
    super::result(&text)
}

fn to_json(outcome: &Outcome<Undone>) -> serde_json::Value {
    let undone = outcome.result.as_ref().ok();
    let shown = |path: &PathBuf| path.display().to_string();
    let mut told = super::of_run(outcome);
    told["undone"] = json!(undone.map(|it| &it.of));
    told["to"] = json!(undone.map(|it| shown(&it.trees.live)));
    told["before"] = json!(undone.and_then(|it| it.trees.before.as_ref()).map(shown));
    told
}

/// Prints a deletion.
pub fn print_discarded(discarded: &Discarded, output: Output) -> Result<(), CopalError> {
    let Discarded { of, path, size } = discarded;
    if output.json {
        return super::json(&json!({
            "discarded": of,
            "path": path.display().to_string(),
            "files": size.files,
            "bytes": size.bytes,
        }));
    }
    super::result(&format!(
        "deleted {}: {}, {} on the disk\n",
        path.display(),
        count(size.files, "file"),
        size.bytes
    ))
}
