//! A drill: a snapshot is restored into a scratch directory and tried, then thrown away.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use copal_core::manifest::Manifest;
use copal_core::path::RelPath;
use copal_core::snapshot::SnapshotId;
use copal_core::units::ByteCount;
use copal_hooks::{Cancel, Phase};

use crate::capability::means::Means;
use crate::edge::lock::Lock;
use crate::edge::scratch::Scratch;
use crate::edge::state::make_private;
use crate::edges::{Edges, Step, Total};
use crate::error::CopalError;
use crate::floors;
use crate::hooks::Hooks;
use crate::job::Job;
use crate::outcome::{Achieved, Outcome};
use crate::record::{Kind, SnapshotRecord};
use crate::run::Run;
use crate::step::restore::restore;
use crate::step::snapshots::Store;
use crate::step::try_databases::{Tried, try_databases};

/// What a drill found.
#[derive(Debug)]
pub struct Drilled {
    /// The snapshot.
    pub id: SnapshotId,
    /// Where it lies, secrets masked.
    pub at: String,
    /// Its files.
    pub files: u64,
    /// Their content.
    pub bytes: ByteCount,
    /// The databases that were checked, sorted.
    pub databases: Vec<RelPath>,
    /// The hooks that tried the copy, in order.
    pub hooks: Vec<String>,
    /// Everything that is wrong with the snapshot, and the signal, if one ended the trial.
    pub wrong: Vec<CopalError>,
}

impl Achieved for Drilled {
    fn errors(&self) -> Vec<&CopalError> {
        self.wrong.iter().collect()
    }

    fn snapshots(&self) -> Vec<SnapshotRecord> {
        vec![SnapshotRecord {
            id: self.id,
            destination: self.at.clone(),
            files: self.files,
            bytes: self.bytes.0,
        }]
    }

    fn notes(&self) -> Vec<String> {
        let checked = self.databases.iter();
        checked
            .map(|database| format!("checked the database {database}"))
            .collect()
    }
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
    let scratch = make_scratch(run, store.name(), within)?;
    // The copy gets the source's own mode, which may let anybody in.
    let copy = scratch.path().join("copy");
    let total = Total {
        files: manifest.totals.files,
        bytes: manifest.totals.bytes,
    };
    show.step(Step::Fetch);
    let mut watch = |done| show.transfer(done, total);
    let restored = restore(store, manifest, &copy, &[], &mut watch, interrupt)?;

    show.step(Step::Try);
    let Tried {
        databases,
        mut wrong,
    } = try_databases(&copy, manifest, interrupt)?;
    if !wrong.iter().any(CopalError::is_interruption) {
        let view = floors::tree(means, &copy, databases.clone(), interrupt);
        let floor = floors::real(view);
        let found = hooks.drill(&floor, &Cancel::from(interrupt.flag()));
        wrong.extend(found.into_iter().map(CopalError::Hook));
    }

    let path = scratch.path().to_owned();
    if let Err(source) = scratch.remove() {
        run.shortcomings.push(failed_to("remove", path)(source));
    }
    Ok(Drilled {
        id: manifest.id,
        at: store.remote().shown(),
        files: restored.files,
        bytes: restored.bytes,
        databases,
        hooks: hooks.called_in(Phase::Drill),
        wrong,
    })
}

/// A directory for the copy: among Copal's own, where copies of killed drills go first, or where
/// the owner wants it.
fn make_scratch(run: &Run<'_>, name: &str, within: Option<&Path>) -> Result<Scratch, CopalError> {
    let path = if let Some(directory) = within {
        directory.join(format!("copal-drill-{}", run.id))
    } else {
        let own = run.edges.state.drills(name);
        make_private(&own).map_err(failed_to("make", own.clone()))?;
        tidy(&own).map_err(failed_to("clean up", own.clone()))?;
        own.join(&run.id)
    };
    Scratch::make(path.clone()).map_err(failed_to("make", path))
}

/// The lock is held: what lies there is nobody's any more.
fn tidy(own: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(own)? {
        Scratch::adopt(entry?.path()).remove()?;
    }
    Ok(())
}

fn failed_to(deed: &'static str, path: PathBuf) -> impl FnOnce(io::Error) -> CopalError {
    move |source| CopalError::Scratch { deed, path, source }
}
