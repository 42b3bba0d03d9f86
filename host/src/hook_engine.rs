//! The engine that runs hooks on this machine, with a cache of its own.

use std::path::PathBuf;
use std::sync::OnceLock;

use copal_hooks::{Compiling, EngineError, HookEngine};

use crate::edge::state::StateDir;

/// Whoever is told when a component is compiled.
pub type Listener = Box<dyn Fn(Compiling<'_>) + Send + Sync>;

/// Makes a listener for an engine; nobody is told where it is not set.
static LISTENER: OnceLock<fn() -> Listener> = OnceLock::new();

/// Has listeners hear of what engines compile that are made from here on. The first word counts.
pub fn tell_by(listener: fn() -> Listener) {
    LISTENER.get_or_init(|| listener);
}

/// An engine that keeps what it compiles, where there is a place for it.
pub fn engine() -> Result<HookEngine, EngineError> {
    let mut engine = HookEngine::new()?;
    if let Some(listener) = LISTENER.get() {
        engine = engine.on_compile(listener());
    }
    if let Some(directory) = cache_directory() {
        engine = engine.cached(&directory);
    }
    Ok(engine)
}

/// `$XDG_CACHE_HOME/copal/hooks`, else in the state directory; none where there is neither.
pub fn cache_directory() -> Option<PathBuf> {
    let variable = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    // Relative paths are to be ignored, says the specification of these variables.
    match variable.filter(|path| path.is_absolute()) {
        Some(cache) => Some(cache.join("copal/hooks")),
        None => Some(StateDir::from_environment()?.path().join("cache/hooks")),
    }
}
