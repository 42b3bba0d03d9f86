//! The old tree of a restore in place: which one is meant, and how it is deleted.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::edge::mounts;
use crate::edge::old_trees::{OldTree, OldTrees, Size, Standing};
use crate::edge::scratch::remove_tree;

/// Why an old tree is not swapped back, or not deleted.
#[derive(Debug, thiserror::Error)]
pub enum OldTreeError {
    /// No restore in place has kept one that is still there.
    #[error("no restore of `{0}` in place has kept an old tree that is still there")]
    None(String),
    /// The run that was asked for has kept none.
    #[error("no old tree was kept by a run `{run}`")]
    Unknown {
        /// What was asked for.
        run: String,
        /// The runs that have.
        known: Vec<String>,
    },
    /// There are several, and one has to be meant.
    #[error("{} restores have kept an old tree each", .0.len())]
    Which(Vec<String>),
    /// It was swapped back, deleted or moved since.
    #[error("the old tree `{}` is gone", .0.display())]
    Gone(PathBuf),
    /// It is not what the restore kept.
    #[error("`{}` is not the directory that the restore kept", .0.display())]
    Other(PathBuf),
    /// Its deletion was begun.
    #[error("the old tree `{}` is not whole any more", .path.display())]
    Half {
        /// Where it lies.
        path: PathBuf,
        /// The run that kept it.
        run: String,
    },
    /// It was the tree of another source.
    #[error("the old tree `{}` was live at `{}`, and the source is `{}` now", .path.display(), .was.display(), .is.display())]
    Elsewhere {
        /// Where it lies.
        path: PathBuf,
        /// Where it was live.
        was: PathBuf,
        /// Where the source is.
        is: PathBuf,
    },
    /// There is no live tree, so that it may be the only one.
    #[error("nothing is at `{}`, and the old tree may be the only one", .0.display())]
    OnlyOne(PathBuf),
    /// It is the live tree, or has it in it.
    #[error("`{}` is live, or the live tree lies in it", .0.display())]
    Live(PathBuf),
    /// Something is mounted in it, whose content would be deleted, too.
    #[error("`{}` is mounted in the old tree", .0.display())]
    Mounted(PathBuf),
    /// A record can't be read or written.
    #[error("can't keep or read `{}`, the record of an old tree", .path.display())]
    Record {
        /// The record.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It can't be looked at.
    #[error("can't look at the old tree `{}`", .path.display())]
    Unreadable {
        /// It, or what is in it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It can't be deleted, or not all of it.
    #[error("can't delete all of the old tree `{}`", .path.display())]
    NotDeleted {
        /// Where it lies.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl OldTreeError {
    /// Why it is an error at all, for what has no cause below it.
    pub fn reason(&self) -> Option<&'static str> {
        Some(match self {
            Self::Which(_) => {
                "what is deleted is gone, so that the one that is meant has to be said"
            }
            Self::Gone(_) => "it was swapped back, deleted or moved since",
            Self::Other(_) => {
                "another directory has that name, or it was copied: its inode is another"
            }
            Self::Half { .. } => "its deletion was begun",
            Self::OnlyOne(_) => "what is deleted is gone",
            Self::Mounted(_) => "what is mounted there would be deleted with it",
            _ => return None,
        })
    }
}

impl From<(PathBuf, io::Error)> for OldTreeError {
    fn from((path, source): (PathBuf, io::Error)) -> Self {
        Self::Record { path, source }
    }
}

/// The old tree to be swapped back: the one that `run` kept, else the newest that is there.
pub fn to_undo(trees: &OldTrees, name: &str, run: Option<&str>) -> Result<OldTree, OldTreeError> {
    let tree = if let Some(run) = run {
        named(trees, run)?
    } else {
        let mut there = still_there(trees)?.into_iter();
        let newest = there.find(|tree| !tree.discarded);
        newest.ok_or_else(|| OldTreeError::None(name.to_owned()))?
    };
    match standing(&tree)? {
        Standing::Kept => Ok(tree),
        Standing::Half => Err(OldTreeError::Half {
            path: tree.path,
            run: tree.run,
        }),
        Standing::Gone => Err(OldTreeError::Gone(tree.path)),
        Standing::Other => Err(OldTreeError::Other(tree.path)),
    }
}

/// The old tree to be deleted: the one that `run` kept, else the only one that is there. It was looked at:
/// it is the directory that a restore kept, it is not live, and nothing is mounted in it.
pub fn to_discard(
    trees: &OldTrees,
    name: &str,
    live: &Path,
    run: Option<&str>,
) -> Result<OldTree, OldTreeError> {
    let tree = if let Some(run) = run {
        named(trees, run)?
    } else {
        let mut there = still_there(trees)?;
        if there.len() > 1 {
            return Err(OldTreeError::Which(runs(&there)));
        }
        let only = there.pop();
        only.ok_or_else(|| OldTreeError::None(name.to_owned()))?
    };
    match standing(&tree)? {
        Standing::Kept | Standing::Half => {}
        Standing::Gone => return Err(OldTreeError::Gone(tree.path)),
        Standing::Other => return Err(OldTreeError::Other(tree.path)),
    }
    for live in [live, &tree.live] {
        check_apart(&tree, live)?;
    }
    if let Some(mounted) = mounts::at_or_below(&tree.path).into_iter().next() {
        return Err(OldTreeError::Mounted(mounted));
    }
    Ok(tree)
}

/// Deletes an old tree that [`to_discard`] chose; how much that was. From the first file on it is no tree to
/// go back to, and its record says so before.
pub fn discard(trees: &OldTrees, mut tree: OldTree) -> Result<(OldTree, Size), OldTreeError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| OldTreeError::Unreadable { path, source }
    };
    let size = tree.size().map_err(unreadable(&tree.path))?;
    tree.discarded = true;
    trees.note(&tree)?;
    let failed = |source| OldTreeError::NotDeleted {
        path: tree.path.clone(),
        source,
    };
    remove_tree(&tree.path).map_err(failed)?;
    if let Some(parent) = tree.path.parent() {
        // Before its record goes.
        File::open(parent)
            .and_then(|parent| parent.sync_all())
            .map_err(failed)?;
    }
    trees.forget(&tree.run)?;
    Ok((tree, size))
}

