//! Loads components.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use copal_core::digest::Sha256;
use copal_core::grants::{Grants, InForce};
use copal_core::units::ByteCount;
use wasmtime::component::Component;

use crate::cache::{self, Cache, Found};
use crate::exports::Exports;
use crate::inspect::Inspected;
use crate::machine::Machine;
use crate::runtime::Waiting;
use crate::{Flaw, Hook, HookError, Limits, check};

/// A component with all that its owner says about it.
#[derive(Debug, Clone)]
pub struct HookSpec<'a> {
    /// The name it has in logs, errors and the manifest.
    pub name: &'a str,
    /// The component's bytes, never a precompiled form.
    pub component: &'a [u8],
    /// The `config` table: an object, or null for none.
    pub config: serde_json::Value,
    /// What its owner grants.
    pub grants: Grants,
    /// How much it may use.
    pub limits: Limits,
}

/// Compiles and links components. One engine serves all hooks of a process. Its calls block, and are
/// not for threads of an async runtime.
pub struct HookEngine {
    waiting: Arc<Waiting>,
    /// By the size of the stack.
    places: Mutex<BTreeMap<u64, Arc<Place>>>,
    cache: Option<PathBuf>,
    on_compile: Option<Box<OnCompile>>,
}

/// Where components are compiled and kept.
struct Place {
    machine: Arc<Machine>,
    cache: Option<Cache>,
}

/// Told when a component begins to be compiled, and when that has ended. Several may be compiled at
/// once, each on a thread of its own.
pub type OnCompile = dyn Fn(Compiling<'_>) + Send + Sync;

/// A component that is compiled because no compiled form of it is at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compiling<'a> {
    /// It begins. A component of a megabyte takes about half a second on one core.
    Begins {
        /// The hook's name.
        hook: &'a str,
        /// The component's size.
        size: ByteCount,
    },
    /// It has ended, well or not.
    Ends {
        /// The hook's name.
        hook: &'a str,
        /// How long it took.
        took: Duration,
    },
}

impl HookEngine {
    /// An engine for this machine.
    ///
    /// # Errors
    /// Where wasmtime can't run on this machine, or no thread can be started.
    pub fn new() -> Result<Self, EngineError> {
        let waiting = Waiting::new().map_err(|error| EngineError::thread(&error))?;
        let engine = Self {
            waiting: Arc::new(waiting),
            places: Mutex::default(),
            cache: None,
            on_compile: None,
        };
        engine.place(Limits::default().stack)?;
        Ok(engine)
    }

    /// Keeps what it compiles in this directory, and looks there first. The directory is made where
    /// there is none; one that others may enter is not used, nor is one of somebody else's. Then,
    /// as where something is wrong with an entry, components are compiled as if there were no cache.
    #[must_use]
    pub fn cached(mut self, directory: &Path) -> Self {
        self.cache = Some(directory.to_owned());
        let places = self
            .places
            .get_mut()
            .expect("no holder of this lock panics");
        for place in places.values_mut() {
            let machine = Arc::clone(&place.machine);
            *place = Arc::new(Place::new(machine, Some(directory)));
        }
        self
    }

    /// The place for components with a stack of this size.
    fn place(&self, stack: ByteCount) -> Result<Arc<Place>, EngineError> {
        let mut places = self.places.lock().expect("no holder of this lock panics");
        if let Some(place) = places.get(&stack.0) {
            return Ok(Arc::clone(place));
        }
        let machine = Machine::new(stack, &self.waiting)?;
        let place = Arc::new(Place::new(Arc::new(machine), self.cache.as_deref()));
        places.insert(stack.0, Arc::clone(&place));
        Ok(place)
    }

    /// Has `told` told of each component that is compiled.
    #[must_use]
    pub fn on_compile(mut self, told: Box<OnCompile>) -> Self {
        self.on_compile = Some(told);
        self
    }

