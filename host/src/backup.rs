//! A backup run, from its first look at the source to the last hook.

use std::sync::Arc;
use std::time::{Duration, Instant};

use copal_core::config::RemoteSpec;
use copal_core::manifest::{COPAL_DIR, MANIFEST};
use copal_hooks::{Cancel, Capabilities, RunInfo};
use jiff::Timestamp;

use crate::capability::artifacts::Artifacts;
use crate::capability::host::Host;
use crate::edge::lock::Lock;
use crate::edge::remote::{Remote, RemoteError};
use crate::edge::staging::StagingDir;
use crate::edge::walk::walk;
use crate::edges::{Edges, Step, Total};
use crate::error::CopalError;
use crate::filters::Filters;
use crate::hooks::Hooks;
use crate::job::Job;
use crate::outcome::{Delivery, Notes, Outcome, Snapshot};
use crate::step::claim::{Claim, claim};
use crate::step::pause::pause;
use crate::step::plan::{Plan, plan};
use crate::step::preflight::{self, Ready};
use crate::step::resume::{Resumed, resume};
use crate::step::seal::{Circumstances, seal};
use crate::step::stage::{StageError, Staged, Staging, stage};
use crate::step::transfer::{Transfer, transfer};

/// How a person lets a run differ from its configuration.
#[derive(Debug, Clone, Copy, Default)]
pub struct Allowances {
    /// Databases of the last snapshot may be gone or empty.
    pub missing_databases: bool,
}

/// One run.
struct Run<'a> {
    id: String,
    started: Timestamp,
    job: &'a Job,
    allow: Allowances,
    edges: &'a Edges<'a>,
    notes: Notes,
    shortcomings: Vec<CopalError>,
}

/// A destination that was asked.
struct Reached {
    shown: String,
    ready: Result<Ready, CopalError>,
}

/// Backs a job up. Whatever happens, post-backup hooks hear of it, once.
pub fn backup(job: &Job, allow: Allowances, edges: &Edges<'_>) -> Result<Outcome, CopalError> {
    let clock = Instant::now();
    let mut run = Run::begin(job, allow, edges);
    // What fails up to here is no run: nothing was attempted, and no hook hears of it.
    let _lock = Lock::take(&edges.state.lock_file(job.name()), job.name())?;
    let mut hooks = Hooks::load(&job.config, &job.base, run.info())?;

    let result = run.snapshot(&mut hooks);

    let mut outcome = run.fold(result, clock.elapsed());
    let floor: Arc<dyn Capabilities> = Arc::new(Host {
        source: job.source().to_path_buf(),
        found: Vec::new(),
        left_out: Vec::new(),
        databases: Vec::new(),
        live_databases: Vec::new(),
        artifacts: Arc::new(Artifacts::in_dir(std::path::PathBuf::new())),
        interrupt: crate::edge::interrupt::Interrupt::default(),
    });
    outcome.hook_failures = hooks.post_backup(&outcome.report(), &floor);
    Ok(outcome)
}

impl<'a> Run<'a> {
    fn begin(job: &'a Job, allow: Allowances, edges: &'a Edges<'a>) -> Self {
        let started = (edges.now)();
        let id = format!("{:x}-{:x}", started.as_microsecond(), std::process::id());
        Self {
            id,
            started,
            job,
            allow,
            edges,
            notes: Notes::default(),
            shortcomings: Vec::new(),
        }
    }

    fn info(&self) -> RunInfo {
        RunInfo {
            run_id: self.id.clone(),
            dry_run: false,
            ..RunInfo::default()
        }
    }

    /// The run itself: plan, preflight, pause–stage–resume, and a delivery to each destination.
    fn snapshot(&mut self, hooks: &mut Hooks) -> Result<Vec<Delivery>, CopalError> {
        let edges = self.edges;
        edges.show.step(Step::Plan);
        let plan = plan(self.job, hooks, edges.state, edges.interrupt)?;

        edges.show.step(Step::Preflight);
        let reached = self.preflight(&plan)?;
        let ready: Vec<&Ready> = reached
            .iter()
            .filter_map(|one| one.ready.as_ref().ok())
            .collect();

        edges.show.step(Step::Stage);
        let Resumed { staged } = self.pause_stage_resume(hooks, plan, &ready)?;

        Ok(reached
            .into_iter()
            .map(|one| self.deliver(&staged, hooks, one))
            .collect())
    }

