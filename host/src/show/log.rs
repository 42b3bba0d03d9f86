//! Logs for operators: on stderr, and in the job's file. What a person has to know is never only logged.

use std::io;
use std::sync::OnceLock;

use copal_core::config::LogFormat;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::edge::log::{self, Keeping, TOLD, Telling};

/// The variable that goes above all, in the syntax of `tracing`.
const VARIABLE: &str = "COPAL_LOG";

/// What is in the file, whatever is on stderr: what runs do, and what rclone and hooks say of it.
const IN_THE_FILE: &str = "warn,copal=info,copal_core=info,copal_hooks=info,copal_rclone=info,rclone=info,hook=info,told=info";

/// All that anybody wants to read.
const EVERYTHING: &str = "debug,wasmtime=info,cranelift=info,wasmtime_cranelift=info";

/// What is asked for on the command line.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// How often `-v` was said.
    pub verbose: u8,
    /// Whether `-q` was.
    pub quiet: bool,
    /// On a bench (`copal hook test`) a hook's own lines, and what it was refused, are the case's to expect:
    /// they are shown with a case that fails, and here only if somebody asks.
    pub on_a_bench: bool,
    /// How lines on stderr are written.
    pub format: LogFormat,
    /// Whether the command has a log of its own in a file.
    pub is_kept: bool,
}

/// What is shown on stderr.
struct Shown {
    format: LogFormat,
    level: LevelFilter,
}

static SHOWN: OnceLock<Shown> = OnceLock::new();

/// Starts logging. On stderr by default warnings; and nothing of rclone's, unless everything is asked for: what it
/// can't do comes back as an error, and what it says on the way is often no failure (a directory that is
/// not there yet). In the file it is, with whose it is.
pub fn start(wanted: Wanted) {
    let filter = on_stderr(wanted);
    let level = filter.max_level_hint().unwrap_or(LevelFilter::TRACE);
    let format = wanted.format;
    drop(SHOWN.set(Shown { format, level }));
    let text = (format == LogFormat::Text).then(|| {
        fmt::layer()
            .with_writer(io::stderr)
            .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
            .with_filter(on_stderr(wanted).and(filter_fn(shows_no_url)))
    });
    let json = (format == LogFormat::Json)
        .then(|| Telling.with_filter(filter.and(filter_fn(shows_no_url))));
    let file = wanted
        .is_kept
        .then(|| Keeping.with_filter(in_the_file(wanted).and(filter_fn(shows_no_url))));
    if !wanted.is_kept {
        log::end();
    }
    tracing_subscriber::registry()
        .with(text)
        .with(json)
        .with(file)
        .init();
}

/// Whether lines of this level are on stderr.
pub(super) fn shows(level: Level) -> bool {
    SHOWN.get().is_some_and(|shown| level <= shown.level)
}

/// Whether warnings are on stderr, and nothing that is less grave.
pub(super) fn shows_warnings_alone() -> bool {
    shows(Level::WARN) && !shows(Level::INFO)
}

/// Whether stderr is for programs.
pub(super) fn is_json() -> bool {
    SHOWN
        .get()
        .is_some_and(|shown| shown.format == LogFormat::Json)
}

fn on_stderr(wanted: Wanted) -> EnvFilter {
    let level = match (wanted.quiet, wanted.verbose) {
        (true, _) => "error,rclone=off",
        (false, 0) => "warn,rclone=off",
        (false, 1) => "info,rclone=off",
        (false, _) => EVERYTHING,
    };
    let hooks = if wanted.on_a_bench && wanted.verbose == 0 {
        ",hook=off,copal_hooks::gate=off"
    } else if wanted.is_kept && wanted.format == LogFormat::Text && wanted.verbose == 0 {
        // What hooks of a run warn of is told with its result.
        ",hook=error"
    } else {
        ""
    };
    let filter = EnvFilter::try_from_env(VARIABLE)
        .unwrap_or_else(|_| EnvFilter::new(format!("{level}{hooks}")));
    // People read it in three parts, from `message`.
    let told = match wanted.format {
        LogFormat::Text => LevelFilter::OFF,
        LogFormat::Json => LevelFilter::INFO,
    };
    let told = format!("{TOLD}={told}").parse();
    filter.add_directive(told.expect("a target and a level are a directive"))
}

/// Logged at more than this, the client of HTTP shows whole URLs, and a path may be a secret: whatever is asked for.
fn shows_no_url(line: &Metadata<'_>) -> bool {
    !line.target().starts_with("ureq") || *line.level() <= Level::INFO
}

fn in_the_file(wanted: Wanted) -> EnvFilter {
    let level = if wanted.verbose > 1 {
        EVERYTHING
    } else {
        IN_THE_FILE
    };
    EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(level))
}