/// An error unless there is a live tree that is another directory, and does not lie in the old one.
fn check_apart(tree: &OldTree, live: &Path) -> Result<(), OldTreeError> {
    let unreadable = |source| OldTreeError::Unreadable {
        path: live.to_owned(),
        source,
    };
    let real = match live.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(OldTreeError::OnlyOne(live.to_owned()));
        }
        other => other.map_err(unreadable)?,
    };
    let old = tree.path.canonicalize().map_err(unreadable)?;
    let is_same = fs::metadata(&real).map_err(unreadable)?.ino() == tree.inode
        && fs::metadata(&real).map_err(unreadable)?.dev()
            == fs::metadata(&old).map_err(unreadable)?.dev();
    if is_same || real.starts_with(&old) {
        return Err(OldTreeError::Live(tree.path.clone()));
    }
    Ok(())
}

fn named(trees: &OldTrees, run: &str) -> Result<OldTree, OldTreeError> {
    let all = trees.all()?;
    let known = || OldTreeError::Unknown {
        run: run.to_owned(),
        known: still_there(trees)
            .map(|there| runs(&there))
            .unwrap_or_default(),
    };
    all.iter()
        .find(|tree| tree.run == run)
        .cloned()
        .ok_or_else(known)
}

/// Those that are there, whole or half deleted, the newest first.
pub fn still_there(trees: &OldTrees) -> Result<Vec<OldTree>, OldTreeError> {
    let mut there = Vec::new();
    for tree in trees.all()? {
        if matches!(standing(&tree)?, Standing::Kept | Standing::Half) {
            there.push(tree);
        }
    }
    Ok(there)
}

fn standing(tree: &OldTree) -> Result<Standing, OldTreeError> {
    tree.standing().map_err(|source| OldTreeError::Unreadable {
        path: tree.path.clone(),
        source,
    })
}

fn runs(trees: &[OldTree]) -> Vec<String> {
    trees.iter().map(|tree| tree.run.clone()).collect()
}
