//! Loads components.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use copal_core::digest::Sha256;
use sha2::Digest as _;
use wasmtime::component::{Component, HasData, Linker};
use wasmtime::{Config, Engine, WasmBacktraceDetails};

use crate::bindings::Host_;
use crate::call::State;
use crate::exports::Exports;
use crate::gate::Gate;
use crate::{Flaw, Grants, Hook, HookError, Limits, check};

/// How often a computing hook is looked at.
const TICK: Duration = Duration::from_millis(10);

/// A component with all that its owner says about it.
#[derive(Debug, Clone)]
pub struct HookSpec<'a> {
    /// The name it has in logs, errors and the manifest.
    pub name: &'a str,
    /// The component's bytes, never a precompiled form.
    pub component: &'a [u8],
    /// The `config` table: an object, or null for none.
    pub config: serde_json::Value,
    /// What it may touch.
    pub grants: Grants,
    /// How much it may use.
    pub limits: Limits,
}

/// Compiles and links components. One engine serves all hooks of a process.
pub struct HookEngine {
    linker: Linker<State>,
    ticker: Arc<Ticker>,
}

impl HookEngine {
    /// An engine for this machine.
    ///
    /// # Errors
    /// Where wasmtime can't run on this machine, or no thread can be started.
    pub fn new() -> Result<Self, EngineError> {
        let mut config = Config::new();
        config
            .concurrency_support(false)
            .epoch_interruption(true)
            .max_wasm_stack(512 * 1024)
            .wasm_backtrace_details(WasmBacktraceDetails::Disable);
        let engine = Engine::new(&config).map_err(|error| EngineError::wasmtime(&error))?;
        let mut linker = Linker::new(&engine);
        Host_::add_to_linker::<_, TheGate>(&mut linker, |state: &mut State| &mut state.gate)
            .map_err(|error| EngineError::wasmtime(&error))?;
        let ticker = Arc::new(Ticker::start(&engine)?);
        Ok(Self { linker, ticker })
    }

    /// Compiles a component, checks that it fits, and finds the phases that it exports.
    ///
    /// # Errors
    /// [`HookError`] names the hook and what is wrong with the component.
    pub fn load(&self, spec: HookSpec<'_>) -> Result<Hook, HookError> {
        let name: Arc<str> = spec.name.into();
        self.fit(&name, spec).map_err(|flaw| HookError {
            hook: name.to_string(),
            flaw,
        })
    }

    fn fit(&self, name: &Arc<str>, spec: HookSpec<'_>) -> Result<Hook, Flaw> {
        let config = match &spec.config {
            serde_json::Value::Null => "{}".to_owned(),
            table @ serde_json::Value::Object(_) => table.to_string(),
            _ => return Err(Flaw::ConfigNotATable),
        };
        check::header(spec.component)?;
        let engine = self.linker.engine();
        let component = Component::from_binary(engine, spec.component)
            .map_err(|error| check::not_compiled(&error))?;
        let phases = check::phases(engine, &component)?;
        let pre = self
            .linker
            .instantiate_pre(&component)
            .map_err(|error| Flaw::UnfitImports(error.root_cause().to_string()))?;
        let digest = Sha256::from_bytes(sha2::Sha256::digest(spec.component).into());
        let hook = Hook {
            name: Arc::clone(name),
            digest,
            config: config.into(),
            grants: Arc::new(spec.grants),
            limits: spec.limits,
            memory: spec.limits.memory_of(spec.component.len()),
            exports: Exports::of(&phases, &pre)?,
            pre,
            _ticker: Arc::clone(&self.ticker),
        };
        hook.check_types()?;
        Ok(hook)
    }
}

/// Hooks can't be run on this machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("WebAssembly can't be run here: {0}")]
pub struct EngineError(String);

impl EngineError {
    fn wasmtime(error: &wasmtime::Error) -> Self {
        Self(format!("{error:#}"))
    }
}

/// Says that what all imports work on is the gate.
struct TheGate;

impl HasData for TheGate {
    type Data<'a> = &'a mut Gate;
}

/// Advances the engine's epoch, which makes every running guest look up from its work.
pub(crate) struct Ticker {
    /// Dropping it ends the thread.
    _running: Sender<()>,
}

impl Ticker {
    fn start(engine: &Engine) -> Result<Self, EngineError> {
        let (running, ended) = mpsc::channel::<()>();
        let engine = engine.clone();
        thread::Builder::new()
            .name("hook-ticker".into())
            .spawn(move || {
                while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                    engine.increment_epoch();
                }
            })
            .map_err(|error| EngineError(format!("no thread for the clock: {error}")))?;
        Ok(Self { _running: running })
    }
}
