//! A dry run: a backup on another floor, where deeds are written down and none is done.

use std::sync::Arc;

use crate::backup::{Allowances, Backup};
use crate::capability::artifacts::Artifacts;
use crate::capability::means::Means;
use crate::edge::scratch::Scratch;
use crate::edges::{Edges, Step};
use crate::error::CopalError;
use crate::floors;
use crate::hooks::Hooks;
use crate::job::Job;
use crate::outcome::{Achieved, Outcome};
use crate::record::SnapshotRecord;
use crate::step::deliver::Reached;
use crate::step::pause::pause;
use crate::step::plan::Plan;

/// What a backup would do.
pub struct Rehearsed {
    /// The plan.
    pub plan: Plan,
    /// The destinations, which were asked and not written to.
    pub reached: Vec<Reached>,
}

impl Achieved for Rehearsed {
    fn errors(&self) -> Vec<&CopalError> {
        let answers = self.reached.iter().map(|one| &one.ready);
        answers.filter_map(|ready| ready.as_ref().err()).collect()
    }

    fn snapshots(&self) -> Vec<SnapshotRecord> {
        Vec::new()
    }
}

/// Goes through a backup without its deeds. It takes no lock and keeps no history: a real run must
/// never wait for it, and it changes nothing that one could miss.
pub fn rehearse(
    job: &Job,
    allow: Allowances,
    edges: &Edges<'_>,
) -> Result<Outcome<Rehearsed>, CopalError> {
    let means = Means::of(job, edges.state).rehearsing();
    let mut backup = Backup::begin(job, allow, means, edges);
    let mut info = backup.run.info();
    info.dry_run = true;
    let mut hooks = match Hooks::load(&job.config, &job.base, info) {
        Ok(hooks) => hooks,
        Err(error) => return Ok(backup.run.end(Err(error.into()))),
    };

    let result = rehearsal(&mut backup, &mut hooks);

    let floor = floors::recorded(backup.last_view());
    let cancel = backup.cancel();
    let mut outcome = backup.run.end(result);
    hooks.filter_failed(outcome.errors().find_map(CopalError::failed_filter));
    outcome.hear(&mut hooks);
    hooks.post_backup(&outcome.report(), &floor, &cancel);
    outcome.hear(&mut hooks);
    Ok(outcome)
}

fn rehearsal(backup: &mut Backup<'_>, hooks: &mut Hooks) -> Result<Rehearsed, CopalError> {
    let Edges {
        show, interrupt, ..
    } = *backup.run.edges;
    let (plan, reached) = backup.look(hooks)?;

    show.step(Step::Stage);
    // Not where a real run stages: one may be at it.
    let scratch = tempfile::tempdir().map_err(|source| CopalError::Scratch {
        deed: "make a directory in",
        path: std::env::temp_dir(),
        source,
    })?;
    let scratch = Scratch::adopt(scratch.keep(), &backup.run.leftovers);
    let artifacts = Arc::new(Artifacts::in_dir(scratch.path().to_owned()));
    let view = floors::source(&backup.means, &plan, artifacts, interrupt);
    let floor = floors::recorded(view.clone());
    pause(hooks, &floor, &view, &backup.cancel())?;

    let (files, bytes) = plan.files();
    hooks.count(files, bytes);
    hooks.staged(&floors::recorded(backup.last_view()), &backup.cancel())?;
    Ok(Rehearsed { plan, reached })
}
