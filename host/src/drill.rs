//! A drill: a snapshot is restored into a scratch directory and tried, then thrown away.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use copal_core::manifest::Manifest;
use copal_core::path::RelPath;
use copal_hooks::{Cancel, Phase};

use crate::capability::means::Means;
use crate::edge::history::{History, HistoryError, Wanted};
use crate::edge::leftovers::{Leftovers, named_so};
use crate::edge::lock::Lock;
use crate::edge::scratch::Scratch;
use crate::edge::state::make_private;
use crate::edge::top::Top;
use crate::edges::{Edges, Step};
use crate::error::CopalError;
use crate::fetched::Fetched;
use crate::floors::{self, Deeds};
use crate::hooks::Hooks;
use crate::job::{Job, Place};
use crate::outcome::{Achieved, Outcome};
use crate::record::{Kind, Record, SnapshotRecord};
use crate::run::Run;
use crate::step::snapshots::Store;
use crate::step::try_databases::{Tried, try_databases};

/// What a drill found.
#[derive(Debug)]
pub struct Drilled {
    /// The snapshot.
    pub snapshot: Fetched,
    /// The databases that were checked, sorted.
    pub databases: Vec<RelPath>,
    /// The hooks that tried the copy, in order.
    pub hooks: Vec<String>,
    /// Everything that is wrong with the snapshot, and the signal, if one ended the trial.
    pub wrong: Vec<CopalError>,
    /// Copies of other drills beside this one's: of killed ones, or of such that still go on.
    pub left_behind: Vec<PathBuf>,
}

impl Achieved for Drilled {
    fn errors(&self) -> Vec<&CopalError> {
        self.wrong.iter().collect()
    }

    fn snapshots(&self) -> Vec<SnapshotRecord> {
        vec![self.snapshot.record()]
    }

    fn notes(&self) -> Vec<String> {
        let took = self.snapshot.took.as_secs_f64();
        let mut notes = vec![format!("restored in {took:.1} s")];
        let checked = self.databases.iter();
        notes.extend(checked.map(|database| format!("checked the database {database}")));
        notes
    }
}

/// The last drill of a snapshot at this destination that found fault, where none went well since.
pub fn last_failed(
    history: &History,
    job: &str,
    place: &Place,
) -> Result<Option<Record>, HistoryError> {
    let last = |wanted| history.last_about(job, place.asked(), Kind::Drill.name(), wanted);
    let worked: Option<Record> = last(Wanted::Good)?;
    let failed: Option<Record> = last(Wanted::Bad)?;
    let is_later = |failed: &Record| worked.is_none_or(|worked| worked.started < failed.started);
    Ok(failed.filter(is_later))
}

/// Tries a snapshot. Without a job there are no hooks to ask, only databases to check. The copy
/// lies below `within` while it lasts.
pub fn drill(
    job: Option<&Job>,
    store: &Store<'_>,
    manifest: &Manifest,
    within: Option<&Path>,
    edges: &Edges<'_>,
) -> Result<Outcome<Drilled>, CopalError> {
    let mut run = Run::begin(Kind::Drill, store.name(), edges);
    let (place, totals) = (store.remote().shown(), manifest.totals);
    run.about = Some(SnapshotRecord {
        is_mirror: store.is_mirror(),
        ..SnapshotRecord::unsent(manifest.id, place, totals.files, totals.bytes)
    });
    // Two drills of one job would tidy each other's copies away. A backup may go on meanwhile.
    let _lock = Lock::take(&edges.state.drill_lock(store.name()), store.name())?;
    let info = run.info_about(manifest);
    let mut hooks = match job.map(|job| Hooks::load(&job.config, &job.base, info.clone())) {
        Some(Ok(hooks)) => hooks,
        Some(Err(error)) => return Ok(run.end(Err(error.into()))),
        None => Hooks::none(info),
    };
    let means = job.map_or_else(Means::default, |job| Means::of(job, edges.state));
    let result = try_copy(
        &mut run,
        &means.shared(),
        &mut hooks,
        store,
        manifest,
        within,
    );
    let mut outcome = run.end(result);
    outcome.hear(&mut hooks);
    Ok(outcome)
}

fn try_copy(
    run: &mut Run<'_>,
    means: &Arc<Means>,
    hooks: &mut Hooks,
    store: &Store<'_>,
    manifest: &Manifest,
    within: Option<&Path>,
) -> Result<Drilled, CopalError> {
    let Edges {
        show, interrupt, ..
    } = *run.edges;
    let (scratch, left_behind) = make_scratch(run, store.name(), within)?;
    // The copy gets the source's own mode, which may let anybody in.
    let copy = scratch.path().join("copy");
    let snapshot = Fetched::into(&copy, run, store, manifest)?;

    show.step(Step::Try);
    let Tried {
        databases,
        mut wrong,
    } = try_databases(&copy, manifest, interrupt)?;
    if !wrong.iter().any(CopalError::is_interruption) {
        let view = floors::view_of_tree(means, Top::at(copy.clone()), databases.clone(), interrupt);
        let floor = Deeds::Done.floor(view);
        let found = hooks.drill(&floor, &Cancel::from(interrupt.flag()));
        wrong.extend(found.into_iter().map(CopalError::Hook));
    }

    Ok(Drilled {
        snapshot,
        databases,
        hooks: hooks.called_in(Phase::Drill),
        wrong,
        left_behind,
    })
}

/// What the names of copies begin with where the owner wants them.
const ELSEWHERE: &str = "copal-drill-";

/// A directory for the copy, and those of other drills that lie beside it. Among Copal's own, copies
/// of killed drills go first; where the owner wants it, nobody knows whether they go on.
fn make_scratch(
    run: &Run<'_>,
    name: &str,
    within: Option<&Path>,
) -> Result<(Scratch, Vec<PathBuf>), CopalError> {
    let (path, beside) = if let Some(directory) = within {
        let others = named_so(directory, ELSEWHERE.as_bytes());
        let others = others.map_err(failed_to("look through", directory.to_owned()))?;
        (directory.join(format!("{ELSEWHERE}{}", run.id)), others)
    } else {
        let own = run.edges.state.drills(name);
        make_private(&own).map_err(failed_to("make", own.clone()))?;
        tidy(&own, &run.leftovers).map_err(failed_to("look through", own.clone()))?;
        (own.join(&run.id), Vec::new())
    };
    let scratch = Scratch::make(path.clone(), &run.leftovers).map_err(failed_to("make", path))?;
    Ok((scratch, beside))
}

/// The lock is held: what lies there is nobody's any more. One that can't be removed is told, and
/// keeps no drill from its work.
fn tidy(own: &Path, leftovers: &Leftovers) -> io::Result<()> {
    for entry in fs::read_dir(own)? {
        let entry = entry?;
        // A drill makes directories alone.
        if entry.file_type()?.is_dir() {
            drop(Scratch::adopt(entry.path(), leftovers));
        }
    }
    Ok(())
}

fn failed_to(deed: &'static str, path: PathBuf) -> impl FnOnce(io::Error) -> CopalError {
    move |source| CopalError::Scratch { deed, path, source }
}
