//! A backup run, from its first look at the source to the last hook.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use copal_core::config::{RemoteSpec, StagingMode};
use copal_core::path::RelPath;
use copal_core::staging::Way;
use copal_core::units::ByteCount;
use copal_hooks::{Cancel, FailureKind, HookFailure};

use crate::capability::artifacts::Artifacts;
use crate::capability::means::Means;
use crate::edge::interrupt::Interrupt;
use crate::edge::lock::{Lock, Patience};
use crate::edge::staging::StagingDir;
use crate::edges::{Edges, Step};
use crate::error::CopalError;
use crate::filters::Filters;
use crate::floors::{self, Deeds, Floor};
use crate::holds::{Bracket, Holds, Terms};
use crate::hooks::Hooks;
use crate::job::Job;
use crate::outcome::{Achieved, Delivered, Notes, Outcome};
use crate::record::Kind;
use crate::run::Run;
use crate::step::deliver::{Parcel, Reached};
use crate::step::freeze::Freezer;
use crate::step::pause::{Paused, pause};
use crate::step::plan::{Plan, plan};
use crate::step::preflight::{self, Ready};
use crate::step::read::{Read, Reading, read};
use crate::step::resume::{Resumed, note, resume};
use crate::step::services::{self, FoundService};
use crate::step::stage::{StageError, Staged, Staging, stage};

/// How a person lets a run differ from its configuration.
#[derive(Debug, Clone, Copy, Default)]
pub struct Allowances {
    /// Databases of the last snapshot may be gone or empty.
    pub missing_databases: bool,
    /// How long to wait for the lock.
    pub wait: Patience,
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
    /// What is held of the job's services.
    holds: Holds,
    /// Releases it whatever happens, from the pause on.
    bracket: Option<Bracket>,
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
    let lock = edges.state.lock_file(job.name());
    let _lock = Lock::wait(&lock, job.name(), allow.wait, edges.interrupt)?;
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
        let run = Run::begin(Kind::Backup, job.name(), edges);
        let means = Means::of(job, edges.state);
        let (means, holds) = match deeds {
            Deeds::Done => {
                let holds = Holds::under(terms(job, &run));
                (means.holding(&holds), holds)
            }
            Deeds::Recorded => (means.rehearsing(), Holds::default()),
        };
        Self {
            run,
            job,
            holds,
            bracket: None,
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
        let read = match self.stage(hooks, &plan, &reached) {
            Ok(read) => read,
            Err(error) => return Err(self.without_deliveries(reached, error)),
        };
        let parcel = Parcel {
            job: self.job,
            run: &self.run.id,
            started: self.run.started,
            read: &read,
            hooks,
            edges,
        };
        let deliveries: Vec<_> = reached.into_iter().map(|one| parcel.deliver(one)).collect();
        let sealed = deliveries.iter().filter_map(|it| it.result.as_ref().ok());
        let outrun: BTreeSet<RelPath> = sealed.flat_map(|it| it.outrun.clone()).collect();
        if !outrun.is_empty() {
            let outrun = outrun.into_iter().collect();
            self.run.shortcomings.push(CopalError::Outrun(outrun));
        }
        let notes = std::mem::take(&mut self.notes);
        Ok(Delivered { deliveries, notes })
    }

    /// What is delivered, when the app goes on and hooks have heard of it.
    fn stage(
        &mut self,
        hooks: &mut Hooks,
        plan: &Plan,
        reached: &[Reached],
    ) -> Result<Read, CopalError> {
        self.run.edges.show.step(Step::Stage);
        let answers = reached.iter().map(|one| &one.ready);
        let ready: Vec<&Ready> = answers.filter_map(|ready| ready.as_ref().ok()).collect();
        let resumed = self.pause_stage_resume(hooks, plan, &ready)?;
        let by = Reading {
            live_allowed: &|path| self.job.config.allows_live(path),
            wanted: preflight::wanted(&ready),
            interrupt: self.run.edges.interrupt,
        };
        let read = read(resumed, by)?;
        self.notes.staged(&read.staged, &plan.staging);
        self.tell_staged(hooks, read.files.len() as u64, read.bytes())?;
        Ok(read)
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
        let now = (edges.now)();
        let mut plan = plan(
            self.job,
            hooks,
            &self.means,
            edges.state,
            now,
            edges.interrupt,
        )?;
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
        let freezer = self.prepare(plan)?;
        if let Some(unguarded) = &plan.unguarded {
            tracing::warn!("{unguarded}");
        }
        self.bracket = Some(self.holds.open());
        let staged = self.pause_and_stage(hooks, plan, ready, staging, freezer);
        let staged = match staged {
            // What is held is released in the end.
            Ok(staged) if self.job.config.staging().mode == StagingMode::Hold => {
                return Ok(Resumed { staged });
            }
            other => other,
        };
        let finished = self.holds.finish(&self.cancel());
        resume(staged, finished, &mut self.run)
    }

