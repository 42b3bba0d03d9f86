//! What every run has, whatever it does: an id, a beginning, and one end.

use std::collections::BTreeMap;
use std::time::Instant;

use copal_core::manifest::Manifest;
use copal_hooks::{FailureKind, HookFailure, RunInfo};
use jiff::Timestamp;

use crate::capability::unheld::Noticed;
use crate::edge::leftovers::Leftovers;
use crate::edge::log;
use crate::edges::Edges;
use crate::error::CopalError;
use crate::holds::Away;
use crate::outcome::{Achieved, Outcome};
use crate::record::{Kind, SnapshotRecord};

/// The id of what begins now, in this process.
pub fn id_at(started: Timestamp) -> String {
    format!("{:x}-{:x}", started.as_microsecond(), std::process::id())
}

/// A run that goes on.
pub struct Run<'a> {
    /// Its id.
    pub id: String,
    /// When it began.
    pub started: Timestamp,
    /// The world around it.
    pub edges: &'a Edges<'a>,
    /// What fell short so far.
    pub shortcomings: Vec<CopalError>,
    /// The services that it held.
    pub holds: Vec<Away>,
    /// Its own directories that could not be removed.
    pub leftovers: Leftovers,
    /// Whether the command line alone says what is run.
    pub one_off: bool,
    /// The snapshot that it tries, whatever comes of it.
    pub about: Option<SnapshotRecord>,
    kind: Kind,
    name: String,
    clock: Instant,
}

impl<'a> Run<'a> {
    /// A run of the job called `name` begins.
    pub fn begin(kind: Kind, name: &str, edges: &'a Edges<'a>) -> Self {
        let started = (edges.now)();
        let id = id_at(started);
        log::of_run(&id);
        tracing::info!(
            "{} of `{name}` begins, Copal {}",
            kind.name(),
            env!("CARGO_PKG_VERSION")
        );
        Self {
            id,
            started,
            edges,
            shortcomings: Vec::new(),
            holds: Vec::new(),
            leftovers: Leftovers::default(),
            one_off: false,
            about: None,
            kind,
            name: name.to_owned(),
            clock: Instant::now(),
        }
    }

    /// What its hooks are told of it.
    pub fn info(&self) -> RunInfo {
        RunInfo {
            run_id: self.id.clone(),
            job: self.name.clone(),
            ..RunInfo::default()
        }
    }

    /// The same of a run about a snapshot.
    pub fn info_about(&self, manifest: &Manifest) -> RunInfo {
        let totals = manifest.totals;
        RunInfo {
            snapshot: Some(manifest.id.to_string()),
            counters: BTreeMap::from([
                ("files".to_owned(), totals.files),
                ("bytes".to_owned(), totals.bytes.0),
            ]),
            ..self.info()
        }
    }

    /// What a phase in which hooks may hold services came to: one that is not there falls short, and where a hook
    /// failed that could not hold one, that is why.
    pub fn judge<T>(
        &mut self,
        phase: Result<T, HookFailure>,
        noticed: &Noticed,
    ) -> Result<T, CopalError> {
        let missing = noticed.all_unheld().into_iter();
        let missing = missing.filter(|unheld| unheld.is_missing);
        self.shortcomings.extend(missing.map(CopalError::NotThere));
        phase.map_err(
            |failure| match (&failure.kind, noticed.fault_of(&failure.hook)) {
                (FailureKind::Error { .. }, Some(fault)) => CopalError::CantHold(fault.into()),
                _ => failure.into(),
            },
        )
    }

    /// Success and failure become one value.
    pub fn end<T: Achieved>(mut self, result: Result<T, CopalError>) -> Outcome<T> {
        let left = self.leftovers.take().into_iter();
        self.shortcomings.extend(left.map(CopalError::LeftBehind));
        Outcome {
            run: self.id,
            name: self.name,
            kind: self.kind,
            one_off: self.one_off,
            about: self.about,
            started: self.started,
            took: self.clock.elapsed(),
            steps: self.edges.show.steps(),
            result,
            interrupted: self.edges.interrupt.signal(),
            shortcomings: self.shortcomings,
            holds: self.holds,
            hooks: Vec::new(),
        }
    }
}
