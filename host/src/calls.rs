//! A job's hooks, called phase by phase: which one's failure is the end, and which only told.
//!
//! The rules are the table in `docs/hooks.md`, "When one fails".

use std::sync::Arc;
use std::time::Duration;

use copal_core::config::OnError;
use copal_core::units::ByteCount;
use copal_hooks::{Account, Cancel, FailureKind, Hook, HookFailure, Phase, Report, RunInfo};

use crate::capability::files;
use crate::floors::Floor;
use crate::hooks::Hooks;

/// How long a hook may take that is told of the end after a signal, with all that Copal does for it:
/// whoever sent one waits, and what waits too long is killed.
const AFTER_A_SIGNAL: Duration = Duration::from_secs(10);

/// What one hook did in one phase.
#[derive(Debug, Clone)]
pub struct HookRun {
    /// The hook's name.
    pub hook: String,
    /// The phase.
    pub phase: Phase,
    /// How it ended.
    pub outcome: Result<(), HookFailure>,
    /// What it did until then.
    pub account: Account,
}

/// A call of a hook in some phase.
type CallOf<'a> = dyn Fn(&Hook, &RunInfo, &Cancel) -> Result<Account, HookFailure> + 'a;

impl Hooks {
    /// Lets each hook that takes part prepare the source; the first failure that its owner does not
    /// only want to be told of ends it.
    pub fn pre_backup(&mut self, floor: &Floor, cancel: &Cancel) -> Result<(), HookFailure> {
        let call = |hook: &Hook, run: &RunInfo, cancel: &Cancel| {
            let before = floor.view.artifacts.so_far();
            let result = hook.pre_backup(run, Arc::clone(&floor.capabilities), cancel);
            let result =
                result.and_then(|account| match files::take_in(&floor.view, hook.name()) {
                    Ok(()) => Ok(account),
                    Err(why) => Err(unfit_leavings(hook, why, account)),
                });
            if result.is_err() {
                floor.view.artifacts.take_back(before);
            }
            result
        };
        self.call_until(Phase::PreBackup, cancel, &call)
    }

    /// Tells each hook that everything is staged. Failures as before.
    pub fn staged(&mut self, floor: &Floor, cancel: &Cancel) -> Result<(), HookFailure> {
        let call = |hook: &Hook, run: &RunInfo, cancel: &Cancel| {
            hook.staged(run, Arc::clone(&floor.capabilities), cancel)
        };
        self.call_until(Phase::Staged, cancel, &call)
    }

    /// Lets each hook make ready for a restore in place. Failures as before.
    pub fn pre_restore(&mut self, floor: &Floor, cancel: &Cancel) -> Result<(), HookFailure> {
        let call = |hook: &Hook, run: &RunInfo, cancel: &Cancel| {
            hook.pre_restore(run, Arc::clone(&floor.capabilities), cancel)
        };
        self.call_until(Phase::PreRestore, cancel, &call)
    }

    /// Tells every hook how the backup ended.
    pub fn post_backup(&mut self, report: &Report, floor: &Floor, cancel: &Cancel) {
        let call = |hook: &Hook, run: &RunInfo, cancel: &Cancel| {
            hook.post_backup(run, report.clone(), Arc::clone(&floor.capabilities), cancel)
        };
        self.call_all(Phase::PostBackup, cancel, &call);
    }

    /// Tells one hook how a backup ended; `None` where there is none of this name that could be told.
    pub fn post_backup_of(
        &mut self,
        name: &str,
        report: &Report,
        floor: &Floor,
        cancel: &Cancel,
    ) -> Option<Result<(), HookFailure>> {
        let mut part = self.taking_part(Phase::PostBackup).into_iter();
        let at = part.find(|&at| self.loaded[at].name() == name)?;
        let call = |hook: &Hook, run: &RunInfo, cancel: &Cancel| {
            hook.post_backup(run, report.clone(), Arc::clone(&floor.capabilities), cancel)
        };
        let told = self.call_one(at, Phase::PostBackup, cancel, &call);
        self.shortcomings.extend(told.as_ref().err().cloned());
        Some(told)
    }

    /// Tells every hook how the restore ended.
    pub fn post_restore(&mut self, report: &Report, floor: &Floor, cancel: &Cancel) {
        let call = |hook: &Hook, run: &RunInfo, cancel: &Cancel| {
            hook.post_restore(run, report.clone(), Arc::clone(&floor.capabilities), cancel)
        };
        self.call_all(Phase::PostRestore, cancel, &call);
    }

