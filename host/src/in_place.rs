//! What a restore in place and its undoing have in common: the lock, the hooks around it, and the services
//! that these hold until the trees have changed places.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use copal_core::manifest::Facts;
use copal_core::path::RelPath;
use copal_hooks::{Cancel, RunInfo};

use crate::capability::host::Host;
use crate::capability::means::Means;
use crate::edge::in_use::{Kept, Work, user_of};
use crate::edge::lock::Lock;
use crate::edge::old_trees::OldTrees;
use crate::edge::top::Top;
use crate::error::CopalError;
use crate::floors::{self, Deeds};
use crate::holds::{Holds, Terms, at_an_end};
use crate::hooks::Hooks;
use crate::job::Job;
use crate::outcome::{Achieved, Outcome};
use crate::run::Run;
use crate::step::plan::PlanError;
use crate::step::resume::note;
use crate::step::swap::{Place, SwapError, Swapped, Swapping, Unfinished};

/// A run in which a tree takes the place of the source.
pub(crate) struct InPlace<'a> {
    pub(crate) run: Run<'a>,
    pub(crate) job: &'a Job,
    hooks: Hooks,
    means: Arc<Means>,
    holds: Holds,
    /// The databases that hooks may speak of.
    databases: Vec<RelPath>,
    /// The tree that was live, once another has taken its place.
    before: Option<PathBuf>,
}

/// Does such a run. `choose` says what it is about, before anything is begun: where it refuses there was no run, and
/// nobody hears of one. From then on, whatever happens, what was held is released, and post-restore hooks hear of it, once.
pub(crate) fn in_place<'a, C, T: Achieved>(
    run: Run<'a>,
    job: &'a Job,
    info: RunInfo,
    databases: Vec<RelPath>,
    choose: impl FnOnce() -> Result<C, CopalError>,
    deed: impl FnOnce(&mut InPlace<'a>, C) -> Result<T, CopalError>,
) -> Result<Outcome<T>, CopalError> {
    let edges = run.edges;
    // No backup may read the source while it changes.
    let _lock = Lock::take(&edges.state.lock_file(job.name()), job.name())?;
    at_an_end(edges.state, job.name())?;
    let chosen = choose()?;
    let hooks = match Hooks::load(&job.config, &job.base, info) {
        Ok(hooks) => hooks,
        Err(error) => return Ok(run.end(Err(error.into()))),
    };
    // However long a hook takes before it: the exchange is a moment, and the end of it releases all.
    let terms = Terms::of(edges.state, &run.id, job.name(), run.started, None);
    let holds = Holds::under(terms);
    let mut this = InPlace {
        means: Means::of(job, edges.state).holding(&holds).shared(),
        run,
        job,
        hooks,
        holds,
        databases,
        before: None,
    };
    let bracket = this.holds.open();
    let result = deed(&mut this, chosen);
    let cancel = this.cancel();
    let finished = this.holds.finish(&cancel);
    drop(bracket);
    let problems = note(finished, &mut this.run);
    let view = Host {
        is_restored: result.is_ok(),
        ..this.view(&job.source_if_found())
    };
    let (mut hooks, holds, before) = (this.hooks, this.holds, this.before);
    let mut outcome = this.run.end(result);
    for problem in problems {
        outcome.tell_once(problem.into());
    }
    outcome.hear(&mut hooks);
    hooks.post_restore(&outcome.report(), &Deeds::Done.floor(view), &cancel);
    outcome.hear(&mut hooks);
    // What hooks were to restart they have by now.
    let live = job.source_if_found();
    let in_use = before.and_then(|before| still_used(before, &live));
    let in_use = in_use.map(CopalError::Unfinished);
    outcome.shortcomings.extend(in_use);
    let ended = holds.end().map_err(CopalError::from);
    outcome.shortcomings.extend(ended.err());
    Ok(outcome)
}

/// An app that was not restarted works on in the old tree, and what it writes is lost with it.
fn still_used(before: PathBuf, live: &Path) -> Option<Unfinished> {
    let kept = Kept {
        tree: &before,
        live,
    };
    match user_of(kept, Work::Files) {
        Ok(by) => by.map(|by| Unfinished::InUse { before, by }),
        Err(error) => {
            // It is only looked for; `--discard` is the one that has to know.
            tracing::debug!(%error, "who works in the old tree is not known");
            None
        }
    }
}

impl InPlace<'_> {
    /// Where the source is, or is to be.
    pub(crate) fn place(&self) -> Result<Place, CopalError> {
        let source = self.job.source().map_err(PlanError::from)?;
        Ok(Place::of(
            &source.path,
            &self.job.never(self.run.edges.state),
        )?)
    }

    /// Calls the pre-restore hooks, which may hold the app, and has judged what they found in the live tree; then
    /// `swap`.
    pub(crate) fn between_hooks(
        &mut self,
        live: &Path,
        judge: impl FnOnce(&Facts) -> Result<(), CopalError>,
        swap: impl FnOnce(&Swapping<'_>) -> Result<Swapped, SwapError>,
    ) -> Result<Swapped, CopalError> {
        let floor = Deeds::Done.floor(self.view(live));
        let ready = self.hooks.pre_restore(&floor, &self.cancel());
        self.run.judge(ready, &self.means.services.noticed)?;
        judge(&floor.view.artifacts.facts())?;
        // An app that was resumed meanwhile would write to both trees.
        self.holds.lasted()?;
        // The last moment at which a signal leaves everything as it was.
        self.run.edges.interrupt.check()?;
        let trees = OldTrees::of(self.run.edges.state, self.job.name());
        let mut swapped = swap(&Swapping {
            run: &self.run.id,
            started: self.run.started,
            trees: &trees,
            holds: &self.holds,
        })?;
        let unfinished = swapped.unfinished.drain(..).map(CopalError::Unfinished);
        self.run.shortcomings.extend(unfinished);
        self.before.clone_from(&swapped.before);
        Ok(swapped)
    }

    fn cancel(&self) -> Cancel {
        Cancel::from(self.run.edges.interrupt.flag())
    }

    fn view(&self, live: &Path) -> Host {
        floors::view_of_tree(
            &self.means,
            Top::at(live.to_owned()),
            self.databases.clone(),
            self.run.edges.interrupt,
        )
    }
}
