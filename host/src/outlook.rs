//! What a run will come to at each destination, as far as that can be told beforehand: from the history,
//! which is here, or from what the destinations answer.

use std::collections::{BTreeMap, HashMap, HashSet};

use copal_core::config::Layout;
use copal_core::forecast::{
    Expected, Forecast, Last, MirrorShape, Part, Shape, Terms, forecast, mirror_forecast,
};
use copal_core::mirror::Map;
use copal_core::path::RelPath;
use copal_core::snapshot::SnapshotId;
use copal_core::stored::NameLimit;
use jiff::Timestamp;

use crate::edge::history::{History, Whose};
use crate::edge::state::StateDir;
use crate::edge::walk::{Found, FoundKind};
use crate::job::{Job, Place};
use crate::record::{Record, SnapshotRecord};
use crate::step::deliver::Reached;
use crate::step::naming::planned;
use crate::step::plan::{Plan, PlannedDatabase};

/// What a run will come to at one destination.
#[derive(Debug)]
pub struct Outlook {
    /// The destination's name, secrets masked.
    pub destination: String,
    /// What it goes by.
    pub basis: Basis,
    /// Whether it is a mirror, in which what did not change stays as it is.
    pub is_mirror: bool,
    /// How many files would be deleted there, where that is known and would be done.
    pub deletions: Option<u64>,
    /// Whether the destination copies its own files, where that is known.
    pub copies: Option<bool>,
    /// Whether it has hard links instead.
    pub links: bool,
    /// It.
    pub forecast: Forecast,
}

/// What an outlook goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// What the destination answered: its last snapshot, if there is one.
    Answer(Option<SnapshotId>),
    /// The last snapshot there that the history knows of.
    History(SnapshotId),
    /// Nothing: it is as if there were no snapshot.
    Nothing,
}

/// By the history alone. No destination is asked.
pub fn by_history(job: &Job, plan: &Plan, state: &StateDir, now: Timestamp) -> Vec<Outlook> {
    let looks = Looks::of(plan);
    let outlook = |place: Place, layout: &Layout| {
        let known = known(job, state, &place);
        let last = known.as_ref().map(|(started, snapshot)| Last::Record {
            id: snapshot.id,
            started: *started,
            files: snapshot.files,
        });
        let terms = known.as_ref().and_then(|(_, it)| it.terms.clone());
        let copies = terms.as_ref().map(|terms| terms.copies);
        let terms = terms.unwrap_or_default();
        let links = terms.links;
        let there = There {
            last,
            terms,
            names: NameLimit::default(),
            above: 0,
            deletions: None,
        };
        Outlook {
            forecast: looks.forecast(layout, &there, SnapshotId::at(now)),
            basis: known.map_or(Basis::Nothing, |(_, it)| Basis::History(it.id)),
            is_mirror: place.is_mirror,
            deletions: None,
            destination: place.shown,
            copies,
            links,
        }
    };
    let places = job.places().into_iter().zip(job.config.destinations());
    places
        .map(|(place, configured)| outlook(place, &configured.layout))
        .collect()
}

/// When the last run began that made a snapshot there, and what is kept of it.
fn known(job: &Job, state: &StateDir, place: &Place) -> Option<(Timestamp, SnapshotRecord)> {
    let record: Option<Record> = History::of(state)
        .last_at(job.name(), place.asked(), Whose::Any)
        .unwrap_or_else(|error| {
            tracing::warn!("what the last run sent is not known: {error}");
            None
        });
    let record = record?;
    let there = place.find(&record.snapshots)?.clone();
    Some((record.started, there))
}

