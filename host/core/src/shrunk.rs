//! Databases that have lost most of what was in them since the last snapshot: the app began afresh, or somebody
//! emptied it. A snapshot of that is as whole as any, and older ones may be all that is left.

use std::collections::HashMap;
use std::fmt;

use crate::manifest::{Entry, Manifest, Rows};
use crate::path::RelPath;
use crate::snapshot::SnapshotId;
use crate::units::ByteCount;

/// So few rows come and go.
const FEW: u64 = 10;
/// Of so many, less than one is left.
const OF: u64 = 10;
/// The tables of what is no larger are counted in time, however slow the disk.
const SURELY_COUNTED: ByteCount = ByteCount::mebibytes(256);

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
    /// How many of the tables that had them are gone.
    pub gone: usize,
}

impl fmt::Display for Shrunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            now,
            before,
            last,
            gone,
        } = self;
        let s = if *now == 1 { "" } else { "s" };
        if *gone == 0 {
            return write!(f, "`{path}` has {now} row{s}, and had {before} in {last}");
        }
        let tables = if *gone == 1 {
            "a table is".to_owned()
        } else {
            format!("{gone} tables are")
        };
        write!(
            f,
            "`{path}` has {now} row{s} where it had {before} in {last}, and {tables} gone"
        )
    }
}

/// A database as it is now.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// Where it is.
    pub path: &'a RelPath,
    /// The rows of its tables, as far as they were counted.
    pub rows: &'a Rows,
    /// How large it is.
    pub size: ByteCount,
}

/// Those that have shrunk since `last`, by the rows of the tables that were counted then. A table that is gone has
/// none any more, whatever others there are.
pub fn shrunk<'a, 'b>(last: &'b Manifest, now: impl Iterator<Item = Counted<'a>>) -> Vec<Shrunk> {
    let counted = |entry: &'b Entry| Some((&entry.path, &entry.file()?.rows));
    let had: HashMap<&RelPath, &Rows> = last.entries.iter().filter_map(counted).collect();
    let compared = now.filter_map(|it| Some(it.since(had.get(it.path)?, last.id)));
    compared
        .filter(|it| it.before >= FEW && it.now < it.before.div_ceil(OF))
        .collect()
}

impl Counted<'_> {
    fn since(self, then: &Rows, last: SnapshotId) -> Shrunk {
        let (mut now, mut before, mut gone) = (0_u64, 0_u64, 0);
        for (table, had) in then {
            let has = match self.rows.get(table) {
                Some(has) => *has,
                None if self.lacks(table) => {
                    gone += 1;
                    0
                }
                None => continue,
            };
            now = now.saturating_add(has);
            before = before.saturating_add(*had);
        }
        Shrunk {
            path: self.path.clone(),
            now,
            before,
            last,
            gone,
        }
    }

    /// Whether a table is not there, rather than not counted: they are counted by their names' order, as long as there
    /// is time.
    fn lacks(self, table: &String) -> bool {
        let Some((last, _)) = self.rows.last_key_value() else {
            return false;
        };
        table < last || self.size <= SURELY_COUNTED
    }
}

#[cfg(test)]
#[path = "shrunk_tests.rs"]
mod tests;
