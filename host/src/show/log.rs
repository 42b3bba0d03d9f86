//! Logs for operators, on stderr. What a person has to know is never only logged.

use std::io;

use tracing_subscriber::EnvFilter;

/// Starts logging. By default warnings; and nothing of rclone's, unless everything is asked for: what it
/// can't do comes back as an error, and what it says on the way is often no failure (a directory that is
/// not there yet).
/// `COPAL_LOG` (in the syntax of `tracing`) goes above all.
///
/// On a bench (`copal hook test`) a hook's own lines, and what it was refused, are the case's to expect:
/// they are shown with a case that fails, and here only if somebody asks.
pub fn start(verbose: u8, quiet: bool, on_a_bench: bool) {
    let level = match (quiet, verbose) {
        (true, _) => "error,rclone=off",
        (false, 0) => "warn,rclone=off",
        (false, 1) => "info,rclone=off",
        (false, _) => "debug,wasmtime=info,cranelift=info,wasmtime_cranelift=info",
    };
    let hooks = if on_a_bench && verbose == 0 {
        ",hook=off,copal_hooks::gate=off"
    } else {
        ""
    };
    let filter = EnvFilter::try_from_env("COPAL_LOG")
        .unwrap_or_else(|_| EnvFilter::new(format!("{level}{hooks}")));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
        .init();
}
