//! The bracket in which services may be held: pause, stage, resume.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use copal_core::config::StagingMode;
use copal_core::staging::Way;
use copal_hooks::Cancel;

use super::Backup;
use crate::capability::artifacts::Artifacts;
use crate::edge::interrupt::Interrupt;
use crate::edge::staging::StagingDir;
use crate::edge::tops::Tops;
use crate::edges::Edges;
use crate::error::CopalError;
use crate::filters::Filters;
use crate::floors;
use crate::holds::Copying;
use crate::hooks::Hooks;
use crate::run::Run;
use crate::step::freeze::Freezer;
use crate::step::pause::{Paused, pause};
use crate::step::plan::Plan;
use crate::step::preflight::{self, Ready};
use crate::step::resume::{Bracketed, resume};
use crate::step::stage::{StageError, Staged, Staging, stage};

/// For so long what is released has the disk to itself.
const QUICK_START: Duration = Duration::from_secs(1);

impl Backup<'_> {
    /// The bracket in which hooks may hold the app. `resume` is reached on every way out.
    pub(super) fn pause_stage_resume(
        &mut self,
        hooks: &mut Hooks,
        plan: &Plan,
        ready: &[&Ready],
    ) -> Result<Bracketed, CopalError> {
        let base = self.job.staging(self.run.edges.state);
        let staging = StagingDir::create(&base, &self.run.id, &self.run.leftovers)?;
        preflight::check_room(plan, &base)?;
        let freezer = self.prepare(plan)?;
        if let Some(unguarded) = &plan.unguarded {
            tracing::warn!("{unguarded}");
        }
        self.bracket = Some(self.holds.open());
        let copying = self.holds.copying();
        let staged = self.pause_and_stage(hooks, plan, ready, staging, freezer);
        match staged {
            // What is held is released in the end.
            Ok(staged) if self.job.config.staging().mode == StagingMode::Hold => {
                self.holds.lasted()?;
                Ok(Bracketed::Held(staged, self.holds.clone()))
            }
            other => self.release(other, copying),
        }
    }

    /// The app goes on, and the first that is done is what keeps its logs from beginning anew: the
    /// transactions that databases are copied from. Whether it is back is waited for meanwhile. A start that
    /// takes long may itself wait for the end of those.
    fn release(
        &mut self,
        staged: Result<Staged, CopalError>,
        copying: Copying,
    ) -> Result<Bracketed, CopalError> {
        let interrupt = self.run.edges.interrupt;
        let made = staged.as_ref().ok().map(|staged| &staged.made);
        let Some(made) = made.filter(|made| made.has_views()) else {
            copying.of_none();
            let finished = self.holds.finish(&self.cancel());
            return resume(staged, finished, &mut self.run);
        };
        let (copied, finished) = thread::scope(|scope| {
            let (released, is_released) = mpsc::channel::<()>();
            let copies = scope.spawn(move || {
                let waited = is_released.recv_timeout(QUICK_START);
                let is_slow = waited == Err(RecvTimeoutError::Timeout);
                tracing::debug!(is_slow, "databases are copied, beside the release");
                let copied = made.end_views(interrupt);
                drop(copying);
                copied
            });
            self.holds.let_go();
            drop(released);
            let finished = self.holds.finish(&self.cancel());
            (copies.join().expect("a copy does not panic"), finished)
        });
        let copied = copied.map_err(|error| StageError::from(error).into());
        let staged = staged.and_then(|staged| copied.map(|()| staged));
        resume(staged, finished, &mut self.run)
    }

    /// What can be got ready for the freezing while nothing is held.
    fn prepare(&self, plan: &Plan) -> Result<Option<Freezer>, CopalError> {
        let Run { id, leftovers, .. } = &self.run;
        let (source, kept) = (&plan.source, &plan.walked.kept);
        let mut freezer = plan.staging.prepare(source, kept, id, leftovers)?;
        if let Some(freezer) = &mut freezer {
            freezer.freeze_ahead(source, kept, self.run.edges.interrupt)?;
        }
        Ok(freezer)
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
            names: preflight::names(ready),
            freezer: freezer.filter(|freezer| freezer.serves(self.holds.is_any())),
            now: self.run.edges.now,
            interrupt: &interrupt,
        };
        let mut staged = stage(staging, ask)?;
        // A disk that went away since the plan would be found empty.
        let walked = &plan.walked;
        let tops = Tops::of(&plan.source, walked.top, &walked.kept);
        tops.check().map_err(StageError::from)?;
        if plan.staging.choice.way == Way::Hold && self.holds.is_any() {
            staged.way = Way::Hold;
        }
        let held = self.holds.is_any();
        self.notes.staged(staged.way, &plan.staging.choice, held);
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
        self.run.judge(paused, noticed)
    }

    /// What asks for an end while services are held.
    fn until_overdue(&self) -> (Cancel, Interrupt) {
        let Edges { interrupt, .. } = self.run.edges;
        let cancel = Cancel::from(self.holds.overdue()).or(interrupt.flag());
        (cancel, interrupt.or(self.holds.overdue()))
    }
}
