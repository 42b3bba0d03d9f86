//! The undoing of a restore in place: the old tree takes its place again, and the restored one is kept as the
//! old one was. So an undoing is undone in the same way.

use std::path::PathBuf;

use copal_hooks::Cancel;

use crate::capability::means::Means;
use crate::edge::lock::Lock;
use crate::edge::old_trees::{OldTree, OldTrees, Size};
use crate::edge::top::Top;
use crate::edges::Edges;
use crate::error::CopalError;
use crate::floors::{self, Deeds};
use crate::hooks::Hooks;
use crate::job::Job;
use crate::outcome::{Achieved, Outcome};
use crate::record::{Kind, SnapshotRecord};
use crate::run::Run;
use crate::step::old_tree::{self, OldTreeError};
use crate::step::plan::PlanError;
use crate::step::swap::{Place, Swapped, Swapping};

/// What an undoing came to.
#[derive(Debug)]
pub struct Undone {
    /// The run whose restore was undone.
    pub of: String,
    /// The trees: the live one is the old one, and the one from before is what was restored.
    pub trees: Swapped,
}

impl Achieved for Undone {
    fn errors(&self) -> Vec<&CopalError> {
        Vec::new()
    }

    fn snapshots(&self) -> Vec<SnapshotRecord> {
        Vec::new()
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = vec![format!(
            "swapped back to `{}` what the run {} had kept",
            self.trees.live.display(),
            self.of
        )];
        let before = self.trees.before.iter();
        notes.extend(before.map(|old| format!("the tree that was there is `{}`", old.display())));
        notes
    }
}

/// Swaps the old tree back that `of` kept, else the newest. Hooks are called around it as around the restore.
pub fn undo(job: &Job, of: Option<&str>, edges: &Edges<'_>) -> Result<Outcome<Undone>, CopalError> {
    let mut run = Run::begin(Kind::Restore, job.name(), edges);
    let _lock = Lock::take(&edges.state.lock_file(job.name()), job.name())?;
    let mut hooks = match Hooks::load(&job.config, &job.base, run.info()) {
        Ok(hooks) => hooks,
        Err(error) => return Ok(run.end(Err(error.into()))),
    };
    let means = Means::of(job, edges.state).shared();
    let cancel = Cancel::from(edges.interrupt.flag());
    let view = |live| floors::view_of_tree(&means, Top::at(live), Vec::new(), edges.interrupt);
    let result = (|| {
        let (place, tree) = look(job, of, &run)?;
        let floor = Deeds::Done.floor(view(place.live().to_owned()));
        hooks.pre_restore(&floor, &cancel)?;
        // The last moment at which a signal leaves everything as it was.
        edges.interrupt.check()?;
        swap_back(&mut run, job, place, &tree)
    })();
    let floor = Deeds::Done.floor(view(job.source_if_found()));
    let mut outcome = run.end(result);
    outcome.hear(&mut hooks);
    hooks.post_restore(&outcome.report(), &floor, &cancel);
    outcome.hear(&mut hooks);
    Ok(outcome)
}

/// What is to be swapped, looked at before any hook is called.
fn look(job: &Job, of: Option<&str>, run: &Run<'_>) -> Result<(Place, OldTree), CopalError> {
    let state = run.edges.state;
    let tree = old_tree::to_undo(&OldTrees::of(state, job.name()), job.name(), of)?;
    let source = job.source().map_err(PlanError::from)?;
    let place = Place::of(&source.path, &job.never(state))?;
    if place.live() != tree.live {
        return Err(OldTreeError::Elsewhere {
            path: tree.path,
            was: tree.live,
            is: place.live().to_owned(),
        }
        .into());
    }
    Ok((place, tree))
}

fn swap_back(
    run: &mut Run<'_>,
    job: &Job,
    place: Place,
    tree: &OldTree,
) -> Result<Undone, CopalError> {
    let old_trees = OldTrees::of(run.edges.state, job.name());
    let by = Swapping {
        run: &run.id,
        started: run.started,
        trees: &old_trees,
    };
    let mut trees = place.swap_back(tree, &by)?;
    let unfinished = trees.unfinished.drain(..).map(CopalError::Unfinished);
    run.shortcomings.extend(unfinished);
    // What it names is live by now.
    let forgotten = old_trees.forget(&tree.run).map_err(OldTreeError::from);
    run.shortcomings
        .extend(forgotten.err().map(CopalError::from));
    Ok(Undone {
        of: tree.run.clone(),
        trees,
    })
}

/// An old tree that was deleted.
#[derive(Debug)]
pub struct Discarded {
    /// The run that had kept it.
    pub of: String,
    /// Where it was.
    pub path: PathBuf,
    /// How much it was.
    pub size: Size,
}

/// Deletes the old tree that `of` kept, else the only one. `tell` is told of it before.
pub fn discard(
    job: &Job,
    of: Option<&str>,
    edges: &Edges<'_>,
    tell: &dyn Fn(&OldTree),
) -> Result<Discarded, CopalError> {
    // No restore may come to need it meanwhile.
    let _lock = Lock::take(&edges.state.lock_file(job.name()), job.name())?;
    let source = &job.source().map_err(PlanError::from)?.path;
    let trees = OldTrees::of(edges.state, job.name());
    let tree = old_tree::to_discard(&trees, job.name(), source, of)?;
    tell(&tree);
    let (tree, size) = old_tree::discard(&trees, tree)?;
    Ok(Discarded {
        of: tree.run,
        path: tree.path,
        size,
    })
}
