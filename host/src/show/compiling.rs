//! A word to whoever waits while a component is compiled.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::Duration;

use copal_core::units::ByteCount;
use copal_hooks::Compiling;
use indicatif::ProgressBar;

use super::message;
use crate::hook_engine::Listener;

/// A component beyond this size takes more than about a second.
const SLOW: ByteCount = ByteCount(2 * 1024 * 1024);

/// Says of a large component that it is compiled, once: what is kept is there the next time.
pub fn listener() -> Listener {
    let spinners: Mutex<Vec<(String, ProgressBar)>> = Mutex::default();
    Box::new(move |compiling| {
        // `--quiet` shows in the level of the log, and is not known here otherwise.
        if !super::log::shows(tracing::Level::WARN) {
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
    })
}
