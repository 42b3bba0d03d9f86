//! Above: another job's mirror, in whose folders this one would lie.

use std::fs;
use std::path::Path;

use copal_core::config::RemoteSpec;
use copal_core::manifest::{MANIFEST, Manifest};
use copal_core::mirror::{Map, shares_folders};

use super::apart::real;
use super::{PreflightError, Ready};
use crate::edges::Open;
use crate::step::mirror::MirrorError;
use crate::step::snapshots::Store;

/// So many directories above a folder of this machine are looked at.
const LEVELS_HERE: usize = 32;
/// The same at a remote, where each is charged or waited for.
const LEVELS_THERE: usize = 8;
/// A mirror that is none yet, and what is known of the place.
pub struct Above<'a> {
    /// The destination.
    pub destination: &'a RemoteSpec,
    /// What it answered.
    pub ready: &'a Ready,
    /// Which folders it is to have.
    pub map: &'a Map,
    /// The job's name.
    pub name: &'a str,
}

/// Whether no other job's mirror lies in a directory above that has the folders of this one in its own. Asked
/// before a first run alone: whoever has a mirror there already was asked then. How many of these directories a
/// remote was asked for.
pub fn check_above(asked: &Above<'_>, open: &Open<'_>) -> Result<u64, PreflightError> {
    for root in &asked.ready.abilities.local_roots {
        let place = real(root);
        for dir in place.ancestors().skip(1).take(LEVELS_HERE) {
            let below = place.strip_prefix(dir).unwrap_or(&place);
            if let Some(manifest) = manifest_in(dir) {
                let dir = dir.display().to_string();
                asked.check(&manifest, &dir, &below.to_string_lossy())?;
            }
        }
    }
    if !asked.ready.abilities.local_roots.is_empty() {
        return Ok(0);
    }
    let mut above = asked.destination.above();
    above.retain(|(dir, _)| !asked.ready.abilities.has_buckets || !dir.is_top());
    above.truncate(LEVELS_THERE);
    for (dir, below) in &above {
        let found = open(dir).map(|remote| Store::mirrored(&*remote));
        match found {
            Ok(Ok(Some(manifest))) => asked.check(&manifest, &dir.to_string(), below)?,
            Ok(Ok(None)) => {}
            // A key may be for what lies below alone.
            Ok(Err(error)) => tracing::info!("what `{dir}` has is not known: {error}"),
            Err(error) => tracing::info!("what `{dir}` has is not known: {error}"),
        }
    }
    Ok(above.len() as u64)
}

impl Above<'_> {
    fn check(&self, found: &Manifest, dir: &str, below: &str) -> Result<(), MirrorError> {
        let folders = self.map.folders();
        let places = folders.iter().map(|folder| format!("{below}/{folder}"));
        let places: Vec<String> = places.map(|it| it.trim_end_matches('/').into()).collect();
        if found.name == self.name || !shares_folders(found, &places) {
            return Ok(());
        }
        Err(MirrorError::Within {
            place: self.destination.to_string(),
            above: dir.to_owned(),
            name: found.name.clone(),
        })
    }
}

/// What can't be read is nobody's mirror, as far as anybody can tell.
fn manifest_in(dir: &Path) -> Option<Manifest> {
    let text = fs::read(dir.join(MANIFEST)).ok()?;
    let parsed = Manifest::parse(&text);
    let told = |error: &_| tracing::info!("`{}` has a manifest of no use: {error}", dir.display());
    parsed.inspect_err(told).ok()
}
