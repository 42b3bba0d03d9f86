//! What hooks run on: a WebAssembly engine with its interfaces, its ticker, and where guests wait.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use copal_core::units::ByteCount;
use wasmtime::component::{HasData, Linker};
use wasmtime::{Config, Engine, WasmBacktraceDetails};

use crate::bindings::Host_;
use crate::call::State;
use crate::gate::Gate;
use crate::runtime::Waiting;
use crate::{EngineError, outgoing, wasi};

/// How often a computing hook is looked at.
const TICK: Duration = Duration::from_millis(10);

/// What a guest's stack is put on: the host's deeds run there too.
const HOST_STACK: usize = 2 * 1024 * 1024;

/// An engine for one size of stack, which wasmtime keeps by engine.
pub(crate) struct Machine {
    pub(crate) linker: Linker<State>,
    pub(crate) waiting: Arc<Waiting>,
    _ticker: Ticker,
}

impl Machine {
    pub(crate) fn new(stack: ByteCount, waiting: &Arc<Waiting>) -> Result<Self, EngineError> {
        let stack = usize::try_from(stack.0).unwrap_or(usize::MAX);
        let mut config = Config::new();
        config
            .concurrency_support(false)
            .epoch_interruption(true)
            .max_wasm_stack(stack)
            .async_stack_size(stack.saturating_add(HOST_STACK))
            .wasm_backtrace_details(WasmBacktraceDetails::Disable)
            // Compiled components are kept, and these would be a tenth of each. wasmtime's own
            // backtraces need neither: they name functions all the same.
            .generate_address_map(false)
            .native_unwind_info(false);
        let engine = Engine::new(&config).map_err(|error| EngineError::wasmtime(&error))?;
        let linker = linker(&engine).map_err(|error| EngineError::wasmtime(&error))?;
        Ok(Self {
            linker,
            waiting: Arc::clone(waiting),
            _ticker: Ticker::start(&engine)?,
        })
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.linker.engine()
    }
}

/// All that hooks may import: Copal's interfaces, which pass the gate, and WASI.
fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    Host_::add_to_linker::<_, TheGate>(&mut linker, |state: &mut State| &mut state.gate)?;
    wasi::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    outgoing::add_to_linker(&mut linker)?;
    Ok(linker)
}

/// Says that what all imports work on is the gate.
struct TheGate;

impl HasData for TheGate {
    type Data<'a> = &'a mut Gate;
}

/// Advances the engine's epoch, which makes every running guest look up from its work.
struct Ticker {
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
            .map_err(|error| EngineError::thread(&error))?;
        Ok(Self { _running: running })
    }
}