    /// Compiles a component, checks that it fits, and finds the phases that it exports.
    ///
    /// # Errors
    /// [`HookError`] names the hook and what is wrong with the component.
    pub fn load(&self, spec: HookSpec<'_>) -> Result<Hook, HookError> {
        self.load_if(spec, |_| Ok(()))
    }

    /// The same, if `may` lets a component of this digest pass: before that, it is neither compiled
    /// nor run. Computing the digest of a large component takes as long as loading what was compiled
    /// of it, and goes on beside.
    ///
    /// # Errors
    /// Those of `may`, before all others.
    pub fn load_if<E: From<HookError>>(
        &self,
        spec: HookSpec<'_>,
        may: impl FnOnce(Sha256) -> Result<(), E>,
    ) -> Result<Hook, E> {
        let name: Arc<str> = spec.name.into();
        let refused = |flaw| HookError {
            hook: name.to_string(),
            flaw,
        };
        let place = self.place(spec.limits.stack);
        let place = place.map_err(|error| refused(Flaw::Engine(error)))?;
        let (found, known) = cache::find(
            place.cache.as_ref(),
            place.machine.engine(),
            spec.component,
            || Inspected::of(spec.component),
        );
        may(found.digest)?;
        let hook = known.and_then(|known| self.fit(&name, spec, &place, found, known));
        Ok(hook.map_err(refused)?)
    }

    fn fit(
        &self,
        name: &Arc<str>,
        spec: HookSpec<'_>,
        place: &Place,
        Found { digest, component }: Found,
        known: Inspected,
    ) -> Result<Hook, Flaw> {
        let config = match &spec.config {
            serde_json::Value::Null => "{}".to_owned(),
            table @ serde_json::Value::Object(_) => table.to_string(),
            _ => return Err(Flaw::ConfigNotATable),
        };
        let machine = &place.machine;
        let is_new = component.is_none();
        let component = match component {
            Some(component) => component,
            None => self.compile(machine, name, spec.component)?,
        };
        let pre = machine
            .linker
            .instantiate_pre(&component)
            .map_err(|error| Flaw::UnfitImports(error.root_cause().to_string()))?;
        let hook = Hook {
            name: Arc::clone(name),
            digest,
            config: config.into(),
            in_force: Arc::new(InForce {
                grants: spec.grants,
                requests: known.requests,
            }),
            limits: spec.limits,
            memory: spec.limits.memory_of(spec.component.len()),
            exports: Exports::of(&known.phases, &pre)?,
            pre,
            is_from_cache: !is_new,
            machine: Arc::clone(machine),
        };
        // What was kept had been checked before.
        if is_new {
            hook.check_types()?;
            if let Some(cache) = &place.cache {
                cache.keep(spec.component, digest, &component);
            }
        }
        Ok(hook)
    }

    fn compile(&self, machine: &Machine, hook: &str, component: &[u8]) -> Result<Component, Flaw> {
        let tell = |what| {
            if let Some(told) = &self.on_compile {
                told(what);
            }
        };
        let size = ByteCount(component.len() as u64);
        tell(Compiling::Begins { hook, size });
        let began = Instant::now();
        let compiled = Component::from_binary(machine.engine(), component);
        let took = began.elapsed();
        tell(Compiling::Ends { hook, took });
        compiled.map_err(|error| check::not_compiled(&error))
    }
}

impl Place {
    fn new(machine: Arc<Machine>, cache: Option<&Path>) -> Self {
        let cache = cache.and_then(|directory| {
            let opened = Cache::open(directory, machine.engine());
            opened
                .inspect_err(|error| {
                    let directory = directory.display();
                    tracing::warn!(%directory, %error, "compiled components are not kept");
                })
                .ok()
        });
        Self { machine, cache }
    }
}

/// Hooks can't be run on this machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("WebAssembly can't be run here: {0}")]
pub struct EngineError(String);

impl EngineError {
    pub(crate) fn wasmtime(error: &wasmtime::Error) -> Self {
        Self(format!("{error:#}"))
    }

    pub(crate) fn thread(error: &std::io::Error) -> Self {
        Self(format!("no thread can be started: {error}"))
    }
}
