//! A backup run, from its first look at the source to the last hook.

use std::sync::Arc;
use std::time::{Duration, Instant};

use copal_core::manifest::{COPAL_DIR, MANIFEST};
use copal_core::snapshot::SnapshotId;
use copal_hooks::{Cancel, RunInfo};
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
    outcome.hook_failures = hooks.post_backup(&outcome.report());
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
        }
    }

    fn info(&self) -> RunInfo {
        RunInfo {
            run_id: self.id.clone(),
            dry_run: false,
        }
    }

    /// The run itself: plan, preflight, pause–stage–resume, and a delivery to each destination.
    fn snapshot(&mut self, hooks: &mut Hooks) -> Result<Vec<Delivery>, CopalError> {
        let edges = self.edges;
        edges.show.step(Step::Plan);
        let plan = plan(self.job, hooks, edges.state, edges.interrupt)?;

        edges.show.step(Step::Preflight);
        let ready = self.preflight(&plan)?;

        edges.show.step(Step::Stage);
        let Resumed { staged } = self.pause_stage_resume(hooks, plan, &ready)?;

        let id = preflight::choose_id(self.started, &ready);
        let deliver = |ready: &Ready| Delivery {
            destination: ready.remote.shown(),
            result: self.deliver(&staged, id, hooks, ready),
        };
        Ok(ready.iter().map(deliver).collect())
    }

    fn preflight(&self, plan: &Plan) -> Result<Vec<Ready>, CopalError> {
        let mut ready = Vec::new();
        for destination in self.job.destinations() {
            self.edges.interrupt.check()?;
            let remote = (self.edges.open)(&destination)?;
            let one = preflight::reach(remote, self.job.name(), &plan.source)?;
            if let (Some(last), false) = (&one.last, self.allow.missing_databases) {
                preflight::check_missing(plan, last)?;
            }
            ready.push(one);
        }
        Ok(ready)
    }

    /// The bracket in which hooks may hold the app. `resume` is reached on every way out.
    fn pause_stage_resume(
        &mut self,
        hooks: &mut Hooks,
        plan: Plan,
        ready: &[Ready],
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
        ready: &[Ready],
        staging: StagingDir,
    ) -> Result<Staged, CopalError> {
        let interrupt = self.edges.interrupt;
        let cancel = Cancel::from(interrupt.flag());
        let host = Host {
            source: plan.source.clone(),
            databases: plan.to_copy(),
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

    /// Transfers and seals. What an attempt that fails left at the destination is removed.
    fn deliver(
        &self,
        staged: &Staged,
        id: SnapshotId,
        hooks: &Hooks,
        ready: &Ready,
    ) -> Result<Snapshot, CopalError> {
        self.edges.interrupt.check()?;
        let dir = format!("{}/{id}", self.job.name());
        let delivered = self.transfer_and_seal(staged, id, dir.clone(), hooks, ready);
        if delivered.is_err() {
            // The directory was not there before this run, so all in it is this run's.
            if let Err(error) = remove_attempt(&*ready.remote, &dir) {
                tracing::warn!(%dir, %error, "an unsealed attempt was left at the destination");
            }
        }
        delivered
    }

    fn transfer_and_seal(
        &self,
        staged: &Staged,
        id: SnapshotId,
        dir: String,
        hooks: &Hooks,
        ready: &Ready,
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
            dir,
            wanted: ready.abilities.wanted(),
            walk_again: &mut walk_again,
            watch: &mut |done| show.transfer(done, total),
            interrupt,
        };
        let transferred = transfer(staged, by)?;

        show.step(Step::Seal);
        let circumstances = Circumstances {
            id,
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