/// By what the destinations answered. Those that did not have none. Of mirrors it is known by now how many
/// files would be deleted.
pub fn by_answers(
    plan: &Plan,
    reached: &[Reached],
    deletions: &BTreeMap<String, u64>,
    now: Timestamp,
) -> Vec<Outlook> {
    let looks = Looks::of(plan);
    let outlook = |one: &Reached| {
        let ready = one.ready.as_ref().ok()?;
        let last = ready.last.as_ref();
        let deletions = deletions.get(&one.shown).copied();
        let there = There {
            last: last.map(Last::Manifest),
            terms: ready.terms.clone(),
            names: ready.abilities.names,
            above: ready.above,
            deletions,
        };
        Some(Outlook {
            destination: one.shown.clone(),
            basis: Basis::Answer(last.map(|last| last.id)),
            copies: Some(ready.terms.copies),
            links: ready.terms.links,
            is_mirror: matches!(one.layout, Layout::Mirror(_)),
            deletions,
            forecast: looks.forecast(&one.layout, &there, SnapshotId::at(now)),
        })
    };
    reached.iter().filter_map(outlook).collect()
}

/// What a destination has, and what it takes.
struct There<'a> {
    last: Option<Last<'a>>,
    terms: Terms,
    names: NameLimit,
    above: u64,
    deletions: Option<u64>,
}

/// What a plan shows of what will be sent, apart from what hooks add and archives stand in for.
struct Looks<'a> {
    plan: &'a Plan,
    databases: HashMap<&'a RelPath, &'a PlannedDatabase>,
    /// When the logs of databases were changed.
    logged: HashMap<&'a RelPath, Timestamp>,
}

impl<'a> Looks<'a> {
    fn of(plan: &'a Plan) -> Self {
        let databases = plan.databases.iter();
        let logs: HashSet<RelPath> = databases
            .clone()
            .map(|database| database.path.with_suffix("-wal"))
            .collect();
        let kept = plan.walked.kept.iter();
        Self {
            plan,
            databases: databases.map(|it| (&it.path, it)).collect(),
            logged: kept
                .filter(|found| logs.contains(&found.path))
                .map(|found| (&found.path, found.attributes.mtime))
                .collect(),
        }
    }

    fn expected(&self, found: &'a Found) -> Expected<'a> {
        let (size, changed) = (found.version.size(), found.attributes.mtime);
        let file = Expected {
            path: &found.path,
            size,
            changed,
            made: false,
        };
        match self.databases.get(&found.path) {
            Some(database) if !database.live => Expected {
                size: database.copy,
                changed: self
                    .logged
                    .get(&found.path.with_suffix("-wal"))
                    .map_or(changed, |log| changed.max(*log)),
                made: true,
                ..file
            },
            Some(_) | None => file,
        }
    }

    fn forecast(&self, layout: &Layout, there: &There<'_>, today: SnapshotId) -> Forecast {
        match layout {
            Layout::Snapshots => {
                let shape = Shape {
                    files: self.plan.all_files().map(|it| self.expected(it)).collect(),
                    others: self.others(|_| true),
                };
                forecast(&shape, there.last, &there.terms, today)
            }
            Layout::Mirror(mirror) => self.mirrored(&mirror.map, there, today),
        }
    }

    fn mirrored(&self, map: &Map, there: &There<'_>, today: SnapshotId) -> Forecast {
        let named = planned(self.plan, there.names);
        let placed = named.iter().filter_map(|(found, stored)| {
            let placed = map.place(&found.path, stored, None)?;
            let below = RelPath::new(placed.name).ok()?;
            Some((placed.folder, below, self.expected(found)))
        });
        let placed: Vec<_> = placed.collect();
        let part = |folder| {
            let of_folder = placed.iter().filter(|(its, ..)| *its == folder);
            let files = of_folder.map(|(_, path, file)| Expected { path, ..*file });
            Part {
                folder,
                files: files.collect(),
            }
        };
        let shape = MirrorShape {
            parts: map.folders().into_iter().map(part).collect(),
            others: self.others(|path| map.leads_through(path)),
            deletions: there.deletions.unwrap_or_default(),
            above: there.above,
        };
        mirror_forecast(&shape, there.last, &there.terms, today)
    }

    /// Directories and links.
    fn others(&self, which: impl Fn(&RelPath) -> bool) -> u64 {
        let is_other =
            |kind: &FoundKind| matches!(kind, FoundKind::Directory | FoundKind::Symlink(_));
        let kept = self.plan.walked.kept.iter();
        let others = kept.filter(|found| is_other(&found.kind) && which(&found.path));
        others.count() as u64
    }
}
