//! A loaded hook, and its phases.

use std::sync::Arc;

use copal_core::digest::Sha256;
use wasmtime::component::{InstancePre, Resource};

use crate::call::{Guest, Meeting, State};
use crate::engine::Ticker;
use crate::exports::Exports;
use crate::{
    Account, Cancel, Capabilities, FilterSession, Flaw, Grants, HookFailure, Limits, Phase, Report,
    RunInfo, imports,
};

/// A component that can be called.
///
/// Each call of a phase gets a fresh instance, so that nothing of a failed one is left over.
pub struct Hook {
    pub(crate) name: Arc<str>,
    pub(crate) digest: Sha256,
    pub(crate) config: Arc<str>,
    pub(crate) grants: Arc<Grants>,
    pub(crate) limits: Limits,
    pub(crate) exports: Exports,
    pub(crate) pre: InstancePre<State>,
    /// Keeps time limits in force for as long as there are hooks.
    pub(crate) _ticker: Arc<Ticker>,
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

    /// What it may touch.
    pub fn grants(&self) -> &Grants {
        &self.grants
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
        let mut meeting = Meeting::new(Phase::PreBackup, run, cancel);
        meeting.capabilities = Some(capabilities);
        let (mut guest, exports) = Guest::enter(self, meeting, self.exports.pre_backup.as_ref())?;
        guest.call(self.limits.wall, |store| exports.call_run(store))?;
        Ok(guest.into_account())
    }

    /// Lets it decide what belongs into the snapshot.
    ///
    /// # Errors
    /// [`HookFailure`], also for a hook that does not take part in this phase.
    pub fn filter(&self, run: &RunInfo, cancel: &Cancel) -> Result<FilterSession, HookFailure> {
        let meeting = Meeting::new(Phase::Filter, run, cancel);
        let (guest, exports) = Guest::enter(self, meeting, self.exports.filter.as_ref())?;
        FilterSession::start(guest, exports, &self.limits)
    }

    /// Tells it how the run ended.
    ///
    /// # Errors
    /// [`HookFailure`], also for a hook that does not take part in this phase.
    pub fn post_backup(
        &self,
        run: &RunInfo,
        report: Report,
        cancel: &Cancel,
    ) -> Result<Account, HookFailure> {
        let mut meeting = Meeting::new(Phase::PostBackup, run, cancel);
        meeting.report = Some(report);
        let (mut guest, exports) = Guest::enter(self, meeting, self.exports.post_backup.as_ref())?;
        let report = Resource::new_borrow(imports::REPORT);
        guest.call(self.limits.wall, |store| exports.call_run(store, report))?;
        Ok(guest.into_account())
    }

    /// Compares the types of each phase with those that will be called: wasmtime does it only with
    /// an instance at hand, and a run should not be the first to notice.
    pub(crate) fn check_types(&self) -> Result<(), Flaw> {
        let cancel = Cancel::new();
        let run = RunInfo {
            run_id: String::new(),
            dry_run: true,
        };
        for phase in self.phases() {
            let meeting = Meeting::new(phase, &run, &cancel);
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
