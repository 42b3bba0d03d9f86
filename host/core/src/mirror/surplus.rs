//! What a mirror has and the source has not, and whether it may be deleted.
//!
//! The worst mistake here is to delete, so each doubt keeps: what lies outside the mirrored
//! directories is never looked at, what is deleted is bounded before the first deletion, and a bound
//! that is exceeded keeps everything.

use std::collections::{BTreeSet, HashSet};

use super::bound::{Bound, Refused};
use super::is_copals;
use super::map::{Map, below};
use crate::manifest::COPAL_DIR;
use crate::path::RelPath;

/// What SQLite adds to the name of a database for its logs.
const LOGS: [&str; 3] = ["-wal", "-shm", "-journal"];

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
    /// How many files stay that the last run put there.
    stays: u64,
    /// How many the run has deleted already.
    cleared: u64,
    /// Logs of databases, which no bound counts.
    logs: BTreeSet<String>,
    /// Directories that are snapshots or mirrors themselves.
    copals: BTreeSet<String>,
}

/// What may be deleted. Nothing else makes one of these than [`Surplus::bounded`] and [`Surplus::logs`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Deletions(Vec<String>);

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

    /// What of `there` is not `wanted`. What is wanted and no sealed run put there, `was_put`, makes no share
    /// larger: a run that failed may have sent it.
    pub fn surplus(
        &self,
        there: &[String],
        wanted: &HashSet<String>,
        was_put: impl Fn(&str) -> bool,
    ) -> Surplus {
        let inside = || there.iter().filter(|name| self.has(name));
        let strange = || inside().filter(|name| !wanted.contains(*name));
        let stays = |name: &&String| wanted.contains(*name) && was_put(name);
        let copals = strange().filter_map(|name| holder_of_copals(name));
        Surplus {
            copals: copals.map(str::to_owned).collect(),
            stays: inside().filter(stays).count() as u64,
            cleared: 0,
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

    /// The same with so many files that were in the way of others, and were deleted before those were sent:
    /// they count.
    #[must_use]
    pub fn and_cleared(mut self, files: u64) -> Self {
        self.cleared += files;
        self
    }

    /// Leaves out what stays, for whatever reason.
    pub fn retain(&mut self, mut goes: impl FnMut(&str) -> bool) {
        self.names.retain(|name| goes(name));
    }

    /// Of how many files a share is one: of those that the last run put there and that stay, and of those that
    /// go. What stays for another reason (what filters leave out, what a run that failed had sent, what went away
    /// meanwhile) can't go, so that it bounds nothing.
    fn there(&self) -> u64 {
        self.stays + self.would()
    }

    /// How many go, with those that did already.
    fn would(&self) -> u64 {
        self.cleared + self.names.difference(&self.logs).count() as u64
    }

    /// What of it goes also where nothing else does: logs of databases, which spoil the copies that were sent.
    pub fn logs(&self) -> Deletions {
        Deletions(self.names.intersection(&self.logs).cloned().collect())
    }

    /// How many files were there when it was first too much, if it is too much now.
    pub fn there_when_refused(&self, bound: Bound) -> u64 {
        bound.there_when_refused.unwrap_or(self.there())
    }

    /// The same where it can't be told what of it goes: as if nothing did.
    pub fn there_when_untold(&self, bound: Bound) -> u64 {
        bound
            .there_when_refused
            .unwrap_or(self.stays + self.cleared)
    }

    /// All of it, or nothing.
    pub fn bounded(self, bound: Bound) -> Result<Deletions, Refused> {
        if self.names.is_empty() {
            return Ok(Deletions::default());
        }
        let within = |name: &str, dir: &str| name == dir || below(name, dir).is_some();
        for dir in &self.copals {
            if self.names.iter().any(|name| within(name, dir)) {
                return Err(Refused::Copals(dir.clone()));
            }
        }
        let would = self.would();
        if would > 0 && bound.is_blind() {
            return Err(Refused::Unaccounted { would });
        }
        let there = bound.counted(self.there());
        let allowed = bound.most.of(there);
        let is_again = there < self.there();
        let most = bound.most;
        match (would > allowed, is_again) {
            (false, _) => Ok(Deletions(self.names.into_iter().collect())),
            (true, false) => Err(Refused::TooMany {
                would,
                there,
                allowed,
                most,
            }),
            (true, true) => Err(Refused::StillTooMany {
                would,
                there,
                allowed,
                most,
            }),
        }
    }
}

impl Deletions {
    /// The names below the destination, sorted.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Leaves out what stays after all.
    pub fn retain(&mut self, mut goes: impl FnMut(&str) -> bool) {
        self.0.retain(|name| goes(name));
    }
}

#[cfg(test)]
#[path = "surplus_tests.rs"]
mod tests;