    /// What can be got ready for the freezing while nothing is held.
    fn prepare(&self, plan: &Plan) -> Result<Option<Freezer>, CopalError> {
        let Run { id, leftovers, .. } = &self.run;
        let (source, kept) = (&plan.source, &plan.walked.kept);
        Ok(plan.staging.prepare(source, kept, id, leftovers)?)
    }

    fn pause_and_stage(
        &mut self,
        hooks: &mut Hooks,
        plan: &Plan,
        ready: &[&Ready],
        staging: StagingDir,
        freezer: Option<Freezer>,
    ) -> Result<Staged, CopalError> {
        let state = self.run.edges.state;
        let (cancel, interrupt) = self.until_overdue();
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
            made: paused.made,
            freezer: freezer.filter(|freezer| freezer.serves(self.holds.is_any())),
            now: self.run.edges.now,
            interrupt: &interrupt,
        };
        let mut staged = stage(staging, ask)?;
        if plan.staging.choice.way == Way::Hold && self.holds.is_any() {
            staged.way = Way::Hold;
        }
        self.notes.left_out.clone_from(&plan.walked.left_out);
        self.notes.unguarded.clone_from(&plan.unguarded);
        self.notes.take(&staged, plan.databases.clone());
        Ok(staged)
    }

    /// Has pre-backup hooks prepare the source.
    pub(crate) fn pause(
        &mut self,
        hooks: &mut Hooks,
        plan: &Plan,
        artifacts: Artifacts,
    ) -> Result<Paused, CopalError> {
        let (cancel, interrupt) = self.until_overdue();
        let view = floors::view_of_source(&self.means, plan, artifacts.into(), &interrupt);
        let paused = pause(hooks, &self.deeds.floor(view), &cancel);
        let noticed = &self.means.services.noticed;
        self.notes.unheld = noticed.all_unheld();
        let missing = self.notes.unheld.iter().filter(|unheld| unheld.is_missing);
        let missing = missing.cloned().map(CopalError::NotThere);
        self.run.shortcomings.extend(missing);
        paused.map_err(
            |failure| match (&failure.kind, noticed.fault_of(&failure.hook)) {
                (FailureKind::Error { .. }, Some(fault)) => CopalError::CantHold(fault.into()),
                _ => failure.into(),
            },
        )
    }

    /// The services that hooks may hold.
    pub(crate) fn find_services(&self, hooks: &Hooks) -> Vec<FoundService> {
        services::look(self.job, hooks, &self.means)
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
        mut self,
        mut hooks: Hooks,
        result: Result<T, CopalError>,
    ) -> Outcome<T> {
        let (floor, cancel) = (self.last_floor(), self.cancel());
        let problems = note(self.holds.finish(&cancel), &mut self.run).into_iter();
        self.run.shortcomings.extend(problems.map(CopalError::from));
        let mut outcome = self.run.end(result);
        hooks.filter_failed(outcome.errors().find_map(CopalError::failed_filter));
        outcome.hear(&mut hooks);
        hooks.post_backup(&outcome.report(), &floor, &cancel);
        outcome.hear(&mut hooks);
        let ended = self.holds.end().map_err(CopalError::from);
        outcome.shortcomings.extend(ended.err());
        outcome
    }

    /// What asks for an end while services are held.
    fn until_overdue(&self) -> (Cancel, Interrupt) {
        let Edges { interrupt, .. } = self.run.edges;
        let cancel = Cancel::from(self.holds.overdue()).or(interrupt.flag());
        (cancel, interrupt.or(self.holds.overdue()))
    }

    fn cancel(&self) -> Cancel {
        Cancel::from(self.run.edges.interrupt.flag())
    }

    /// The source as hooks see it when nothing is made of it any more.
    fn last_floor(&self) -> Floor {
        let (source, databases) = self
            .view
            .clone()
            .unwrap_or_else(|| (self.job.source_if_found(), Vec::new()));
        let interrupt = self.run.edges.interrupt;
        let view = floors::view_of_tree(&self.means, &source, databases, interrupt);
        self.deeds.floor(view)
    }
}

/// What the holds of a run are taken under.
fn terms(job: &Job, run: &Run<'_>) -> Terms {
    let staging = job.config.staging();
    let bounded = staging.mode != StagingMode::Hold;
    let max_pause = bounded.then_some(staging.max_pause);
    Terms::of(run.edges.state, &run.id, job.name(), run.started, max_pause)
}

#[cfg(test)]
#[path = "backup_tests.rs"]
mod tests;
