//! Directories that are in the snapshot as they were at one moment, whatever the app does since.

use std::collections::BTreeMap;
use std::path::PathBuf;

use copal_core::manifest::Taken;
use copal_core::path::RelPath;

use super::{Artifact, Artifacts};
use crate::edge::walk::Found;

/// What was in a directory at a moment.
#[derive(Debug, Clone)]
pub struct Still {
    directory: RelPath,
    found: Vec<Found>,
}

impl Still {
    /// What a walk found, with what was there at these moments in place of what is there now.
    pub fn put_in_place(moments: &[Self], mut walked: Vec<Found>) -> Vec<Found> {
        if moments.is_empty() {
            return walked;
        }
        let is_now = |found: &Found| {
            let mut all = moments.iter();
            !all.any(|one| found.path.is_within(&one.directory))
        };
        // A filter may have left the whole directory out since; then it stays out.
        let is_there = |one: &&Self| walked.iter().any(|found| found.path == one.directory);
        let then: Vec<Found> = moments
            .iter()
            .filter(is_there)
            .flat_map(|one| one.found.iter().cloned())
            .collect();
        walked.retain(is_now);
        walked.extend(then);
        walked.sort_by(|a, b| a.path.cmp(&b.path));
        walked
    }
}

impl Artifacts {
    /// Has `directory` be in the snapshot as it was found, with these copies of its files.
    pub fn hold_still(
        &self,
        directory: &RelPath,
        found: Vec<Found>,
        files: &BTreeMap<RelPath, PathBuf>,
    ) {
        let mut made = self.made();
        // Copies of files, of an earlier moment.
        made.stand_ins.retain(|other| {
            other.taken != Taken::Direct || !other.stands_in_for.is_within(directory)
        });
        for (path, file) in files.iter().filter(|(path, _)| path.is_within(directory)) {
            made.stand_ins.push(Artifact {
                stands_in_for: path.clone(),
                file: file.clone(),
                taken: Taken::Direct,
                database: None,
            });
        }
        made.moments.retain(|other| other.directory != *directory);
        made.moments.push(Still {
            directory: directory.clone(),
            found,
        });
    }

    /// Whether it lies in a directory that is in the snapshot as it was.
    pub fn is_held_still(&self, path: &RelPath) -> bool {
        let made = self.made();
        made.moments
            .iter()
            .any(|one| path.is_within(&one.directory))
    }

    /// The directories that are in the snapshot as they were.
    pub fn moments(&self) -> Vec<Still> {
        self.made().moments.clone()
    }
}
