//! The engine that runs hooks on this machine: with a cache of its own, and a word to whoever waits
//! while a component is compiled.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use copal_core::units::ByteCount;
use copal_hooks::{Compiling, EngineError, HookEngine};
use indicatif::ProgressBar;

use crate::edge::state::StateDir;
use crate::show::message;

/// A component beyond this size takes more than about a second.
const SLOW: ByteCount = ByteCount(2 * 1024 * 1024);

/// An engine that keeps what it compiles, where there is a place for it.
pub fn engine() -> Result<HookEngine, EngineError> {
    let mut engine = HookEngine::new()?.on_compile(Box::new(tell()));
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

/// Says of a large component that it is compiled, once: what is kept is there the next time.
fn tell() -> impl Fn(Compiling<'_>) + Send + Sync {
    let spinners: Mutex<Vec<(String, ProgressBar)>> = Mutex::default();
    move |compiling| {
        // `--quiet` shows in the level of the log, and is not known here otherwise.
        if !tracing::enabled!(tracing::Level::WARN) {
            return;
        }
        let mut spinners = spinners.lock().expect("no holder of this lock panics");
        match compiling {
            Compiling::Begins { hook, size } if size >= SLOW => {
                let text = format!("compiling hook `{hook}` ({size}); what comes of it is kept");
                if std::io::stderr().is_terminal() {
                    let spinner = ProgressBar::new_spinner().with_message(text);
                    spinner.enable_steady_tick(Duration::from_millis(100));
                    spinners.push((hook.to_owned(), spinner));
                } else {
                    message::note(&text);
                }
            }
            Compiling::Begins { .. } => {}
            Compiling::Ends { hook, took } => {
                if let Some(at) = spinners.iter().position(|(of, _)| of == hook) {
                    let (_, spinner) = spinners.swap_remove(at);
                    spinner.finish_and_clear();
                    tracing::info!(hook, ?took, "compiled");
                }
            }
        }
    }
}
