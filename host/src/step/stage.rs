//! Stage: everything that belongs to the snapshot, with its name on the remote and where its content
//! lies. Nothing is read here: services may be held.

mod error;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use copal_core::manifest::{Attributes, COPAL_DIR, Entry, EntryKind, Taken};
use copal_core::path::RelPath;
use copal_core::staging::Way;
use copal_core::stored::{NameLimit, StoredNames};
use jiff::Timestamp;

pub use self::error::StageError;
pub(super) use self::error::{gone_or, in_staging};
use super::files::{Lies, MadeFile, Unread};
use super::freeze::Freezer;
use super::naming::name_all;
use crate::capability::artifacts::{Added, Artifact, Artifacts, Still};
use crate::capability::sqlite;
use crate::edge::frozen::FrozenDir;
use crate::edge::interrupt::Interrupt;
use crate::edge::staging::StagingDir;
use crate::edge::top::{self, Top};
use crate::edge::tops::Tops;
use crate::edge::walk::{Filter, Found, FoundKind, Walked, walk};
use crate::filters::FilterFailed;

/// Everything that belongs to the snapshot.
#[derive(Debug)]
pub struct Staged {
    /// Holds the artifacts; gone when this is dropped.
    pub staging: StagingDir,
    /// What hooks had made: what is left of it to be done, and what they found out.
    pub made: Arc<Artifacts>,
    /// The live tree.
    pub source: Top,
    /// What has to be as it was, so that what is not there was deleted by the app.
    pub(super) tops: Tops,
    /// Files that the app deleted since the walk.
    pub(super) vanished: Vec<RelPath>,
    /// What the filters left out; `true` for a directory that was never entered.
    pub(super) left_out: Vec<(RelPath, bool)>,
    /// Attributes of the tree's top.
    pub root: Attributes,
    /// Directories and symbolic links.
    pub others: Vec<Entry>,
    /// The files.
    pub files: Vec<Unread>,
    /// Sockets, pipes and devices: not data, and left out.
    pub specials: Vec<RelPath>,
    /// Directories that an archive stands in for.
    pub archived: HashSet<RelPath>,
    /// Databases that a copy stands in for.
    pub databases: HashSet<RelPath>,
    /// The names given on the remote.
    pub names: StoredNames,
    /// How the files were kept as they were.
    pub way: Way,
    /// Where they were; removed when this is dropped.
    pub frozen: Option<FrozenDir>,
    /// When the walk ended: what the app wrote later need not be in the snapshot.
    pub at: Timestamp,
}

/// What staging needs to know.
pub struct Staging<'a, F> {
    /// The live tree.
    pub source: &'a Top,
    /// Directories never entered: Copal's own.
    pub never: &'a [PathBuf],
    /// What belongs to the snapshot.
    pub filter: &'a mut F,
    /// What hooks made in place of something.
    pub artifacts: Vec<Artifact>,
    /// What hooks made besides.
    pub added: Vec<Added>,
    /// All that they made.
    pub made: Arc<Artifacts>,
    /// How long a name the destinations take.
    pub names: NameLimit,
    /// Keeps the files as they are now, where that is to be done.
    pub freezer: Option<Freezer>,
    /// The clock.
    pub now: &'a dyn Fn() -> Timestamp,
    /// Asks for an end.
    pub interrupt: &'a Interrupt,
}

