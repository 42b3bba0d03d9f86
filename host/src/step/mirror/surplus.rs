//! What a mirror has and the source has not: what filters leave out stays, and the rest goes, or nothing.

mod foreseen;

use std::collections::{BTreeMap, HashMap, HashSet};

use copal_core::manifest::Attributes;
use copal_core::mirror::{Map, Surplus};
use copal_core::path::RelPath;
use copal_core::units::ByteCount;
use copal_hooks::Cancel;

use super::decide::Deleting;
use super::origin::{Origin, Present};
use crate::edge::remote::Listed;
use crate::edge::stat::Version;
use crate::edge::walk::{Filter, Found, FoundKind, Keep};
use crate::filters::{FilterFailed, Filters};
use crate::step::transfer::Transferred;

pub use foreseen::{Foreseeing, foresee};

/// What a run leaves over at a mirror, with the sizes.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) surplus: Surplus,
    /// What each of these is of.
    pub(super) origins: HashMap<String, Origin>,
    sizes: HashMap<String, ByteCount>,
    /// The attributes of the source's top, which stand for those that the remote does not keep.
    like: Attributes,
}

impl Transferred<'_> {
    /// What the mirror has and the source has not, of what `is_as_before`. What the app deleted meanwhile is
    /// for the next run; what no path of the source can be told of stays.
    pub(super) fn left(
        &self,
        by: &Deleting<'_>,
        is_as_before: impl Fn(&str) -> bool,
    ) -> Option<Left> {
        let map = self.place.map()?;
        let was_put = |name: &str| by.counts_all() || self.written.contains_key(name);
        let there = self.names_before();
        let surplus = self
            .ground(map)
            .surplus(&there, &self.wanted(), was_put)
            .and_cleared(self.cleared);
        let vanished: HashSet<&RelPath> = self.vanished.iter().collect();
        let present = Present::of(&self.read.staged);
        let known = Known {
            map,
            written: &self.written,
            before: &self.before,
            like: self.read.staged.root,
        };
        Some(known.left(surplus, |name, Origin { path, .. }| {
            is_as_before(name) && !vanished.contains(path) && !present.has(path)
        }))
    }
}

/// What is known of a mirror and of what it follows.
struct Known<'a> {
    map: &'a Map,
    /// What each file of the last run is of.
    written: &'a HashMap<String, Origin>,
    /// What was there before this run.
    before: &'a [Listed],
    /// The attributes of the source's top.
    like: Attributes,
}

impl Known<'_> {
    /// What of the surplus goes. What no path of the source can be told of stays.
    fn left(&self, mut surplus: Surplus, goes: impl Fn(&str, &Origin) -> bool) -> Left {
        let mut origins = HashMap::new();
        surplus.retain(|name| {
            let written = self.written.get(name).cloned();
            let Some(origin) = written.or_else(|| Origin::by_name(self.map, name)) else {
                return false;
            };
            let goes = goes(name, &origin);
            origins.insert(name.to_owned(), origin);
            goes
        });
        let sizes = self.before.iter().map(|it| (it.path.clone(), it.size));
        Left {
            surplus,
            origins,
            sizes: sizes.collect(),
            like: self.like,
        }
    }
}

impl Left {
    /// Without what the filters would leave out of the source if it were there.
    pub(super) fn without_filtered(&self, by: &Deleting<'_>) -> Result<Surplus, FilterFailed> {
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
