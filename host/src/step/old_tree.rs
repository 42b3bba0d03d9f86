//! The old tree of a restore in place: which one is meant, and how it is deleted.

mod failure;

use std::fs::File;
use std::io;
use std::path::Path;

use crate::edge::deletable::{Obstacle, first_not_deletable};
use crate::edge::in_use::{Kept, Work, user_of};
use crate::edge::mounts;
use crate::edge::old_trees::{OldTree, OldTrees, Size, Standing};
use crate::edge::scratch::remove_tree;
use crate::edge::sealed::sealed_below;
use crate::edge::tops::identity;

pub use failure::OldTreeError;

/// The old tree to be swapped back: the one that `run` kept, else the newest. If that is not there as it was
/// kept, an older one has to be meant.
pub fn to_undo(trees: &OldTrees, name: &str, run: Option<&str>) -> Result<OldTree, OldTreeError> {
    let tree = match run {
        Some(run) => named(trees, run)?,
        None => newest(trees)?.ok_or_else(|| OldTreeError::None(name.to_owned()))?,
    };
    match standing(&tree)? {
        Standing::Kept => Ok(tree),
        Standing::Half => Err(OldTreeError::Half {
            path: tree.path,
            run: tree.run,
        }),
        Standing::Other => Err(OldTreeError::Other(tree.path)),
        Standing::Gone => {
            let older = runs(&still_there(trees)?);
            Err(match run {
                None if older.is_empty() => OldTreeError::None(name.to_owned()),
                None => OldTreeError::Newer {
                    path: tree.path,
                    older,
                },
                Some(_) => OldTreeError::Gone(tree.path),
            })
        }
    }
}

/// The newest, wherever it is by now. What is live is no old tree, or not any more, nor is what was deleted.
fn newest(trees: &OldTrees) -> Result<Option<OldTree>, OldTreeError> {
    for tree in trees.all()? {
        if tree.discarded && standing(&tree)? == Standing::Gone {
            continue;
        }
        let is_live = tree.is_live().map_err(|source| OldTreeError::Unreadable {
            path: tree.live.clone(),
            source,
        })?;
        if !is_live {
            return Ok(Some(tree));
        }
    }
    Ok(None)
}

/// The old tree to be deleted: the one that `run` kept, else the only one that is there. It was looked at:
/// it is the directory that a restore kept, it is not live, nothing is mounted in it, nobody works in it, and all of
/// it can be deleted, since half a tree is none to go back to.
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
    // By its own name, as a restore has it.
    let named = live.canonicalize().unwrap_or_else(|_| live.to_owned());
    if named != tree.live {
        return Err(OldTreeError::Elsewhere {
            path: tree.path,
            was: tree.live,
            is: named,
        });
    }
    let unreadable = |source| OldTreeError::Unreadable {
        path: tree.path.clone(),
        source,
    };
    let real = tree.path.canonicalize().map_err(unreadable)?;
    if let Some(mounted) = mounts::at_or_below(&real).map_err(unreadable)?.pop() {
        return Err(OldTreeError::Mounted(mounted));
    }
    if let Some(backups) = sealed_below(&real).map_err(unreadable)? {
        return Err(OldTreeError::HoldsBackups(backups));
    }
    let kept = Kept {
        tree: &real,
        live: &tree.live,
    };
    if let Some(by) = user_of(kept, Work::Any).map_err(unreadable)? {
        return Err(OldTreeError::InUse { path: real, by });
    }
    match first_not_deletable(&real).map_err(unreadable)? {
        Some(Obstacle::NotYours(what)) => Err(OldTreeError::NotYours { path: real, what }),
        Some(Obstacle::Protected(what)) => Err(OldTreeError::Protected { path: real, what }),
        None => Ok(tree),
    }
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
    let looked = |path: &Path| identity(path).map_err(unreadable);
    let is_same = looked(&real)? == looked(&old)?;
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

#[cfg(test)]
#[path = "old_tree_tests.rs"]
mod tests;
