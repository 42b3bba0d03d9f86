//! A backup run, from its first look at the source to the last hook.

use std::path::PathBuf;
use std::sync::Arc;

use copal_core::config::RemoteSpec;
use copal_core::path::RelPath;
use copal_core::units::ByteCount;
use copal_hooks::{Cancel, HookFailure};

use crate::capability::artifacts::Artifacts;
use crate::capability::means::Means;
use crate::edge::lock::Lock;
use crate::edge::staging::StagingDir;
use crate::edges::{Edges, Step};
use crate::error::CopalError;
use crate::filters::Filters;
use crate::floors::{self, Deeds, Floor};
use crate::hooks::Hooks;
use crate::job::Job;
use crate::outcome::{Achieved, Delivered, Notes, Outcome};
use crate::record::Kind;
use crate::run::Run;
use crate::step::deliver::{Parcel, Reached};
use crate::step::pause::{Paused, pause};
use crate::step::plan::{Plan, plan};
use crate::step::preflight::{self, Ready};
use crate::step::resume::{Resumed, resume};
use crate::step::stage::{StageError, Staged, Staging, stage};

/// How a person lets a run differ from its configuration.
#[derive(Debug, Clone, Copy, Default)]
pub struct Allowances {
    /// Databases of the last snapshot may be gone or empty.
    pub missing_databases: bool,
}

/// One backup.
pub(crate) struct Backup<'a> {
    pub(crate) run: Run<'a>,
    pub(crate) job: &'a Job,
    allow: Allowances,
    notes: Notes,
    /// What its hooks may use besides the source.
    means: Arc<Means>,
    /// What becomes of what they ask for.
    deeds: Deeds,
    /// The source, and its databases that hooks may speak of, from the plan on.
    view: Option<(PathBuf, Vec<RelPath>)>,
}

/// Backs a job up. Whatever happens, post-backup hooks hear of it, once.
pub fn backup(
    job: &Job,
    allow: Allowances,
    edges: &Edges<'_>,
) -> Result<Outcome<Delivered>, CopalError> {
    let mut backup = Backup::begin(job, allow, Deeds::Done, edges);
    // Where another run holds the lock, this one is none: no hook hears of it.
    let _lock = Lock::take(&edges.state.lock_file(job.name()), job.name())?;
    let mut hooks = match Hooks::load(&job.config, &job.base, backup.run.info()) {
        Ok(hooks) => hooks,
        Err(error) => return Ok(backup.run.end(Err(error.into()))),
    };

    let result = backup.snapshot(&mut hooks);
    Ok(backup.end(hooks, result))
}

impl<'a> Backup<'a> {
    pub(crate) fn begin(
        job: &'a Job,
        allow: Allowances,
        deeds: Deeds,
        edges: &'a Edges<'a>,
    ) -> Self {
        let means = Means::of(job, edges.state);
        let means = match deeds {
            Deeds::Done => means,
            Deeds::Recorded => means.rehearsing(),
        };
        Self {
            run: Run::begin(Kind::Backup, job.name(), edges),
            job,
            allow,
            notes: Notes::default(),
            means: means.shared(),
            deeds,
            view: None,
        }
    }

    /// The run itself: plan, preflight, pause–stage–resume, and a delivery to each destination.
    fn snapshot(&mut self, hooks: &mut Hooks) -> Result<Delivered, CopalError> {
        let edges = self.run.edges;
        let (plan, reached) = self.look(hooks)?;
        let staged = match self.stage(hooks, &plan, &reached) {
            Ok(staged) => staged,
            Err(error) => return Err(self.without_deliveries(reached, error)),
        };
        let parcel = Parcel {
            job: self.job,
            run: &self.run.id,
            started: self.run.started,
            staged: &staged,
            hooks,
            edges,
        };
        let deliveries = reached.into_iter().map(|one| parcel.deliver(one)).collect();
        let notes = std::mem::take(&mut self.notes);
        Ok(Delivered { deliveries, notes })
    }

    /// What is delivered, when the app goes on and hooks have heard of it.
    fn stage(
        &mut self,
        hooks: &mut Hooks,
        plan: &Plan,
        reached: &[Reached],
    ) -> Result<Staged, CopalError> {
        self.run.edges.show.step(Step::Stage);
        let answers = reached.iter().map(|one| &one.ready);
        let ready: Vec<&Ready> = answers.filter_map(|ready| ready.as_ref().ok()).collect();
        let Resumed { staged } = self.pause_stage_resume(hooks, plan, &ready)?;
        self.tell_staged(hooks, staged.files.len() as u64, staged.bytes())?;
        Ok(staged)
    }

    /// The run ends before anything is delivered: what destinations answered is told beside the reason.
    pub(crate) fn without_deliveries(
        &mut self,
        reached: Vec<Reached>,
        error: CopalError,
    ) -> CopalError {
        let unreached = reached.into_iter().filter_map(|one| one.ready.err());
        self.run.shortcomings.extend(unreached);
        error
    }

    /// Everything that can be known before anything is done.
    pub(crate) fn look(&mut self, hooks: &mut Hooks) -> Result<(Plan, Vec<Reached>), CopalError> {
        let edges = self.run.edges;
        edges.show.step(Step::Plan);
        let mut plan = plan(self.job, hooks, &self.means, edges.state, edges.interrupt)?;
        hooks.filtered(std::mem::take(&mut plan.filtered));
        self.view = Some((plan.source.clone(), plan.to_copy()));

        edges.show.step(Step::Preflight);
        let reached = self.preflight(&plan)?;
        Ok((plan, reached))
    }

