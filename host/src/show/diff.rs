//! What differs between two snapshots.

use std::fmt::Write as _;

use copal_core::diff::{Amount, Difference, Sums, What, tables};
use copal_core::manifest::{Entry, EntryKind};
use copal_core::snapshot::SnapshotId;
use serde_json::{Value, json};

use super::{Output, count};
use crate::error::CopalError;

/// Prints each path that differs, and what all of it comes to.
pub fn print(
    between: (SnapshotId, SnapshotId),
    found: &[Difference<'_>],
    output: Output,
) -> Result<(), CopalError> {
    if output.json {
        return super::json(&to_json(between, found));
    }
    super::result(&text(between, found))
}

fn text((before, after): (SnapshotId, SnapshotId), found: &[Difference<'_>]) -> String {
    let mut text = String::new();
    let mut line = |line: String| writeln!(text, "{line}").expect("a String takes every write");
    for difference in found {
        line(match difference {
            Difference::Added(entry) => format!("+ {:>11} {}", size(entry), name(entry)),
            Difference::Removed(entry) => format!("- {:>11} {}", size(entry), name(entry)),
            Difference::Changed {
                before,
                after,
                what,
            } => format!(
                "~ {:>11} {} ({})",
                size(after),
                name(after),
                told(before, after, *what)
            ),
        });
        if let Difference::Changed { before, after, .. } = difference {
            for (table, before, after) in tables(before, after) {
                line(format!(
                    "                table {table}: {}",
                    rows(before, after)
                ));
            }
        }
    }
    let sums = Sums::of(found);
    let amount = |amount: Amount| format!("{} ({})", amount.entries, amount.bytes);
    line(if found.is_empty() {
        format!("{before} and {after} have the same content")
    } else {
        format!(
            "from {before} to {after}: {}: {} added, {} removed, {} changed, which had {}",
            count(found.len() as u64, "difference"),
            amount(sums.added),
            amount(sums.removed),
            amount(sums.changed_after),
            sums.changed_before.bytes,
        )
    });
    text
}

/// How many rows a table has, and had.
fn rows(before: Option<u64>, after: Option<u64>) -> String {
    match (before, after) {
        (None, after) => format!("new, {}", count(after.unwrap_or_default(), "row")),
        (Some(before), None) => format!("gone, had {}", count(before, "row")),
        (Some(before), Some(after)) => {
            format!("{}, had {}", count(after, "row"), count(before, "row"))
        }
    }
}

/// What a file holds; nothing for what is none.
fn size(entry: &Entry) -> String {
    let file = entry.file();
    file.map_or_else(String::new, |file| file.size.to_string())
}

fn name(entry: &Entry) -> String {
    match &entry.kind {
        EntryKind::Directory => format!("{}/", entry.path),
        EntryKind::Symlink { target } => format!("{} -> {target}", entry.path),
        EntryKind::File(_) => entry.path.to_string(),
    }
}

/// In what it differs, with what it was.
fn told(before: &Entry, after: &Entry, what: What) -> String {
    let mut parts = Vec::new();
    if what.content {
        parts.push(match (&before.kind, &after.kind) {
            (EntryKind::File(file), EntryKind::File(_)) => format!("had {}", file.size),
            (EntryKind::Symlink { target }, _) => format!("was a link to {target}"),
            (EntryKind::Directory, _) => "was a directory".to_owned(),
            (EntryKind::File(file), _) => format!("was a file of {}", file.size),
        });
    }
    let (old, new) = (before.attributes, after.attributes);
    if what.mode {
        parts.push(format!(
            "mode {:04o}, was {:04o}",
            new.mode.bits(),
            old.mode.bits()
        ));
    }
    if what.owner {
        parts.push(format!(
            "owner {}:{}, was {}:{}",
            new.uid, new.gid, old.uid, old.gid
        ));
    }
    parts.join(", ")
}

fn to_json((before, after): (SnapshotId, SnapshotId), found: &[Difference<'_>]) -> Value {
    let sums = Sums::of(found);
    let amount = |amount: Amount| json!({ "entries": amount.entries, "bytes": amount.bytes });
    json!({
        "before": before,
        "after": after,
        "differences": found.iter().map(one_to_json).collect::<Vec<_>>(),
        "added": amount(sums.added),
        "removed": amount(sums.removed),
        "changed": {
            "entries": sums.changed_after.entries,
            "bytes_before": sums.changed_before.bytes,
            "bytes": sums.changed_after.bytes,
        },
    })
}

fn one_to_json(difference: &Difference<'_>) -> Value {
    match difference {
        Difference::Added(entry) => json!({ "is": "added", "path": entry.path, "after": entry }),
        Difference::Removed(entry) => {
            json!({ "is": "removed", "path": entry.path, "before": entry })
        }
        Difference::Changed {
            before,
            after,
            what,
        } => json!({
            "is": "changed",
            "path": after.path,
            "content": what.content,
            "mode": what.mode,
            "owner": what.owner,
            "before": before,
            "after": after,
        }),
    }
}
