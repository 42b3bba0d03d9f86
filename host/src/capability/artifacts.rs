//! What hooks had made: staged files that stand in for live ones, and files that are new.

mod attempt;
mod facts;
mod put_off;
mod still;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use copal_core::manifest::{Attributes, Taken};
use copal_core::path::RelPath;
use copal_core::sqlite::sidecar_relations;

pub use self::put_off::NotFinished;
pub(super) use self::put_off::PutOff;
pub use self::still::Still;
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

/// Something that is in the snapshot and not in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// Its path in the snapshot.
    pub path: RelPath,
    /// Mode, owner, time.
    pub attributes: Attributes,
    /// Where the staged file lies; none for a directory.
    pub file: Option<PathBuf>,
}

/// Collects artifacts while hooks run.
#[derive(Debug)]
pub struct Artifacts {
    dir: PathBuf,
    given: AtomicU64,
    made: Mutex<Made>,
    left: put_off::List,
    facts: facts::Facts,
}

#[derive(Debug, Clone, Default)]
struct Made {
    stand_ins: Vec<Artifact>,
    added: Vec<Added>,
    moments: Vec<Still>,
}

impl Artifacts {
    /// Artifacts will be written into `dir`.
    pub fn in_dir(dir: PathBuf) -> Self {
        Self {
            dir,
            given: AtomicU64::new(0),
            made: Mutex::default(),
            left: put_off::List::default(),
            facts: facts::Facts::default(),
        }
    }

    /// Where the next artifact is to be written.
    pub fn next_file(&self) -> PathBuf {
        // Numbered, not named: the live name may be anything.
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        self.dir.join(format!("artifact-{number}"))
    }

    /// Where what `hook` writes for itself is kept.
    pub fn tree_of(&self, hook: &str) -> PathBuf {
        self.dir.join(format!("staging-of-{hook}"))
    }

    /// Adds one that stands in for something; a later one for the same path replaces the earlier.
    pub fn add(&self, artifact: Artifact) {
        let made = &mut self.made().stand_ins;
        made.retain(|other| other.stands_in_for != artifact.stands_in_for);
        made.push(artifact);
    }

    /// Adds what is new, unless another artifact is in its way: that one's path.
    pub fn add_new(&self, new: Added) -> Result<(), RelPath> {
        let mut made = self.made();
        if let Some(other) = made.in_the_way(&new.path, new.file.is_some()) {
            return Err(other);
        }
        made.added.push(new);
        Ok(())
    }

    /// The artifact that is in the way of a file or a directory that would be added.
    pub fn in_the_way(&self, path: &RelPath, is_file: bool) -> Option<RelPath> {
        self.made().in_the_way(path, is_file)
    }

    /// What is in the way of an archive at `archive` that would stand in for `directory`. An earlier
    /// archive of the same directory is not: it is replaced.
    pub fn in_the_way_of_archive(&self, directory: &RelPath, archive: &RelPath) -> Option<RelPath> {
        let made = self.made();
        let inside = made.added.iter().find(|new| new.path.is_within(directory));
        let inside = inside.map(|new| new.path.clone());
        inside.or_else(|| {
            let others = made.paths(|made| made.stands_in_for != *directory);
            clash(others, archive, true)
        })
    }

    /// The staged copy that stands in for the file at `path`.
    pub fn stand_in(&self, path: &RelPath) -> Option<PathBuf> {
        let made = self.made();
        let mut stand_ins = made.stand_ins.iter();
        stand_ins
            .find(|artifact| artifact.stands_in_for == *path)
            .map(|artifact| artifact.file.clone())
    }

    /// All that stand in for something, for the stage step.
    pub fn all(&self) -> Vec<Artifact> {
        self.made().stand_ins.clone()
    }

    /// All that is new, for the stage step.
    pub fn added(&self) -> Vec<Added> {
        self.made().added.clone()
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().expect("no holder of this lock panics")
    }
}

impl Made {
    fn in_the_way(&self, new: &RelPath, is_file: bool) -> Option<RelPath> {
        let mut archived = self.stand_ins.iter().filter(|made| {
            made.taken.archive_suffix().is_some() && new.is_within(&made.stands_in_for)
        });
        let archive = archived.next().map(Artifact::path);
        archive.or_else(|| clash(self.paths(|_| true), new, is_file))
    }

    /// The paths in the snapshot of all that is new and of the stand-ins that `which` says, each
    /// with whether it is a file.
    fn paths(&self, which: impl Fn(&Artifact) -> bool) -> impl Iterator<Item = (RelPath, bool)> {
        let stand_ins = self.stand_ins.iter().filter(move |made| which(made));
        let added = self.added.iter();
        let stand_ins = stand_ins.map(|made| (made.path(), true));
        stand_ins.chain(added.map(|made| (made.path.clone(), made.file.is_some())))
    }
}

/// The first of `others` that can't be in one tree with `new`.
fn clash(
    mut others: impl Iterator<Item = (RelPath, bool)>,
    new: &RelPath,
    is_file: bool,
) -> Option<RelPath> {
    let related: Vec<_> = sidecar_relations(new).collect();
    let clash = others.find(|(path, other_is_file)| {
        let same = path == new && (is_file || *other_is_file);
        let below_a_file = *other_is_file && new.is_within(path);
        let above_another = is_file && path.is_within(new);
        // SQLite would take the two together.
        let beside = is_file && *other_is_file && related.contains(path);
        same || below_a_file || above_another || beside
    });
    clash.map(|(path, _)| path)
}
