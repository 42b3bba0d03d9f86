//! Logs for operators, on stderr. What a person has to know is never only logged.

use std::io;

use tracing_subscriber::EnvFilter;

/// Starts logging. By default warnings, and nothing of rclone's: what it can't do comes back as an
/// error, and what it says on the way is often no failure (a directory that is not there yet).
/// `COPAL_LOG` (in the syntax of `tracing`) goes above all.
pub fn start(verbose: u8, quiet: bool) {
    let level = match (quiet, verbose) {
        (true, _) => "error,rclone=off",
        (false, 0) => "warn,rclone=off",
        (false, 1) => "info",
        (false, _) => "debug,wasmtime=info,cranelift=info,wasmtime_cranelift=info",
    };
    let filter = EnvFilter::try_from_env("COPAL_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
        .init();
}
