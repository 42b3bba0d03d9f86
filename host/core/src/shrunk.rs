//! Databases that have lost most of what was in them since the last snapshot: the app began afresh, or somebody
//! emptied it. A snapshot of that is as whole as any, and older ones may be all that is left.

use std::collections::HashMap;
use std::fmt;

use crate::manifest::{Entry, Manifest, Rows};
use crate::path::RelPath;
use crate::snapshot::SnapshotId;

/// So few rows come and go.
const FEW: u64 = 10;
/// Of so many, less than one is left.
const OF: u64 = 10;

/// A database with less than a tenth of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shrunk {
    /// Where it is.
    pub path: RelPath,
    /// How many rows it has.
    pub now: u64,
    /// How many it had.
    pub before: u64,
    /// In this snapshot.
    pub last: SnapshotId,
}

impl fmt::Display for Shrunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            now,
            before,
            last,
        } = self;
        let s = if *now == 1 { "" } else { "s" };
        write!(f, "`{path}` has {now} row{s}, and had {before} in {last}")
    }
}

/// Those that have shrunk since `last`, by the rows of tables that were counted both times.
pub fn shrunk<'a, 'b>(
    last: &'b Manifest,
    now: impl Iterator<Item = (&'a RelPath, &'a Rows)>,
) -> Vec<Shrunk> {
    let counted = |entry: &'b Entry| Some((&entry.path, &entry.file()?.rows));
    let had: HashMap<&RelPath, &Rows> = last.entries.iter().filter_map(counted).collect();
    let compared = now.filter_map(|(path, rows)| {
        let before = had.get(path)?;
        let both = before
            .iter()
            .filter_map(|(table, had)| rows.get(table).map(|has| (*has, *had)));
        let (now, before) = both.fold((0, 0), |(now, before): (u64, u64), (has, had)| {
            (now.saturating_add(has), before.saturating_add(had))
        });
        Some(Shrunk {
            path: path.clone(),
            now,
            before,
            last: last.id,
        })
    });
    compared
        .filter(|it| it.before >= FEW && it.now < it.before.div_ceil(OF))
        .collect()
}

#[cfg(test)]
#[path = "shrunk_tests.rs"]
mod tests;
