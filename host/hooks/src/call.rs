//! One instance of a hook, and calls into it under its limits.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::Instance;
use wasmtime::{Store, UpdateDeadline};

use crate::bindings::copal::hooks::types::Error;
use crate::clock::Clock;
use crate::exports::{Exports, Indices};
use crate::failure::Stop;
use crate::gate::Gate;
use crate::guest_log::GuestLog;
use crate::memory::MemoryLimiter;
use crate::{
    Account, Cancel, Capabilities, FailureKind, Hook, HookFailure, Limits, Phase, Report, RunInfo,
};

/// What belongs to one instance on the host's side.
pub(crate) struct State {
    pub(crate) gate: Gate,
    memory: MemoryLimiter,
}

/// What a phase brings to a hook.
pub(crate) struct Meeting<'a> {
    phase: Phase,
    run: &'a RunInfo,
    cancel: &'a Cancel,
    capabilities: Option<Arc<dyn Capabilities>>,
    pub(crate) report: Option<Report>,
}

impl<'a> Meeting<'a> {
    pub(crate) fn new(phase: Phase, run: &'a RunInfo, cancel: &'a Cancel) -> Self {
        Self {
            phase,
            run,
            cancel,
            capabilities: None,
            report: None,
        }
    }

    /// Lets the hook use capabilities.
    pub(crate) fn with(mut self, capabilities: Arc<dyn Capabilities>) -> Self {
        self.capabilities = Some(capabilities);
        self
    }
}

/// A running instance.
pub(crate) struct Guest {
    store: Store<State>,
    instance: Instance,
    limits: Limits,
}

impl Guest {
    /// A fresh instance, with the functions of the phase that is to be called.
    pub(crate) fn enter<I: Indices>(
        hook: &Hook,
        meeting: Meeting<'_>,
        indices: Option<&I>,
    ) -> Result<(Self, I::Functions), HookFailure> {
        let Some(indices) = indices else {
            return Err(HookFailure {
                hook: hook.name().to_owned(),
                phase: meeting.phase,
                kind: FailureKind::NotExported,
                last_words: Vec::new(),
                account: Account::default(),
            });
        };
        let mut guest = Self::instantiate(hook, meeting)?;
        match indices.load(&mut guest.store, &guest.instance) {
            Ok(functions) => Ok((guest, functions)),
            Err(error) => Err(guest.failure(FailureKind::Host(format!("{error:#}")))),
        }
    }

    pub(crate) fn instantiate(hook: &Hook, meeting: Meeting<'_>) -> Result<Self, HookFailure> {
        let limits = hook.limits;
        let mut store = Store::new(hook.pre.engine(), State::new(hook, meeting));
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(usize::try_from(limits.hostcall.0).unwrap_or(usize::MAX));
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|context| {
            context.data().gate.at_tick()?;
            Ok(UpdateDeadline::Continue(1))
        });
        store.data_mut().gate.clock.begin(hook.limits.wall);
        match hook.pre.instantiate(&mut store) {
            Ok(instance) => Ok(Self {
                store,
                instance,
                limits,
            }),
            Err(error) => {
                let kind = FailureKind::of(&error, &limits);
                Err(store.data().gate.failure(kind))
            }
        }
    }

    /// Compares the types of `phase` with those that are called; what differs.
    pub(crate) fn check(&mut self, exports: &Exports, phase: Phase) -> Result<(), String> {
        exports.check(phase, &mut self.store, &self.instance)
    }

    /// Calls a function of the guest, which may compute for `limit`.
    ///
    /// After a failure the instance is poisoned and fails for good.
    pub(crate) fn call<T>(
        &mut self,
        limit: Duration,
        function: impl FnOnce(&mut Store<State>) -> wasmtime::Result<Result<T, Error>>,
    ) -> Result<T, HookFailure> {
        self.store.set_epoch_deadline(1);
        self.store.data_mut().gate.clock.begin(limit);
        let result = function(&mut self.store);
        let gate = &mut self.store.data_mut().gate;
        gate.clock.pause();
        gate.account.computed += gate.clock.spent();
        let kind = match result {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => FailureKind::answered(error, &gate.denials),
            Err(error) => FailureKind::of(&error, &self.limits),
        };
        Err(self.failure(kind))
    }

    /// Calls the only function of a phase; what the hook did in it.
    pub(crate) fn finish(
        mut self,
        function: impl FnOnce(&mut Store<State>) -> wasmtime::Result<Result<(), Error>>,
    ) -> Result<Account, HookFailure> {
        self.call(self.limits.wall, function)?;
        Ok(self.into_account())
    }

    pub(crate) fn failure(&self, kind: FailureKind) -> HookFailure {
        self.store.data().gate.failure(kind)
    }

    pub(crate) fn into_account(self) -> Account {
        self.store.into_data().gate.account
    }
}

impl State {
    fn new(hook: &Hook, meeting: Meeting<'_>) -> Self {
        let gate = Gate {
            hook: Arc::clone(&hook.name),
            phase: meeting.phase,
            run: meeting.run.clone(),
            config: Arc::clone(&hook.config),
            grants: Arc::clone(&hook.grants),
            limits: hook.limits,
            capabilities: meeting.capabilities,
            cancel: meeting.cancel.clone(),
            clock: Clock::new(),
            log: GuestLog::new(&hook.name, hook.limits.log),
            account: Account::default(),
            denials: Vec::new(),
            report: meeting.report,
        };
        Self {
            gate,
            memory: MemoryLimiter::new(hook.memory),
        }
    }
}

impl Gate {
    /// Whether a computing guest may go on.
    fn at_tick(&self) -> wasmtime::Result<()> {
        let stop = if self.cancel.is_cancelled() {
            Stop::Interrupted
        } else if self.clock.left().is_zero() {
            Stop::TimedOut {
                limit: self.clock.limit(),
            }
        } else {
            return Ok(());
        };
        Err(wasmtime::Error::new(stop))
    }

    fn failure(&self, kind: FailureKind) -> HookFailure {
        HookFailure {
            hook: self.hook.to_string(),
            phase: self.phase,
            kind,
            last_words: self.log.last_words(),
            account: self.account.clone(),
        }
    }
}