    /// Asks every destination. One that does not answer keeps nothing from the others; without any
    /// there is no point in going on.
    fn preflight(&mut self, plan: &Plan) -> Result<Vec<Reached>, CopalError> {
        let mut reached = Vec::new();
        for destination in self.job.destinations() {
            self.run.edges.interrupt.check()?;
            let ready = self.reach(&destination, plan);
            reached.push(Reached {
                shown: destination.to_string(),
                ready,
            });
        }
        if reached.iter().all(|one| one.ready.is_err()) {
            let first = reached.into_iter().find_map(|one| one.ready.err());
            return Err(first.unwrap_or(CopalError::NoDestination));
        }
        Ok(reached)
    }

    fn reach(&mut self, destination: &RemoteSpec, plan: &Plan) -> Result<Ready, CopalError> {
        let remote = (self.run.edges.open)(destination)?;
        let mut ready = preflight::reach(remote, self.job.name(), &plan.source)?;
        let damaged = ready.damaged.drain(..).map(CopalError::Store);
        self.run.shortcomings.extend(damaged);
        if let (Some(last), false) = (&ready.last, self.allow.missing_databases) {
            preflight::check_missing(plan, last)?;
        }
        Ok(ready)
    }

    /// The bracket in which hooks may hold the app. `resume` is reached on every way out.
    fn pause_stage_resume(
        &mut self,
        hooks: &mut Hooks,
        plan: &Plan,
        ready: &[&Ready],
    ) -> Result<Resumed, CopalError> {
        let base = self.job.staging(self.run.edges.state);
        let staging = StagingDir::create(&base, &self.run.id, &self.run.leftovers)?;
        preflight::check_room(plan, &base)?;
        let paused_and_staged = self.pause_and_stage(hooks, plan, ready, staging);
        resume(paused_and_staged)
    }

    fn pause_and_stage(
        &mut self,
        hooks: &mut Hooks,
        plan: &Plan,
        ready: &[&Ready],
        staging: StagingDir,
    ) -> Result<Staged, CopalError> {
        let Edges {
            interrupt, state, ..
        } = *self.run.edges;
        let cancel = self.cancel();
        let artifacts = Artifacts::in_dir(staging.made_by_hooks());
        let paused = self.pause(hooks, plan, artifacts)?;
        if !self.allow.missing_databases {
            for last in ready.iter().filter_map(|ready| ready.last.as_ref()) {
                preflight::check_emptied(&paused.artifacts, last)?;
            }
        }
        let mut filter = Filters::start(hooks, &cancel).map_err(StageError::from)?;
        let ask = Staging {
            source: &plan.source,
            never: &self.job.never(state),
            filter: &mut filter,
            artifacts: paused.artifacts,
            added: paused.added,
            live_allowed: &|path| self.job.config.allows_live(path),
            wanted: preflight::wanted(ready),
            now: self.run.edges.now,
            interrupt,
        };
        let staged = stage(staging, ask)?;
        self.notes.left_out.clone_from(&plan.walked.left_out);
        self.notes.take(&staged, plan.databases.clone());
        Ok(staged)
    }

    /// Has pre-backup hooks prepare the source.
    pub(crate) fn pause(
        &self,
        hooks: &mut Hooks,
        plan: &Plan,
        artifacts: Artifacts,
    ) -> Result<Paused, HookFailure> {
        let interrupt = self.run.edges.interrupt;
        let view = floors::view_of_source(&self.means, plan, artifacts.into(), interrupt);
        pause(hooks, &self.deeds.floor(view), &self.cancel())
    }

    /// Tells hooks that so much is staged.
    pub(crate) fn tell_staged(
        &self,
        hooks: &mut Hooks,
        files: u64,
        bytes: ByteCount,
    ) -> Result<(), HookFailure> {
        hooks.count(files, bytes);
        hooks.staged(&self.last_floor(), &self.cancel())
    }

    /// The outcome, of which post-backup hooks hear.
    pub(crate) fn end<T: Achieved>(
        self,
        mut hooks: Hooks,
        result: Result<T, CopalError>,
    ) -> Outcome<T> {
        let (floor, cancel) = (self.last_floor(), self.cancel());
        let mut outcome = self.run.end(result);
        hooks.filter_failed(outcome.errors().find_map(CopalError::failed_filter));
        outcome.hear(&mut hooks);
        hooks.post_backup(&outcome.report(), &floor, &cancel);
        outcome.hear(&mut hooks);
        outcome
    }

    fn cancel(&self) -> Cancel {
        Cancel::from(self.run.edges.interrupt.flag())
    }

    /// The source as hooks see it when nothing is made of it any more.
    fn last_floor(&self) -> Floor {
        let (source, databases) = self
            .view
            .clone()
            .unwrap_or_else(|| (self.job.source(), Vec::new()));
        let interrupt = self.run.edges.interrupt;
        let view = floors::view_of_tree(&self.means, &source, databases, interrupt);
        self.deeds.floor(view)
    }
}

#[cfg(test)]
#[path = "backup_tests.rs"]
mod tests;