/// Walks the source, and gives everything that belongs to the snapshot its place.
pub fn stage<F>(staging_dir: StagingDir, mut ask: Staging<'_, F>) -> Result<Staged, StageError>
where
    F: Filter<Error = FilterFailed>,
{
    let walked = walk(ask.source, ask.never, ask.filter, ask.interrupt)?;
    let tops = Tops::of(ask.source, walked.top, &walked.kept);
    let vanished = not_entered(&walked);
    let kept = Still::put_in_place(&ask.made.moments(), walked.kept);
    let metadata = top::metadata(ask.source).map_err(|source| StageError::Unreadable {
        path: ask.source.to_path_buf(),
        source,
    })?;
    let mut staged = Staged {
        staging: staging_dir,
        made: Arc::clone(&ask.made),
        source: ask.source.clone(),
        tops,
        vanished,
        left_out: walked.left_out,
        root: crate::edge::stat::attributes(&metadata),
        others: Vec::new(),
        files: Vec::new(),
        specials: Vec::new(),
        archived: HashSet::new(),
        databases: HashSet::new(),
        names: StoredNames::within(ask.names),
        way: Way::Direct,
        frozen: None,
        at: (ask.now)(),
    };
    let artifacts = std::mem::take(&mut ask.artifacts);
    let mut stand_ins: HashMap<RelPath, Artifact> = artifacts
        .into_iter()
        .map(|artifact| (artifact.stands_in_for.clone(), artifact))
        .collect();
    let present: HashSet<RelPath> = kept.iter().map(|found| found.path.clone()).collect();
    let mut sources = staged.sort_out(kept, &mut stand_ins);
    if let Some(lost) = stand_ins.into_keys().next() {
        return Err(StageError::Vanished(lost));
    }
    sources.extend(staged.add(ask.added, &present)?);
    staged.refuse_doubles(&sources)?;
    staged.files = staged.name(sources);
    if let Some(freezer) = ask.freezer {
        freezer.freeze(&mut staged, ask.interrupt)?;
        staged.at = (ask.now)();
    }
    // Also whoever walked what is no longer there, and found nothing.
    staged.tops.check()?;
    Ok(staged)
}

/// Directories that were there when what they lie in was listed, and gone when they were to be: nobody knows what was
/// in them, or whether it still is somewhere.
fn not_entered(walked: &Walked) -> Vec<RelPath> {
    let is_directory = |found: &&Found| found.kind == FoundKind::Directory;
    let directories = walked.kept.iter().filter(is_directory);
    let directories: HashSet<&RelPath> = directories.map(|found| &found.path).collect();
    let vanished = walked.vanished.iter();
    vanished
        .filter(|path| directories.contains(path))
        .cloned()
        .collect()
}

/// A file to be staged, before it has its name on the remote.
pub(super) struct Unnamed {
    pub(super) path: RelPath,
    pub(super) attributes: Attributes,
    pub(super) lies: Lies,
}

impl Unnamed {
    fn named(self, stored: String) -> Unread {
        Unread {
            path: self.path,
            attributes: self.attributes,
            stored,
            lies: self.lies,
        }
    }
}

impl Staged {
    /// Divides what was found into what lives in the manifest alone and what has content.
    fn sort_out(
        &mut self,
        kept: Vec<Found>,
        stand_ins: &mut HashMap<RelPath, Artifact>,
    ) -> Vec<Unnamed> {
        let standing_in = |is: fn(Taken) -> bool| -> HashSet<RelPath> {
            let those = stand_ins.values().filter(|artifact| is(artifact.taken));
            those
                .map(|artifact| artifact.stands_in_for.clone())
                .collect()
        };
        self.archived = standing_in(|taken| taken.archive_suffix().is_some());
        self.databases = standing_in(|taken| taken == Taken::SqliteBackup);
        let mut sources = Vec::new();
        for found in kept {
            if self.is_archived(&found.path) {
                // Its artifact, if it has one, is in the archive.
                stand_ins.remove(&found.path);
                continue;
            }
            if self.is_sidecar(&found.path) {
                continue;
            }
            let Found {
                path,
                attributes,
                version,
                kind,
            } = found;
            if let Some(artifact) = stand_ins.remove(&path) {
                sources.push(Unnamed {
                    path: artifact.path(),
                    attributes,
                    lies: Lies::Made(MadeFile::in_place_of(artifact)),
                });
                continue;
            }
            let kind = match kind {
                FoundKind::File => {
                    sources.push(Unnamed {
                        path,
                        attributes,
                        lies: Lies::Live(version),
                    });
                    continue;
                }
                FoundKind::Special(_) => {
                    self.specials.push(path);
                    continue;
                }
                FoundKind::Directory => EntryKind::Directory,
                FoundKind::Symlink(target) => EntryKind::Symlink {
                    target: copal_core::path::encode_bytes(&target),
                },
            };
            self.others.push(Entry {
                path,
                attributes,
                kind,
            });
        }
        sources
    }

    pub(super) fn is_archived(&self, path: &RelPath) -> bool {
        !self.archived.is_empty() && path.ancestors().any(|above| self.archived.contains(&above))
    }

    fn is_sidecar(&self, path: &RelPath) -> bool {
        sqlite::is_sidecar(path, |main| self.databases.contains(main))
    }

    /// Whether an artifact stands in for it, or it is what a copied database has no use for.
    pub(super) fn stands_in_for(&self, path: &RelPath) -> bool {
        self.databases.contains(path)
            || self.archived.contains(path)
            || self.is_archived(path)
            || self.is_sidecar(path)
            || self.made.is_held_still(path)
    }

    /// Two things at one path would share one object on the remote, and one of them be lost: the
    /// source may have got a file where a hook had put an archive.
    fn refuse_doubles(&self, sources: &[Unnamed]) -> Result<(), StageError> {
        let mut taken: HashSet<&RelPath> = self.others.iter().map(|entry| &entry.path).collect();
        let double = sources.iter().find(|source| !taken.insert(&source.path));
        double.map_or(Ok(()), |source| {
            Err(StageError::InTheWay(source.path.clone()))
        })
    }

    /// Gives each file its name on the remote.
    fn name(&mut self, sources: Vec<Unnamed>) -> Vec<Unread> {
        let others = self.others.iter();
        let directories = others.filter(|entry| entry.kind == EntryKind::Directory);
        let paths: Vec<&RelPath> = sources.iter().map(|unnamed| &unnamed.path).collect();
        let directories = directories.map(|entry| &entry.path);
        let stored = name_all(&mut self.names, directories, &paths);
        let named = sources.into_iter().zip(stored);
        named.map(|(source, stored)| source.named(stored)).collect()
    }
}

/// Whether the source has a top-level name that snapshots need for themselves.
pub fn uses_reserved_name(found: &[Found]) -> bool {
    found
        .iter()
        .any(|found| found.path.as_bytes() == COPAL_DIR.as_bytes())
}
