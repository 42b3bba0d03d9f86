//! How one snapshot goes: first it is none any more, then its files go, and last what says whose they were.
//!
//! Killed at any point, it is a sealed snapshot that lacks nothing, or none at all and marked as such, with
//! the list of what has still to go.

use std::time::Duration;

use copal_core::manifest::{AFTER_THE_SEAL, CLAIM, MANIFEST, Manifest, PIN, PRUNING, SUMS};
use copal_core::snapshot::SnapshotId;
use copal_core::units::ByteCount;

use super::PruneError;
use crate::edge::remote::Removal;
use crate::step::snapshots::Store;

/// What became of it.
pub(super) enum Gone {
    /// It is gone.
    Removed {
        /// What was freed.
        bytes: ByteCount,
        /// Files that are none of Copal's, and lie there still.
        others: u64,
    },
    /// It has to stay after all.
    Stays,
}

/// Removes a sealed snapshot.
pub(super) fn remove_sealed(store: &Store<'_>, id: SnapshotId) -> Result<Gone, PruneError> {
    let manifest = store.manifest(id).map_err(|error| error.of_manifest(id))?;
    store.refuse_links(id, names_of(&manifest).iter())?;
    store.put_beside(id, PRUNING, &manifest.to_json())?;
    // Whoever pins it puts down the pin first and looks for this mark then: one of both sees the other.
    if store.own_files(id)?.iter().any(|file| file.path == PIN) {
        store.take_away(id, PRUNING)?;
        return Ok(Gone::Stays);
    }
    store.take_away(id, MANIFEST)?;
    remove_listed(store, id, &manifest)
}

/// Ends what a prune that was interrupted had begun.
pub(super) fn end_pruning(store: &Store<'_>, id: SnapshotId) -> Result<Gone, PruneError> {
    let manifest = store.manifest_at(id, PRUNING)?;
    store.refuse_links(id, names_of(&manifest).iter())?;
    remove_listed(store, id, &manifest)
}

fn names_of(manifest: &Manifest) -> Vec<String> {
    manifest.files().map(|(stored, ..)| stored).collect()
}

fn remove_listed(
    store: &Store<'_>,
    id: SnapshotId,
    manifest: &Manifest,
) -> Result<Gone, PruneError> {
    let mut names = names_of(manifest);
    // Where a removed file is only hidden, this is still there.
    names.push(MANIFEST.to_owned());
    names.push(format!("{CLAIM}{}", manifest.run.id));
    let last = std::iter::once(SUMS).chain(AFTER_THE_SEAL);
    let last: Vec<String> = last.map(str::to_owned).collect();
    remove(store, id, &names, &last)
}

/// Removes what a run brought that died long ago. Its claim says that nobody else's files are there.
pub(super) fn remove_claimed(store: &Store<'_>, id: SnapshotId) -> Result<Gone, PruneError> {
    let dir = store.dir(id);
    store.refuse_links(id, std::iter::empty())?;
    store.remote().end_unfinished(&dir, Duration::ZERO)?;
    let listed = store.remote().files(&dir, false)?;
    store.refuse_links(id, listed.iter().map(|file| &file.path))?;
    let all = listed.into_iter().map(|file| file.path);
    let (claims, names): (Vec<_>, Vec<_>) = all.partition(|name| name.starts_with(CLAIM));
    if names.iter().any(|name| name == MANIFEST) {
        // It was alive after all, and is a snapshot now.
        return Ok(Gone::Stays);
    }
    remove(store, id, &names, &claims)
}

fn remove(
    store: &Store<'_>,
    id: SnapshotId,
    names: &[String],
    last: &[String],
) -> Result<Gone, PruneError> {
    let dir = store.dir(id);
    let removal = Removal {
        dir: &dir,
        names,
        last,
    };
    let removed = store.remote().remove(removal)?;
    if let Some((count, names, source)) = removed.failed {
        return Err(PruneError::NotRemoved {
            place: store.remote().shown(),
            dir,
            count,
            names,
            source: Box::new(source),
        });
    }
    if removed.left > 0 {
        let names = removed.left_names.join(", ");
        tracing::warn!(
            "`{dir}` has {} files that are none of Copal's: {names}",
            removed.left
        );
    }
    Ok(Gone::Removed {
        bytes: removed.bytes,
        others: removed.left,
    })
}