    /// Asks every destination. One that does not answer keeps nothing from the others; without any
    /// there is no point in going on.
    fn preflight(&mut self, plan: &Plan) -> Result<Vec<Reached>, CopalError> {
        let mut reached = Vec::new();
        for destination in self.job.destinations() {
            self.edges.interrupt.check()?;
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
        let remote = (self.edges.open)(destination)?;
        let mut ready = preflight::reach(remote, self.job.name(), &plan.source)?;
        self.shortcomings
            .extend(ready.damaged.drain(..).map(CopalError::Store));
        if let (Some(last), false) = (&ready.last, self.allow.missing_databases) {
            preflight::check_missing(plan, last)?;
        }
        Ok(ready)
    }

    /// The bracket in which hooks may hold the app. `resume` is reached on every way out.
    fn pause_stage_resume(
        &mut self,
        hooks: &mut Hooks,
        plan: Plan,
        ready: &[&Ready],
    ) -> Result<Resumed, CopalError> {
        let base = self.job.staging(self.edges.state);
        let staging = StagingDir::create(&base, &self.id)?;
        preflight::check_room(&plan, &base)?;
        let paused_and_staged = self.pause_and_stage(hooks, plan, ready, staging);
        resume(paused_and_staged)
    }

    fn pause_and_stage(
        &mut self,
        hooks: &mut Hooks,
        plan: Plan,
        ready: &[&Ready],
        staging: StagingDir,
    ) -> Result<Staged, CopalError> {
        let interrupt = self.edges.interrupt;
        let cancel = Cancel::from(interrupt.flag());
        let host = Host {
            source: plan.source.clone(),
            databases: plan.to_copy(),
            live_databases: plan.live(),
            left_out: plan.walked.left_out.clone(),
            found: plan.walked.kept,
            artifacts: Arc::new(Artifacts::in_dir(staging.made_by_hooks())),
            interrupt: interrupt.clone(),
        };
        let paused = pause(hooks, host, &cancel)?;
        if !self.allow.missing_databases {
            for last in ready.iter().filter_map(|ready| ready.last.as_ref()) {
                preflight::check_emptied(&paused.artifacts, last)?;
            }
        }
        let mut filter = Filters::start(hooks, &cancel).map_err(StageError::from)?;
        let ask = Staging {
            source: &plan.source,
            never: &self.job.never(self.edges.state),
            filter: &mut filter,
            artifacts: paused.artifacts,
            live_allowed: &|path| self.job.config.allows_live(path),
            wanted: preflight::wanted(ready),
            now: self.edges.now,
            interrupt,
        };
        let staged = stage(staging, ask)?;
        hooks.note_filtered();
        self.notes.left_out = plan.walked.left_out;
        self.notes.take(&staged, plan.databases);
        Ok(staged)
    }

    /// Claims a directory, transfers and seals. What an attempt that fails left there is removed.
    fn deliver(&self, staged: &Staged, hooks: &Hooks, reached: Reached) -> Delivery {
        let destination = reached.shown;
        let mut left_behind = None;
        let result = reached.ready.and_then(|ready| {
            self.edges.interrupt.check()?;
            let (remote, interrupt) = (&*ready.remote, self.edges.interrupt);
            let first = preflight::choose_id(self.started, &ready.started);
            let claim = claim(
                remote,
                self.job.name(),
                first,
                &self.id,
                &staged.staging,
                interrupt,
            )?;
            let sealed = self.transfer_and_seal(staged, hooks, &ready, &claim);
            if sealed.is_err() {
                // Claimed, so all in it is this run's.
                left_behind = remove_attempt(remote, &claim.dir).err();
            }
            sealed
        });
        Delivery {
            destination,
            result,
            left_behind,
        }
    }

    fn transfer_and_seal(
        &self,
        staged: &Staged,
        hooks: &Hooks,
        ready: &Ready,
        claim: &Claim,
    ) -> Result<Snapshot, CopalError> {
        let Edges {
            show,
            interrupt,
            state,
            ..
        } = *self.edges;
        let total = Total {
            files: staged.files.len() as u64,
            bytes: staged.bytes(),
        };
        show.step(Step::Transfer);
        let mut walk_again = || {
            let mut filter = Filters::start(hooks, &Cancel::from(interrupt.flag()))?;
            Ok(walk(
                &staged.source,
                &self.job.never(state),
                &mut filter,
                interrupt,
            )?
            .kept)
        };
        let by = Transfer {
            remote: &*ready.remote,
            abilities: &ready.abilities,
            wanted: ready.abilities.wanted(),
            walk_again: &mut walk_again,
            watch: &mut |done| show.transfer(done, total),
            interrupt,
        };
        let transferred = transfer(staged, claim, by)?;

        show.step(Step::Seal);
        let circumstances = Circumstances {
            name: self.job.name().to_owned(),
            run: self.id.clone(),
            started: self.started,
            source: staged.source.display().to_string(),
            hooks: hooks.records(),
        };
        Ok(seal(transferred, circumstances, &*ready.remote, interrupt)?.into())
    }

    /// Success and failure become one value.
    fn fold(self, result: Result<Vec<Delivery>, CopalError>, took: Duration) -> Outcome {
        let (delivered, failure) = match result {
            Ok(delivered) => (delivered, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        Outcome {
            run: self.id,
            name: self.job.name().to_owned(),
            took,
            delivered,
            failure,
            interrupted: self.edges.interrupt.signal(),
            hook_failures: Vec::new(),
            shortcomings: self.shortcomings,
            notes: self.notes,
        }
    }
}

/// The manifest first: from then on, whatever else remains, there is no snapshot.
fn remove_attempt(remote: &dyn Remote, dir: &str) -> Result<(), RemoteError> {
    if !remote
        .files(&format!("{dir}/{COPAL_DIR}"), false)?
        .is_empty()
    {
        remote.delete(&format!("{dir}/{MANIFEST}"))?;
    }
    remote.purge(dir)
}

#[cfg(test)]
#[path = "backup_tests.rs"]
mod tests;
