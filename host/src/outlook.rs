//! What a run will come to at each destination, as far as that can be told beforehand: from the history,
//! which is here, or from what the destinations answer. A mirror has none: what it needs sent is known
//! once its folders are listed.

use std::collections::{HashMap, HashSet};

use copal_core::config::Layout;
use copal_core::forecast::{Expected, Forecast, Last, Shape, Terms, forecast};
use copal_core::path::RelPath;
use copal_core::snapshot::SnapshotId;
use jiff::Timestamp;

use crate::edge::history::History;
use crate::edge::state::StateDir;
use crate::edge::walk::FoundKind;
use crate::job::Job;
use crate::record::{Record, SnapshotRecord};
use crate::step::deliver::Reached;
use crate::step::plan::{Plan, PlannedDatabase};

/// What a run will come to at one destination.
#[derive(Debug)]
pub struct Outlook {
    /// The destination's name, secrets masked.
    pub destination: String,
    /// What it goes by.
    pub basis: Basis,
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
    let (shape, today) = (shape(plan), SnapshotId::at(now));
    let outlook = |destination: String| {
        let known = known(job, state, &destination);
        let last = known.as_ref().map(|(started, snapshot)| Last::Record {
            id: snapshot.id,
            started: *started,
            files: snapshot.files,
        });
        let terms = known.as_ref().and_then(|(_, it)| it.terms.clone());
        let copies = terms.as_ref().map(|terms| terms.copies);
        let terms = terms.unwrap_or_default();
        let links = terms.links;
        let basis = known.map_or(Basis::Nothing, |(_, it)| Basis::History(it.id));
        Outlook {
            forecast: forecast(&shape, last, &terms, today),
            destination,
            basis,
            copies,
            links,
        }
    };
    let destinations = job
        .destinations()
        .into_iter()
        .zip(job.config.destinations());
    let have_snapshots = destinations.filter(|(_, it)| it.layout == Layout::Snapshots);
    have_snapshots
        .map(|(it, _)| outlook(it.to_string()))
        .collect()
}

/// When the last run began that made a snapshot there, and what is kept of it.
fn known(job: &Job, state: &StateDir, destination: &str) -> Option<(Timestamp, SnapshotRecord)> {
    let record: Option<Record> = History::of(state)
        .last_at(job.name(), destination)
        .unwrap_or_else(|error| {
            tracing::warn!("what the last run sent is not known: {error}");
            None
        });
    let record = record?;
    let mut snapshots = record.snapshots.into_iter();
    let there = snapshots.find(|snapshot| snapshot.destination == destination);
    Some((record.started, there?))
}

/// By what the destinations answered. Those that did not have none.
pub fn by_answers(plan: &Plan, reached: &[Reached], now: Timestamp) -> Vec<Outlook> {
    let (shape, today) = (shape(plan), SnapshotId::at(now));
    let outlook = |one: &Reached| {
        let ready = one.ready.as_ref().ok()?;
        let terms: Terms = ready.terms.clone();
        let last = ready.last.as_ref();
        Some(Outlook {
            destination: one.shown.clone(),
            basis: Basis::Answer(last.map(|last| last.id)),
            copies: Some(terms.copies),
            links: terms.links,
            forecast: forecast(&shape, last.map(Last::Manifest), &terms, today),
        })
    };
    let have_snapshots = reached.iter().filter(|it| it.layout == Layout::Snapshots);
    have_snapshots.filter_map(outlook).collect()
}

/// What the snapshot will have, apart from what hooks add and archives stand in for.
fn shape(plan: &Plan) -> Shape<'_> {
    let databases: HashMap<&RelPath, &PlannedDatabase> =
        plan.databases.iter().map(|it| (&it.path, it)).collect();
    let logs: HashSet<RelPath> = plan
        .databases
        .iter()
        .map(|database| database.path.with_suffix("-wal"))
        .collect();
    let kept = || plan.walked.kept.iter();
    let logged: HashMap<&RelPath, Timestamp> = kept()
        .filter(|found| logs.contains(&found.path))
        .map(|found| (&found.path, found.attributes.mtime))
        .collect();
    let files = plan.all_files().map(|found| {
        let (size, changed) = (found.version.size(), found.attributes.mtime);
        let file = Expected {
            path: &found.path,
            size,
            changed,
            made: false,
        };
        match databases.get(&found.path) {
            Some(database) if !database.live => Expected {
                // Most of it may be in the log still.
                size: size.max(database.log),
                changed: logged
                    .get(&found.path.with_suffix("-wal"))
                    .map_or(changed, |log| changed.max(*log)),
                made: true,
                ..file
            },
            Some(_) | None => file,
        }
    });
    let is_other = |kind: &FoundKind| matches!(kind, FoundKind::Directory | FoundKind::Symlink(_));
    Shape {
        files: files.collect(),
        others: kept().filter(|found| is_other(&found.kind)).count() as u64,
    }
}
