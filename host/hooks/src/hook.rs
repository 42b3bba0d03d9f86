//! A loaded hook, and its phases.

use std::sync::Arc;
use std::time::{Duration, Instant};

use copal_core::digest::Sha256;
use copal_core::grants::InForce;
use copal_core::units::ByteCount;
use wasmtime::component::{InstancePre, Resource};

use crate::call::{Guest, State};
use crate::exports::Exports;
use crate::gate::Meeting;
use crate::machine::Machine;
use crate::{
    Account, Cancel, Capabilities, FilterSession, Flaw, HookFailure, Limits, Phase, Report,
    RunInfo, imports,
};

/// A component that can be called.
///
/// Each call of a phase gets a fresh instance, so that nothing of a failed one is left over.
pub struct Hook {
    pub(crate) name: Arc<str>,
    pub(crate) digest: Sha256,
    pub(crate) config: Arc<str>,
    pub(crate) in_force: Arc<InForce>,
    pub(crate) limits: Limits,
    /// How much memory it may have.
    pub(crate) memory: ByteCount,
    pub(crate) exports: Exports,
    pub(crate) pre: InstancePre<State>,
    pub(crate) is_from_cache: bool,
    /// What it runs on, for as long as there are hooks.
    pub(crate) machine: Arc<Machine>,
}

impl Hook {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The digest of its component.
    pub fn digest(&self) -> Sha256 {
        self.digest
    }

    /// Whether its compiled form was at hand when it was loaded.
    pub fn is_from_cache(&self) -> bool {
        self.is_from_cache
    }

    /// What it may touch: what its owner grants, and what its component requests.
    pub fn in_force(&self) -> &InForce {
        &self.in_force
    }

    /// The phases it takes part in, in the order of a run. Never empty.
    pub fn phases(&self) -> impl Iterator<Item = Phase> {
        Phase::ALL.into_iter().filter(|phase| self.has(*phase))
    }

    /// Whether it takes part in `phase`.
    pub fn has(&self, phase: Phase) -> bool {
        self.exports.has(phase)
    }

    /// Lets it prepare the source: copies that stand in for live files.
    ///
    /// # Errors
    /// [`HookFailure`], also for a hook that does not take part in this phase.
    pub fn pre_backup(
        &self,
        run: &RunInfo,
        capabilities: Arc<dyn Capabilities>,
        cancel: &Cancel,
    ) -> Result<Account, HookFailure> {
        let meeting = self.meeting(Phase::PreBackup, run, cancel, Some(capabilities));
        let (guest, exports) = Guest::enter(self, meeting, self.exports.pre_backup.as_ref())?;
        guest.finish(async |store| exports.call_run(store).await)
    }

    /// Lets it decide what belongs into the snapshot.
    ///
    /// # Errors
    /// [`HookFailure`], also for a hook that does not take part in this phase.
    pub fn filter(&self, run: &RunInfo, cancel: &Cancel) -> Result<FilterSession, HookFailure> {
        let meeting = self.meeting(Phase::Filter, run, cancel, None);
        let (guest, exports) = Guest::enter(self, meeting, self.exports.filter.as_ref())?;
        FilterSession::start(guest, exports, &self.limits)
    }

    /// Tells it that everything is staged.
    ///
    /// # Errors
    /// [`HookFailure`], also for a hook that does not take part in this phase.
    pub fn staged(
        &self,
        run: &RunInfo,
        capabilities: Arc<dyn Capabilities>,
        cancel: &Cancel,
    ) -> Result<Account, HookFailure> {
        let meeting = self.meeting(Phase::Staged, run, cancel, Some(capabilities));
        let (guest, exports) = Guest::enter(self, meeting, self.exports.staged.as_ref())?;
        guest.finish(async |store| exports.call_run(store).await)
    }

