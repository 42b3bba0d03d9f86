//! The artifacts that hooks had made: staged files that stand in for live ones.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use copal_core::manifest::Taken;
use copal_core::path::RelPath;

use super::sqlite::Copied;

/// A staged file that stands in for a live file or directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// What it stands in for.
    pub stands_in_for: RelPath,
    /// Where the staged file lies.
    pub file: PathBuf,
    /// How it was made.
    pub taken: Taken,
    /// For a database, what its copy turned out to be.
    pub database: Option<Copied>,
}

impl Artifact {
    /// Its path in the snapshot: the live file's own, or the directory's with the archive's suffix.
    pub fn path(&self) -> RelPath {
        self.taken.archive_suffix().map_or_else(
            || self.stands_in_for.clone(),
            |suffix| self.stands_in_for.with_suffix(suffix),
        )
    }
}

/// Collects artifacts while hooks run.
#[derive(Debug)]
pub struct Artifacts {
    dir: PathBuf,
    given: AtomicU64,
    made: Mutex<Vec<Artifact>>,
}

impl Artifacts {
    /// Artifacts will be written into `dir`.
    pub fn in_dir(dir: PathBuf) -> Self {
        Self {
            dir,
            given: AtomicU64::new(0),
            made: Mutex::default(),
        }
    }

    /// Where the next artifact is to be written.
    pub fn next_file(&self) -> PathBuf {
        // Numbered, not named: the live name may be anything.
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        self.dir.join(format!("artifact-{number}"))
    }

    /// Adds one; a later artifact for the same path replaces the earlier.
    pub fn add(&self, artifact: Artifact) {
        let mut made = self.made.lock().expect("no holder of this lock panics");
        made.retain(|other| other.stands_in_for != artifact.stands_in_for);
        made.push(artifact);
    }

    /// The staged copy that stands in for the file at `path`.
    pub fn stand_in(&self, path: &RelPath) -> Option<PathBuf> {
        let made = self.made.lock().expect("no holder of this lock panics");
        made.iter()
            .find(|artifact| artifact.stands_in_for == *path)
            .map(|a| a.file.clone())
    }

    /// All of them, for the stage step.
    pub fn all(&self) -> Vec<Artifact> {
        self.made
            .lock()
            .expect("no holder of this lock panics")
            .clone()
    }
}
