//! One instance of a hook, and calls into it under its limits.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{Instance, ResourceTable};
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::bindings::copal::hooks::types::Error;
use crate::budget::Budget;
use crate::exports::{Exports, Indices};
use crate::gate::{Gate, Meeting};
use crate::memory::MemoryLimiter;
use crate::runtime::Waiting;
use crate::stdio::Stdio;
use crate::{Account, FailureKind, Hook, HookFailure, Limits, Phase, outgoing, wasi};

/// What belongs to one instance on the host's side.
pub(crate) struct State {
    pub(crate) gate: Gate,
    /// How many directories it may list at once.
    pub(crate) listings: Budget,
    memory: MemoryLimiter,
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    /// Standard output and error.
    stdio: [Stdio; 2],
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.gate,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

/// A running instance.
pub(crate) struct Guest {
    store: Store<State>,
    instance: Instance,
    limits: Limits,
    waiting: Arc<Waiting>,
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
                account: Box::default(),
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
        let mut store = Store::new(hook.pre.engine(), State::enter(hook, meeting)?);
        store.set_max_component_handles(wasi::HANDLES);
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(usize::try_from(limits.hostcall.0).unwrap_or(usize::MAX));
        store.epoch_deadline_callback(|context| {
            let may_go_on = context.data().gate.watch.check();
            may_go_on.map_err(wasmtime::Error::new)?;
            Ok(UpdateDeadline::Continue(1))
        });
        let waiting = Arc::clone(&hook.machine.waiting);
        let instance = guarded(&waiting, &mut store, limits.wall, async |store| {
            hook.pre.instantiate_async(store).await
        });
        match instance {
            Ok(instance) => Ok(Self {
                store,
                instance,
                limits,
                waiting,
            }),
            Err(error) => Err(store.data().failure(FailureKind::of(&error, &limits))),
        }
    }

    /// Compares the types of `phase` with those that are called; what differs.
    pub(crate) fn check(&mut self, exports: &Exports, phase: Phase) -> Result<(), String> {
        exports.check(phase, &mut self.store, &self.instance)
    }

    /// Calls a function of the guest, which may compute and wait for `limit`.
    ///
    /// After a failure the instance is poisoned and fails for good.
    pub(crate) fn call<T>(
        &mut self,
        limit: Duration,
        function: impl AsyncFnOnce(&mut Store<State>) -> wasmtime::Result<Result<T, Error>>,
    ) -> Result<T, HookFailure> {
        let result = guarded(&self.waiting, &mut self.store, limit, function);
        let kind = match result {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => FailureKind::answered(error, &self.store.data().gate.spoken()),
            Err(error) => FailureKind::of(&error, &self.limits),
        };
        Err(self.failure(kind))
    }

    /// Calls the only function of a phase; what the hook did in it.
    pub(crate) fn finish(
        mut self,
        function: impl AsyncFnOnce(&mut Store<State>) -> wasmtime::Result<Result<(), Error>>,
    ) -> Result<Account, HookFailure> {
        self.call(self.limits.wall, function)?;
        Ok(self.into_account())
    }

    pub(crate) fn failure(&self, kind: FailureKind) -> HookFailure {
        self.store.data().failure(kind)
    }

    pub(crate) fn into_account(self) -> Account {
        let state = self.store.into_data();
        state.end_lines();
        state.gate.account()
    }
}

/// Lets a guest compute and wait for `limit`: an epoch's end stops one that computes, a timer one that
/// waits.
fn guarded<T>(
    waiting: &Waiting,
    store: &mut Store<State>,
    limit: Duration,
    function: impl AsyncFnOnce(&mut Store<State>) -> wasmtime::Result<T>,
) -> wasmtime::Result<T> {
    store.set_epoch_deadline(1);
    let watch = store.data().gate.watch.clone();
    watch.clock(|clock| clock.begin(limit));
    let result = waiting.block_on(async {
        tokio::select! {
            biased;
            result = function(store) => result,
            stop = watch.until_stopped() => Err(wasmtime::Error::new(stop)),
        }
    });
    let spent = watch.clock(|clock| {
        clock.pause();
        clock.spent()
    });
    store.data_mut().gate.computed += spent;
    result
}

fn http_context() -> WasiHttpCtx {
    let mut context = WasiHttpCtx::new();
    context.set_field_size_limit(outgoing::HEADERS);
    context
}

impl State {
    fn enter(hook: &Hook, meeting: Meeting<'_>) -> Result<Self, HookFailure> {
        let mut gate = Gate::new(meeting);
        let stdio = [Stdio::new(&gate.log), Stdio::new(&gate.log)];
        let trees = match gate.trees() {
            Ok(Ok(trees)) => trees,
            Ok(Err(error)) => return Err(gate.failure(FailureKind::Host(error.to_string()))),
            Err(stop) => return Err(gate.failure((&stop).into())),
        };
        match wasi::context(&stdio, &trees) {
            Ok(wasi) => Ok(Self {
                gate,
                listings: Budget::of(wasi::LISTINGS),
                memory: MemoryLimiter::new(hook.memory),
                table: wasi::table(),
                wasi,
                http: http_context(),
                stdio,
            }),
            Err(why) => Err(gate.failure(FailureKind::Host(why))),
        }
    }

    fn failure(&self, kind: FailureKind) -> HookFailure {
        self.end_lines();
        self.gate.failure(kind)
    }

    /// Hears what the guest wrote last, though it did not end the line.
    fn end_lines(&self) {
        self.stdio.iter().for_each(Stdio::flush);
    }
}
