//! What a mirror has and the source has not: what filters leave out stays, and the rest goes, or nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use copal_core::manifest::Attributes;
use copal_core::mirror::{Deletions, MaxDelete, Mirror, Surplus};
use copal_core::path::RelPath;
use copal_core::units::ByteCount;
use copal_hooks::Cancel;

use super::MirrorError;
use super::origin::{Origin, Present};
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
    /// What each of these is of.
    origins: HashMap<String, Origin>,
    sizes: HashMap<String, ByteCount>,
    /// The attributes of the source's top, which stand for those that the remote does not keep.
    like: Attributes,
}

impl Transferred<'_> {
    /// What the mirror has and the source has not. What came or changed there while the run went on, and
    /// what the app deleted meanwhile, is for the next one; what no path of the source can be told of stays.
    pub(in crate::step) fn left(&self) -> Option<Left> {
        let map = self.place.map()?;
        let mut surplus = self
            .ground(map)
            .surplus(&self.names_before(), &self.wanted());
        let vanished: HashSet<&RelPath> = self.vanished.iter().collect();
        let present = Present::of(&self.read.staged);
        let mut origins = HashMap::new();
        surplus.retain(|name| {
            let written = self.written.get(name).cloned();
            let Some(origin) = written.or_else(|| Origin::by_name(map, name)) else {
                return false;
            };
            let path = &origin.path;
            let goes = self.besides.contains(name) && !vanished.contains(path);
            let goes = goes && !present.has(path);
            origins.insert(name.to_owned(), origin);
            goes
        });
        let sizes = self.before.iter().map(|it| (it.path.clone(), it.size));
        Some(Left {
            surplus,
            origins,
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
    /// Whether it can't be told what the mirror was at its last run: then nothing is deleted, and that the
    /// manifest is damaged is told already.
    pub is_unlisted: bool,
    /// Asks for an end.
    pub interrupt: &'a Interrupt,
}

/// Deletes what the source does not have, as far as that is allowed. Everything else has arrived before:
/// whatever fails here leaves too much there, and is told.
pub fn delete_surplus(left: &Left, by: &Deleting<'_>) -> (Mirrored, Option<CopalError>) {
    let mut mirrored = Mirrored {
        surplus: left.surplus.count(),
        ..Mirrored::default()
    };
    let surplus = match left.without_filtered(by) {
        Ok(surplus) => surplus,
        Err(failed) => return (mirrored, Some(StageError::from(failed).into())),
    };
    mirrored.surplus = surplus.count();
    if by.is_unlisted {
        return (mirrored, None);
    }
    let deletions = match bounded(surplus, by) {
        Ok(deletions) => deletions,
        Err(error) => return (mirrored, Some(error.into())),
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

fn bounded(surplus: Surplus, by: &Deleting<'_>) -> Result<Deletions, MirrorError> {
    let most = match by.mirror.max_delete {
        MaxDelete::Share(_) if by.accept_missing => MaxDelete::Share(100),
        most => most,
    };
    let place = by.remote.shown();
    let refused = |source| MirrorError::Kept { place, source };
    surplus.bounded(most).map_err(refused)
}

impl Left {
    /// Without what the filters would leave out of the source if it were there.
    fn without_filtered(&self, by: &Deleting<'_>) -> Result<Surplus, FilterFailed> {
        let mut surplus = self.surplus.clone();
        if surplus.count() == 0 {
            return Ok(surplus);
        }
        // Directories come before what is in them.
        let mut asked: BTreeMap<&RelPath, FoundKind> = BTreeMap::new();
        let mut sizes: HashMap<&RelPath, ByteCount> = HashMap::new();
        let above: Vec<RelPath> = self
            .surplus
            .names()
            .filter_map(|name| self.origins.get(name))
            .flat_map(|origin| origin.path.ancestors())
            .collect();
        for path in &above {
            asked.insert(path, FoundKind::Directory);
        }
        for name in self.surplus.names() {
            let Some(origin) = self.origins.get(name) else {
                continue;
            };
            let size = self.sizes.get(name).copied().unwrap_or_default();
            sizes.insert(&origin.path, size);
            let kind = || origin.kind.clone();
            asked.entry(&origin.path).or_insert_with(kind);
        }
        let found = |(path, kind): (&RelPath, FoundKind)| {
            let size = sizes.get(path).filter(|_| kind == FoundKind::File);
            self.found(path.clone(), size.copied().unwrap_or_default(), kind)
        };
        let asked: Vec<Found> = asked.into_iter().map(found).collect();
        let mut filters = Filters::start(by.hooks, &Cancel::from(by.interrupt.flag()))?;
        let answers = filters.decide(&asked)?;
        let answers: HashMap<&RelPath, Keep> =
            asked.iter().map(|found| &found.path).zip(answers).collect();
        surplus.retain(|name| {
            let nothing_below = |above| answers.get(&above) == Some(&Keep::NothingBelow);
            self.origins.get(name).is_some_and(|Origin { path, .. }| {
                answers.get(path) == Some(&Keep::Yes) && !path.ancestors().any(nothing_below)
            })
        });
        Ok(surplus)
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
