//! Every database of a restored copy, checked from its first page to its foreign keys.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::Path;

use copal_core::manifest::{FileEntry, Manifest, Rows, Taken};
use copal_core::path::RelPath;
use copal_core::sqlite::SIDECARS;
use copal_hooks::CheckDepth;

use crate::capability::sqlite::{self, SqliteError, row_counts};
use crate::edge::beneath::Beneath;
use crate::edge::interrupt::Interrupt;
use crate::edge::walk::{Filter, Found, FoundKind, Keep, WalkError, absolute, walk};
use crate::error::CopalError;

/// What came of it.
#[derive(Debug)]
pub struct Tried {
    /// The databases that were checked, sorted.
    pub databases: Vec<RelPath>,
    /// Those that are damaged, each an error; last the signal, if one came before all were checked.
    pub wrong: Vec<CopalError>,
}

/// Checks every database below `copy`.
pub fn try_databases(
    copy: &Path,
    manifest: &Manifest,
    interrupt: &Interrupt,
) -> Result<Tried, CopalError> {
    let mut tried = Tried {
        databases: Vec::new(),
        wrong: Vec::new(),
    };
    let files = manifest.entries.iter();
    let known: HashMap<_, _> = files
        .filter_map(|entry| Some((&entry.path, entry.file()?)))
        .collect();
    let walked = walk(copy, &[], &mut Everything, interrupt).map_err(unreadable)?;
    let files = walked.kept.into_iter();
    for found in files.filter(|found| found.kind == FoundKind::File) {
        if let Err(interrupted) = interrupt.check() {
            tried.wrong.push(interrupted.into());
            break;
        }
        let file = absolute(copy, &found.path);
        let is_database =
            sqlite::is_database(Beneath::of(copy, &found.path)).map_err(|source| {
                CopalError::Scratch {
                    deed: "read",
                    path: file.clone(),
                    source,
                }
            })?;
        if !is_database {
            continue;
        }
        let mut problems = foreign_parts(&known, &found.path);
        problems.extend(
            match sqlite::findings(
                Beneath::of(copy, &found.path),
                false,
                CheckDepth::Full,
                interrupt,
            ) {
                Ok(problems) => problems,
                Err(SqliteError::Interrupted(interrupted)) => {
                    tried.wrong.push(interrupted.into());
                    break;
                }
                Err(error) => vec![error.to_string()],
            },
        );
        if problems.is_empty()
            && let Some(then) = known.get(&found.path)
            && !then.rows.is_empty()
        {
            problems = match row_counts(&file, interrupt) {
                Ok(now) => other_rows(&then.rows, &now),
                Err(interrupted) => {
                    tried.wrong.push(interrupted.into());
                    break;
                }
            };
        }
        if !problems.is_empty() {
            tried.wrong.push(CopalError::Unsound {
                id: manifest.id,
                database: found.path.clone(),
                problems,
            });
        }
        tried.databases.push(found.path);
    }
    Ok(tried)
}

/// What SQLite reads as a part of this database and was not taken with it from the source. It may say
/// anything, and no check of the database finds fault with it.
fn foreign_parts(known: &HashMap<&RelPath, &FileEntry>, database: &RelPath) -> Vec<String> {
    let taken = |path: &RelPath| known.get(path).map(|file| file.taken);
    let main = taken(database);
    let parts = SIDECARS
        .map(|suffix| database.with_suffix(suffix))
        .into_iter();
    parts
        .filter(|part| {
            let part = taken(part);
            part.is_some() && [main, part] != [Some(Taken::Direct); 2]
        })
        .map(|part| {
            format!("`{part}` was not taken with it from the source, and SQLite reads what it says")
        })
        .collect()
}

/// The tables that do not have as many rows as when they were backed up. One that was not counted then, or
/// is not in time now, says nothing.
fn other_rows(then: &Rows, now: &Rows) -> Vec<String> {
    let other = then.iter().filter_map(|(table, then)| {
        let now = now.get(table)?;
        (now != then)
            .then(|| format!("table {table} has {now} rows, and had {then} when it was backed up"))
    });
    other.collect()
}

struct Everything;

impl Filter for Everything {
    type Error = Infallible;

    fn decide(&mut self, found: &[Found]) -> Result<Vec<Keep>, Infallible> {
        Ok(vec![Keep::Yes; found.len()])
    }
}

fn unreadable(error: WalkError<Infallible>) -> CopalError {
    match error {
        WalkError::Unreadable { path, source } => CopalError::Scratch {
            deed: "read",
            path,
            source,
        },
        WalkError::Filter(never) => match never {},
        WalkError::Interrupted(interrupted) => interrupted.into(),
    }
}

#[cfg(test)]
#[path = "try_databases_tests.rs"]
mod tests;
