//! The versions that hooks find in the live tree before a restore in place, against those of the snapshot. An app
//! takes older data along, and does not read that of a later version of itself.

use copal_core::manifest::{Facts, Manifest};
use copal_core::snapshot::SnapshotId;

use super::snapshots::{Store, StoreError};

/// The app may be older than what would be put in its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{snapshot} has `{key}` {sealed}, and the source has {live}")]
pub struct OtherSchema {
    /// The snapshot.
    pub snapshot: SnapshotId,
    /// The hook that recorded both.
    pub hook: String,
    /// The key of the fact.
    pub key: String,
    /// What the snapshot has.
    pub sealed: String,
    /// What the source has.
    pub live: String,
}

/// Each fact that a hook recorded of what is live, and that is not known to be of a later version than what
/// the snapshot has under that key: a later snapshot has it. What the manifest does not have is not compared, and a
/// later one that is damaged, or of a later version of Copal, tells nothing.
///
/// # Errors
/// Where later snapshots can't be asked for.
pub fn not_older(
    store: &Store<'_>,
    manifest: &Manifest,
    live: &Facts,
) -> Result<Vec<OtherSchema>, StoreError> {
    let mut others = different(manifest, live);
    if others.is_empty() {
        return Ok(others);
    }
    let started = store.started()?.into_iter();
    let later = started.filter(|id| *id > manifest.id).collect();
    for id in store.sealed_from_newest_of(later) {
        let later = match store.manifest(id?) {
            Err(error @ StoreError::Manifest { .. }) => {
                tracing::warn!("{error}: it can't tell which versions are older");
                continue;
            }
            later => later?,
        };
        others.retain(|other| fact(&later.facts, &other.hook, &other.key) != Some(&other.live));
        if others.is_empty() {
            break;
        }
    }
    Ok(others)
}

fn different(manifest: &Manifest, live: &Facts) -> Vec<OtherSchema> {
    let all = live
        .iter()
        .flat_map(|(hook, facts)| facts.iter().map(move |(key, value)| (hook, key, value)));
    all.filter_map(|(hook, key, value)| {
        let sealed = fact(&manifest.facts, hook, key)?;
        (sealed != value).then(|| OtherSchema {
            snapshot: manifest.id,
            hook: hook.clone(),
            key: key.clone(),
            sealed: sealed.clone(),
            live: value.clone(),
        })
    })
    .collect()
}

fn fact<'a>(facts: &'a Facts, hook: &str, key: &str) -> Option<&'a String> {
    facts.get(hook)?.get(key)
}