    /// Tells it how the run ended.
    ///
    /// # Errors
    /// [`HookFailure`], also for a hook that does not take part in this phase.
    pub fn post_backup(
        &self,
        run: &RunInfo,
        report: Report,
        capabilities: Arc<dyn Capabilities>,
        cancel: &Cancel,
    ) -> Result<Account, HookFailure> {
        let mut meeting = self.meeting(Phase::PostBackup, run, cancel, Some(capabilities));
        meeting.report = Some(report);
        let (guest, exports) = Guest::enter(self, meeting, self.exports.post_backup.as_ref())?;
        let report = Resource::new_borrow(imports::REPORT);
        guest.finish(async |store| exports.call_run(store, report).await)
    }

    /// Lets it make ready for a restore in place.
    ///
    /// # Errors
    /// [`HookFailure`], also for a hook that does not take part in this phase.
    pub fn pre_restore(
        &self,
        run: &RunInfo,
        capabilities: Arc<dyn Capabilities>,
        cancel: &Cancel,
    ) -> Result<Account, HookFailure> {
        let meeting = self.meeting(Phase::PreRestore, run, cancel, Some(capabilities));
        let (guest, exports) = Guest::enter(self, meeting, self.exports.pre_restore.as_ref())?;
        guest.finish(async |store| exports.call_run(store).await)
    }

    /// Tells it how a restore in place ended.
    ///
    /// # Errors
    /// [`HookFailure`], also for a hook that does not take part in this phase.
    pub fn post_restore(
        &self,
        run: &RunInfo,
        report: Report,
        capabilities: Arc<dyn Capabilities>,
        cancel: &Cancel,
    ) -> Result<Account, HookFailure> {
        let mut meeting = self.meeting(Phase::PostRestore, run, cancel, Some(capabilities));
        meeting.report = Some(report);
        let (guest, exports) = Guest::enter(self, meeting, self.exports.post_restore.as_ref())?;
        let report = Resource::new_borrow(imports::REPORT);
        guest.finish(async |store| exports.call_run(store, report).await)
    }

    /// Lets it try a restored copy.
    ///
    /// # Errors
    /// [`HookFailure`], also for a hook that does not take part in this phase.
    pub fn drill(
        &self,
        run: &RunInfo,
        capabilities: Arc<dyn Capabilities>,
        cancel: &Cancel,
    ) -> Result<Account, HookFailure> {
        let meeting = self.meeting(Phase::Drill, run, cancel, Some(capabilities));
        let (guest, exports) = Guest::enter(self, meeting, self.exports.drill.as_ref())?;
        guest.finish(async |store| exports.call_run(store).await)
    }

    fn meeting<'a>(
        &'a self,
        phase: Phase,
        run: &'a RunInfo,
        cancel: &'a Cancel,
        capabilities: Option<Arc<dyn Capabilities>>,
    ) -> Meeting<'a> {
        Meeting {
            hook: &self.name,
            phase,
            run,
            config: &self.config,
            in_force: &self.in_force,
            limits: self.limits,
            cancel,
            capabilities,
            report: None,
        }
    }

    /// How long a fresh instance takes, without calling it.
    ///
    /// # Errors
    /// [`HookFailure`], where it can't be started within its limits.
    pub fn instantiate(&self) -> Result<Duration, HookFailure> {
        let (run, cancel) = (RunInfo::default(), Cancel::new());
        let phase = self.phases().next().unwrap_or(Phase::PreBackup);
        let began = Instant::now();
        let meeting = self.meeting(phase, &run, &cancel, None);
        let guest = Guest::instantiate(self, meeting)?;
        let took = began.elapsed();
        drop(guest);
        Ok(took)
    }

    /// Compares the types of each phase with those that will be called: wasmtime does it only with
    /// an instance at hand, and a run should not be the first to notice.
    pub(crate) fn check_types(&self) -> Result<(), Flaw> {
        let cancel = Cancel::new();
        let run = RunInfo {
            dry_run: true,
            ..RunInfo::default()
        };
        for phase in self.phases() {
            let meeting = self.meeting(phase, &run, &cancel, None);
            let mut guest = Guest::instantiate(self, meeting)
                .map_err(|failure| Flaw::CannotStart(failure.kind))?;
            guest
                .check(&self.exports, phase)
                .map_err(|why| Flaw::UnfitPhase { phase, why })?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hook")
            .field("name", &self.name)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}
