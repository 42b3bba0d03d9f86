//! What a mirror has and the source has not, and whether it may be deleted.
//!
//! The worst mistake here is to delete, so each doubt keeps: what lies outside the mirrored
//! directories is never looked at, what is deleted is bounded before the first deletion, and a bound
//! that is exceeded keeps everything.

use std::collections::{BTreeSet, HashSet};

use super::is_copals;
use super::map::{Map, below};
use crate::manifest::COPAL_DIR;
use crate::path::RelPath;

/// The most that a run may delete of a mirror.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MaxDelete {
    /// So many files in a hundred of those that are there.
    Share(u8),
    /// So many files.
    Files(u64),
}

impl MaxDelete {
    /// Half of what is there.
    pub const HALF: Self = Self::Share(50);

    /// As many of so many files.
    pub fn of(self, there: u64) -> u64 {
        match self {
            Self::Share(percent) => {
                let allowed = u128::from(there) * u128::from(percent.min(100)) / 100;
                u64::try_from(allowed).unwrap_or(there)
            }
            Self::Files(files) => files,
        }
    }
}

/// What SQLite adds to the name of a database for its logs.
const LOGS: [&str; 3] = ["-wal", "-shm", "-journal"];

impl Default for MaxDelete {
    fn default() -> Self {
        Self::HALF
    }
}

/// What follows the source: the whole content of folders. Of one that has a single file of the source it is
/// the logs that a database of this name would be read with, and what else it has is nobody's business.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ground {
    folders: Vec<String>,
    logs: Vec<String>,
}

/// A folder that would lose all it has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Emptied {
    /// It, below the destination; empty for that itself.
    pub folder: String,
    /// The files that it has.
    pub files: u64,
}

/// What is there and not in the source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Surplus {
    names: BTreeSet<String>,
    there: u64,
    /// Logs of databases, which no bound counts.
    logs: BTreeSet<String>,
    /// Directories that are snapshots or mirrors themselves.
    copals: BTreeSet<String>,
}

/// What may be deleted. Nothing else makes one of these than [`Surplus::bounded`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Deletions(Vec<String>);

/// Why nothing is deleted.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// More than a run may delete.
    #[error(
        "the source no longer has {would} of the {there} files that are there, and a run deletes at most {allowed}"
    )]
    TooMany {
        /// What would be deleted.
        would: u64,
        /// What is there.
        there: u64,
        /// What may be.
        allowed: u64,
    },
    /// It is no mirror's file that would be deleted.
    #[error("`{0}` is a snapshot or a mirror of its own")]
    Copals(String),
}

impl Ground {
    /// The folders of a map's directories.
    pub fn of(map: &Map, is_directory: impl Fn(&RelPath) -> bool) -> Self {
        if map.is_whole() {
            let folders = vec![String::new()];
            return Self {
                folders,
                logs: vec![],
            };
        }
        let pairs = map.pairs().iter();
        let directories = pairs.filter(|pair| is_directory(&pair.source));
        let folders = directories.map(|pair| pair.folder.clone()).collect();
        Self {
            folders,
            logs: vec![],
        }
    }

    /// The same, and the logs of databases of these names. A log of another state beside one spoils it.
    #[must_use]
    pub fn and_logs_of(mut self, databases: impl Iterator<Item = String>) -> Self {
        let logs = |name: String| LOGS.map(|log| format!("{name}{log}"));
        self.logs = databases.flat_map(logs).collect();
        self
    }

    /// Whether the mirror decides about a file of this name. Copal's own at the destination's top are
    /// none of the source's.
    pub fn has(&self, name: &str) -> bool {
        let mut folders = self.folders.iter();
        let in_folder = folders.any(|folder| below(name, folder).is_some());
        !is_copals(name) && (in_folder || self.logs.iter().any(|log| log == name))
    }

    /// The first folder that has files and is to have none.
    pub fn emptied(&self, there: &[String], wanted: &HashSet<String>) -> Option<Emptied> {
        let in_folder = |name: &str, folder: &str| self.has(name) && below(name, folder).is_some();
        self.folders.iter().find_map(|folder| {
            let files = there.iter().filter(|name| in_folder(name, folder)).count();
            let stays = wanted.iter().any(|name| in_folder(name, folder));
            (files > 0 && !stays).then(|| Emptied {
                folder: folder.clone(),
                files: files as u64,
            })
        })
    }

    /// What of `there` is not `wanted`.
    pub fn surplus(&self, there: &[String], wanted: &HashSet<String>) -> Surplus {
        let inside = || there.iter().filter(|name| self.has(name));
        let strange = || inside().filter(|name| !wanted.contains(*name));
        let copals = strange().filter_map(|name| holder_of_copals(name));
        Surplus {
            copals: copals.map(str::to_owned).collect(),
            there: inside().count() as u64,
            logs: self.logs.iter().cloned().collect(),
            names: strange().cloned().collect(),
        }
    }
}

/// The directory that is a snapshot or a mirror, if the name is of one of Copal's own files.
fn holder_of_copals(name: &str) -> Option<&str> {
    let mut at = 0;
    for component in name.split('/') {
        if component == COPAL_DIR {
            return Some(name[..at].trim_end_matches('/'));
        }
        at += component.len() + 1;
    }
    None
}

impl Surplus {
    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// How many these are.
    pub fn count(&self) -> u64 {
        self.names.len() as u64
    }

    /// Leaves out what stays, for whatever reason.
    pub fn retain(&mut self, mut goes: impl FnMut(&str) -> bool) {
        self.names.retain(|name| goes(name));
    }

    /// All of it, or nothing.
    pub fn bounded(self, most: MaxDelete) -> Result<Deletions, Refused> {
        let within = |name: &str, dir: &str| name == dir || below(name, dir).is_some();
        for dir in &self.copals {
            if self.names.iter().any(|name| within(name, dir)) {
                return Err(Refused::Copals(dir.clone()));
            }
        }
        let would = self.names.difference(&self.logs).count() as u64;
        let allowed = most.of(self.there);
        if would > allowed {
            let there = self.there;
            return Err(Refused::TooMany {
                would,
                there,
                allowed,
            });
        }
        Ok(Deletions(self.names.into_iter().collect()))
    }
}

impl Deletions {
    /// The names below the destination, sorted.
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

#[cfg(test)]
#[path = "surplus_tests.rs"]
mod tests;
