//! The undoing of a restore in place: the old tree takes its place again, and the restored one is kept as the
//! old one was. So an undoing is undone in the same way.

use std::path::PathBuf;

use copal_core::text::second;

use crate::edge::history::History;
use crate::edge::lock::Lock;
use crate::edge::old_trees::{OldTree, OldTrees, Size};
use crate::edges::Edges;
use crate::error::CopalError;
use crate::holds::at_an_end;
use crate::in_place::in_place;
use crate::job::Job;
use crate::outcome::{Achieved, Outcome};
use crate::record::{Kind, Record, SnapshotRecord};
use crate::replace::NOTHING_KEPT;
use crate::run::Run;
use crate::step::old_tree::{self, OldTreeError};
use crate::step::plan::PlanError;
use crate::step::swap::{Place, Swapped};

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
    let run = Run::begin(Kind::Restore, job.name(), edges);
    let info = run.info();
    let old_trees = OldTrees::of(edges.state, job.name());
    let choose = || {
        let tree = old_tree::to_undo(&old_trees, job.name(), of);
        let tree = tree.map_err(|error| because_nothing_was_there(error, edges))?;
        let source = job.source().map_err(PlanError::from)?;
        let place = Place::of(&source.path, &job.never(edges.state))?;
        let live = place.live().to_owned();
        if live != tree.live {
            return Err(OldTreeError::Elsewhere {
                path: tree.path,
                was: tree.live,
                is: live,
            }
            .into());
        }
        Ok((tree, place))
    };
    in_place(run, job, info, Vec::new(), choose, |this, (tree, place)| {
        let live = place.live().to_owned();
        let trees = this.between_hooks(&live, |_| Ok(()), |by| place.swap_back(&tree, by))?;
        // What it names is live by now.
        let forgotten = old_trees.forget(&tree.run).map_err(OldTreeError::from);
        let shortcomings = &mut this.run.shortcomings;
        shortcomings.extend(forgotten.err().map(CopalError::from));
        Ok(Undone {
            of: tree.run,
            trees,
        })
    })
}

/// Where the last restore found nothing at the source, that is why there is no old tree, and no other place is to be
/// looked at.
fn because_nothing_was_there(error: OldTreeError, edges: &Edges<'_>) -> OldTreeError {
    let OldTreeError::None(name) = error else {
        return error;
    };
    // One that can't be read tells nothing, and is told by whatever else comes to need it.
    let history = History::of(edges.state);
    let last: Option<Record> = history.last_of(&name, Kind::Restore.name()).ok().flatten();
    match last.filter(|last| last.notes.iter().any(|note| note == NOTHING_KEPT)) {
        Some(last) => OldTreeError::NothingKept {
            name,
            began: second(last.started),
        },
        None => OldTreeError::None(name),
    }
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
    at_an_end(edges.state, job.name())?;
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