    /// Lets every hook try a restored copy; what they find wrong with it.
    pub fn drill(&mut self, floor: &Floor, cancel: &Cancel) -> Vec<HookFailure> {
        let mut wrong = Vec::new();
        for at in self.taking_part(Phase::Drill) {
            let (hook, run) = (&self.loaded[at], &self.run);
            let result = hook.drill(run, Arc::clone(&floor.capabilities), cancel);
            let Err(failure) = self.write_down(at, Phase::Drill, result) else {
                continue;
            };
            if self.is_only_told(at, &failure) {
                self.shortcomings.push(failure);
                continue;
            }
            let over = failure.kind == FailureKind::Interrupted;
            wrong.push(failure);
            if over {
                break;
            }
        }
        wrong
    }

    /// Writes down what filters did in a walk.
    pub fn filtered(&mut self, accounts: Vec<(String, Account)>) {
        let run = |(hook, account)| HookRun {
            hook,
            phase: Phase::Filter,
            outcome: Ok(()),
            account,
        };
        self.runs.extend(accounts.into_iter().map(run));
    }

    /// The names of those that were called in a phase.
    pub fn called_in(&self, phase: Phase) -> Vec<String> {
        let called = self.runs.iter().filter(|run| run.phase == phase);
        called.map(|run| run.hook.clone()).collect()
    }

    /// What hooks are told of the run from here on.
    pub fn count(&mut self, files: u64, bytes: ByteCount) {
        let counters = &mut self.run.counters;
        counters.insert("files".to_owned(), files);
        counters.insert("bytes".to_owned(), bytes.0);
    }

    /// Writes down that a filter failed, which is always the end of a run.
    pub fn filter_failed(&mut self, failure: Option<&HookFailure>) {
        let run = |failure: &HookFailure| HookRun {
            hook: failure.hook.clone(),
            phase: failure.phase,
            outcome: Err(failure.clone()),
            account: (*failure.account).clone(),
        };
        self.runs.extend(failure.map(run));
    }

    fn call_until(
        &mut self,
        phase: Phase,
        cancel: &Cancel,
        call: &CallOf<'_>,
    ) -> Result<(), HookFailure> {
        for at in self.taking_part(phase) {
            let result = call(&self.loaded[at], &self.run, cancel);
            let Err(failure) = self.write_down(at, phase, result) else {
                continue;
            };
            if !self.is_only_told(at, &failure) {
                return Err(failure);
            }
            self.shortcomings.push(failure);
        }
        Ok(())
    }

    /// One that fails does not keep the next from hearing it, and a signal ends the one that is
    /// being told, not the telling, which has to be short from then on.
    fn call_all(&mut self, phase: Phase, cancel: &Cancel, call: &CallOf<'_>) {
        for at in self.taking_part(phase) {
            let failed = self.call_one(at, phase, cancel, call).err();
            self.shortcomings.extend(failed);
        }
    }

    fn call_one(
        &mut self,
        at: usize,
        phase: Phase,
        cancel: &Cancel,
        call: &CallOf<'_>,
    ) -> Result<(), HookFailure> {
        let result = if cancel.is_cancelled() {
            let own = Cancel::after(AFTER_A_SIGNAL);
            call(&self.loaded[at], &self.run, &own).map_err(too_slow)
        } else {
            call(&self.loaded[at], &self.run, cancel)
        };
        self.write_down(at, phase, result)
    }

    fn taking_part(&self, phase: Phase) -> Vec<usize> {
        let all = self.loaded.iter().enumerate();
        let part = all.filter(|(_, hook)| hook.has(phase));
        part.map(|(at, _)| at).collect()
    }

    /// A signal ends a run whatever an owner says of errors.
    fn is_only_told(&self, at: usize, failure: &HookFailure) -> bool {
        self.on_error[at] == OnError::Warn && failure.kind != FailureKind::Interrupted
    }

    fn write_down(
        &mut self,
        at: usize,
        phase: Phase,
        result: Result<Account, HookFailure>,
    ) -> Result<(), HookFailure> {
        let (outcome, account) = match result {
            Ok(account) => (Ok(()), account),
            Err(failure) => {
                let account = (*failure.account).clone();
                (Err(failure), account)
            }
        };
        self.runs.push(HookRun {
            hook: self.loaded[at].name().to_owned(),
            phase,
            outcome: outcome.clone(),
            account,
        });
        outcome
    }
}

/// What ended a hook that nothing but its time after a signal can have interrupted.
fn too_slow(mut failure: HookFailure) -> HookFailure {
    if failure.kind == FailureKind::Interrupted {
        failure.kind = FailureKind::CutShort {
            limit: AFTER_A_SIGNAL,
        };
    }
    failure
}

/// What a hook left in `/staging` can't join the snapshot: as if it had answered with an error.
fn unfit_leavings(hook: &Hook, why: String, account: Account) -> HookFailure {
    HookFailure {
        hook: hook.name().to_owned(),
        phase: Phase::PreBackup,
        kind: FailureKind::Error {
            code: "invalid".to_owned(),
            message: why,
        },
        last_words: Vec::new(),
        account: Box::new(account),
    }
}
