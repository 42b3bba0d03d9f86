//! A restore in place: the snapshot beside the live tree, then in its place. The old tree is kept.

use std::path::PathBuf;
use std::sync::Arc;

use copal_core::manifest::{Entry, Manifest, Taken};
use copal_core::path::RelPath;
use copal_hooks::Cancel;

use crate::capability::host::Host;
use crate::capability::means::Means;
use crate::edge::lock::Lock;
use crate::edge::old_trees::OldTrees;
use crate::edge::top::Top;
use crate::edges::Edges;
use crate::error::CopalError;
use crate::fetched::Fetched;
use crate::floors::{self, Deeds};
use crate::hooks::Hooks;
use crate::job::Job;
use crate::outcome::{Achieved, Outcome};
use crate::record::{Kind, SnapshotRecord};
use crate::run::Run;
use crate::step::plan::PlanError;
use crate::step::snapshots::Store;
use crate::step::swap::{Place, Swapped, Swapping};

/// What a restore in place came to.
#[derive(Debug)]
pub struct Replaced {
    /// The snapshot.
    pub snapshot: Fetched,
    /// The trees, new and old.
    pub trees: Swapped,
    /// Directories beside the source that other restores left.
    pub left_behind: Vec<PathBuf>,
}

impl Achieved for Replaced {
    fn errors(&self) -> Vec<&CopalError> {
        Vec::new()
    }

    fn snapshots(&self) -> Vec<SnapshotRecord> {
        vec![self.snapshot.record()]
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = vec![format!("restored to `{}`", self.trees.live.display())];
        let before = self.trees.before.iter();
        notes.extend(before.map(|old| format!("the old tree is `{}`", old.display())));
        notes
    }
}

/// Puts a snapshot in the place of the job's source. Whatever happens, post-restore hooks hear of
/// it, once.
pub fn replace(
    job: &Job,
    store: &Store<'_>,
    manifest: &Manifest,
    edges: &Edges<'_>,
) -> Result<Outcome<Replaced>, CopalError> {
    let mut run = Run::begin(Kind::Restore, job.name(), edges);
    // No backup may read the source while it changes.
    let _lock = Lock::take(&edges.state.lock_file(job.name()), job.name())?;
    let mut hooks = match Hooks::load(&job.config, &job.base, run.info_about(manifest)) {
        Ok(hooks) => hooks,
        Err(error) => return Ok(run.end(Err(error.into()))),
    };

    let means = Means::of(job, edges.state).shared();
    let result = beside_then_in_place(&mut run, job, &means, &mut hooks, store, manifest);

    let databases = databases(manifest);
    let source = job.source_if_found();
    let is_restored = result.is_ok();
    let view = Host {
        is_restored,
        ..floors::view_of_tree(&means, Top::at(source), databases, edges.interrupt)
    };
    let mut outcome = run.end(result);
    outcome.hear(&mut hooks);
    let cancel = Cancel::from(edges.interrupt.flag());
    hooks.post_restore(&outcome.report(), &Deeds::Done.floor(view), &cancel);
    outcome.hear(&mut hooks);
    Ok(outcome)
}

fn beside_then_in_place(
    run: &mut Run<'_>,
    job: &Job,
    means: &Arc<Means>,
    hooks: &mut Hooks,
    store: &Store<'_>,
    manifest: &Manifest,
) -> Result<Replaced, CopalError> {
    let interrupt = run.edges.interrupt;
    let place = Place::of(
        &job.source().map_err(PlanError::from)?.path,
        &job.never(run.edges.state),
    )?;
    let left_behind = place.left_behind(&run.id)?;
    let beside = place.beside(&run.id, &run.leftovers)?;
    let snapshot = Fetched::into(beside.path(), run, store, manifest)?;

    let view = floors::view_of_tree(
        means,
        Top::at(place.live().to_owned()),
        databases(manifest),
        interrupt,
    );
    hooks.pre_restore(&Deeds::Done.floor(view), &Cancel::from(interrupt.flag()))?;
    // The last moment at which a signal leaves everything as it was.
    interrupt.check()?;
    let old_trees = OldTrees::of(run.edges.state, job.name());
    let by = Swapping {
        run: &run.id,
        started: run.started,
        trees: &old_trees,
    };
    let mut trees = place.swap(beside, &by)?;
    let unfinished = trees.unfinished.drain(..).map(CopalError::Unfinished);
    run.shortcomings.extend(unfinished);
    Ok(Replaced {
        snapshot,
        trees,
        left_behind,
    })
}

/// The databases that hooks may speak of: those of the snapshot.
fn databases(manifest: &Manifest) -> Vec<RelPath> {
    let copied = |entry: &&Entry| {
        let file = entry.file();
        file.is_some_and(|file| file.taken == Taken::SqliteBackup)
    };
    let entries = manifest.entries.iter().filter(copied);
    entries.map(|entry| entry.path.clone()).collect()
}
