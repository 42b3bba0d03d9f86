//! What a mirror has and the source has not: what filters leave out stays, and the rest goes, or nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use copal_core::manifest::Attributes;
use copal_core::mirror::{Deletions, Map, MaxDelete, Mirror, Surplus};
use copal_core::path::RelPath;
use copal_core::units::ByteCount;
use copal_hooks::Cancel;

use super::MirrorError;
use crate::edge::interrupt::Interrupt;
use crate::edge::remote::{Remote, RemoteError};
use crate::edge::stat::Version;
use crate::edge::walk::{Filter, Found, FoundKind, Keep};
use crate::error::CopalError;
use crate::filters::{FilterFailed, Filters};
use crate::hooks::Hooks;
use crate::outcome::Mirrored;
use crate::step::stage::StageError;
use crate::step::transfer::Transferred;

/// What a run leaves over at a mirror, with the sizes.
#[derive(Debug)]
pub struct Left {
    surplus: Surplus,
    sizes: HashMap<String, ByteCount>,
    /// The attributes of the source's top, which stand for those that the remote does not keep.
    like: Attributes,
}

impl Transferred<'_> {
    /// What the mirror has and the source has not. What came there while the run went on, and what the app
    /// deleted meanwhile, is for the next one.
    pub(in crate::step) fn left(&self) -> Option<Left> {
        let map = self.place.map()?;
        let mut surplus = self
            .ground(map)
            .surplus(&self.names_before(), &self.wanted());
        let vanished: HashSet<&RelPath> = self.vanished.iter().collect();
        surplus.retain(|name| {
            let source = map.source_of(name);
            let is_deleted_now = source.is_some_and(|path| vanished.contains(&path));
            self.besides.contains(name) && !is_deleted_now
        });
        let sizes = self.before.iter().map(|it| (it.path.clone(), it.size));
        Some(Left {
            surplus,
            sizes: sizes.collect(),
            like: self.read.staged.root,
        })
    }
}

/// With what it is deleted.
pub struct Deleting<'a> {
    /// The destination.
    pub remote: &'a dyn Remote,
    /// The mirror.
    pub mirror: &'a Mirror,
    /// The filters: what they leave out stays.
    pub hooks: &'a Hooks,
    /// Whether the owner said that files may be gone.
    pub accept_missing: bool,
    /// Asks for an end.
    pub interrupt: &'a Interrupt,
}

/// Deletes what the source does not have, as far as that is allowed. Everything else has arrived before:
/// whatever fails here leaves too much there, and is told.
pub fn delete_surplus(left: &Left, by: &Deleting<'_>) -> (Mirrored, Option<CopalError>) {
    let mut mirrored = Mirrored {
        surplus: left.surplus.names().count() as u64,
        ..Mirrored::default()
    };
    let deletions = match decide(left, by) {
        Ok(deletions) => deletions,
        Err(error) => return (mirrored, Some(error)),
    };
    mirrored.surplus = 0;
    for (at, name) in deletions.names().iter().enumerate() {
        let deleted = by.interrupt.check().map_err(RemoteError::from);
        if let Err(source) = deleted.and_then(|()| by.remote.delete(name)) {
            let left = deletions.names().len() - at;
            mirrored.surplus = left as u64;
            let error = MirrorError::NotDeleted {
                place: by.remote.shown(),
                left,
                source: Box::new(source),
            };
            return (mirrored, Some(error.into()));
        }
        mirrored.deleted += 1;
    }
    (mirrored, None)
}

fn decide(left: &Left, by: &Deleting<'_>) -> Result<Deletions, CopalError> {
    let mut surplus = left.surplus.clone();
    if surplus.names().next().is_some() {
        let stays = left
            .left_out(&by.mirror.map, by)
            .map_err(StageError::from)?;
        surplus.retain(|name| !stays.contains(name));
    }
    let most = match by.mirror.max_delete {
        MaxDelete::Share(_) if by.accept_missing => MaxDelete::Share(100),
        most => most,
    };
    let place = by.remote.shown();
    let refused = |source| MirrorError::Kept { place, source };
    Ok(surplus.bounded(most).map_err(refused)?)
}

impl Left {
    /// What the filters would leave out of the source if it were there.
    fn left_out(&self, map: &Map, by: &Deleting<'_>) -> Result<HashSet<String>, FilterFailed> {
        let names = self.surplus.names();
        let paths: HashMap<&str, RelPath> = names
            .filter_map(|name| Some((name, map.source_of(name)?)))
            .collect();
        // Directories come before what is in them.
        let mut asked: BTreeMap<RelPath, Found> = BTreeMap::new();
        for (name, path) in &paths {
            let size = self.sizes.get(*name).copied().unwrap_or_default();
            for above in path.ancestors() {
                let found = self.found(above.clone(), ByteCount::ZERO, FoundKind::Directory);
                asked.insert(above, found);
            }
            let found = self.found(path.clone(), size, FoundKind::File);
            asked.entry(path.clone()).or_insert(found);
        }
        let asked: Vec<Found> = asked.into_values().collect();
        let mut filters = Filters::start(by.hooks, &Cancel::from(by.interrupt.flag()))?;
        let answers = filters.decide(&asked)?;
        let answers: HashMap<&RelPath, Keep> =
            asked.iter().map(|found| &found.path).zip(answers).collect();
        let is_left_out = |path: &RelPath| {
            let nothing_below = |above| answers.get(&above) == Some(&Keep::NothingBelow);
            answers.get(path) != Some(&Keep::Yes) || path.ancestors().any(nothing_below)
        };
        let stays = paths.iter().filter(|(_, path)| is_left_out(path));
        Ok(stays.map(|(name, _)| (*name).to_owned()).collect())
    }

    /// As if it were in the source. Of its time nothing is known; a filter by age takes it for very old.
    fn found(&self, path: RelPath, size: ByteCount, kind: FoundKind) -> Found {
        let mtime = jiff::Timestamp::UNIX_EPOCH;
        Found {
            path,
            attributes: Attributes { mtime, ..self.like },
            version: Version::elsewhere(size),
            kind,
        }
    }
}
