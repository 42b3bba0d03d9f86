//! Why a call of a hook did not succeed.

use std::fmt;
use std::time::Duration;

use copal_core::units::ByteCount;
use wasmtime::component::ResourceTableError;
use wasmtime::{Trap, WasmBacktrace};

use crate::{Account, Denial, Limits, Phase, wasi};

/// A hook that failed in a phase. Its instance is gone; other phases get a fresh one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookFailure {
    /// The hook's name.
    pub hook: String,
    /// The phase it was called in.
    pub phase: Phase,
    /// What happened.
    pub kind: FailureKind,
    /// The last lines that the hook logged, oldest first; the text of a panic is among them.
    pub last_words: Vec<String>,
    /// What it did until then.
    pub account: Box<Account>,
}

impl fmt::Display for HookFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A denial names the hook itself.
        if let FailureKind::Denied(denial) = &self.kind {
            return denial.fmt(f);
        }
        write!(
            f,
            "hook `{}` failed in {}: {}",
            self.hook, self.phase, self.kind
        )
    }
}

impl std::error::Error for HookFailure {}

/// The ways in which a hook fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FailureKind {
    /// It answered with an error.
    #[error("{message}")]
    Error {
        /// `invalid`, `missing`, `timed-out`, `failed`, or a word of the hook's own.
        code: String,
        /// The hook's own words.
        message: String,
    },
    /// It asked for something that it was not granted, and gave up.
    #[error("{0}")]
    Denied(Box<Denial>),
    /// Its code came to an end that it did not mean, for example by a panic.
    #[error("it trapped: {what}")]
    Trap {
        /// The kind of trap.
        what: String,
        /// The functions that were running, innermost first.
        backtrace: Vec<String>,
    },
    /// It computed and waited longer than it may.
    #[error(
        "it computed and waited for longer than {limit:?} (`wall`, or `filter_wall` for a batch of paths, in its `limits`)"
    )]
    TimedOut {
        /// How long it may.
        limit: Duration,
    },
    /// It wanted more memory than it may have.
    #[error("it wanted {wanted} of memory, and may have {limit} (`memory` in its `limits`)")]
    OutOfMemory {
        /// How much it may have.
        limit: ByteCount,
        /// How much it would have had.
        wanted: ByteCount,
    },
    /// Its calls nested too deeply.
    #[error("its calls nested deeper than its stack of {limit} allows (`stack` in its `limits`)")]
    OutOfStack {
        /// The size of the stack.
        limit: ByteCount,
    },
    /// It went beyond another limit.
    #[error("it went beyond its limit: {0}")]
    BeyondLimit(String),
    /// Its answer breaks the contract, for example by its length.
    #[error("its answer breaks the contract: {0}")]
    BadAnswer(String),
    /// It does not take part in this phase.
    #[error("it does not export this phase")]
    NotExported,
    /// It was ended because the run was asked to end.
    #[error("it was interrupted")]
    Interrupted,
    /// It was told of the end of a run that was asked to end, and took too long.
    #[error("it took longer than {limit:?}, and has no more when it is told after a signal")]
    CutShort {
        /// How long it may.
        limit: Duration,
    },
    /// The host could not run it.
    #[error("the host could not run it: {0}")]
    Host(String),
}

/// Ends a guest from the host's side. Travels through wasmtime as an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    #[error("interrupted")]
    Interrupted,
    #[error("computed for longer than {limit:?}")]
    TimedOut { limit: Duration },
    #[error("wanted {wanted} of memory, and may have {limit}")]
    OutOfMemory { limit: ByteCount, wanted: ByteCount },
    #[error("more than {limit} table elements")]
    TooManyTableElements { limit: usize },
    #[error("more than {limit} directories listed at once")]
    TooManyListings { limit: u64 },
    #[error("more than {most} bytes written to a stream at once")]
    TooMuchAtOnce { most: usize },
    #[error("more than {limit} calls of capabilities in one phase (`calls` in its `limits`)")]
    TooManyCalls { limit: u32 },
    #[error("a fault of Copal's own: {0}")]
    HostFailed(String),
}

impl From<&Stop> for FailureKind {
    fn from(stop: &Stop) -> Self {
        match *stop {
            Stop::HostFailed(_) => Self::Host(stop.to_string()),
            Stop::Interrupted => Self::Interrupted,
            Stop::TimedOut { limit } => Self::TimedOut { limit },
            Stop::OutOfMemory { limit, wanted } => Self::OutOfMemory { limit, wanted },
            Stop::TooManyTableElements { .. }
            | Stop::TooManyListings { .. }
            | Stop::TooMuchAtOnce { .. }
            | Stop::TooManyCalls { .. } => Self::BeyondLimit(stop.to_string()),
        }
    }
}

impl FailureKind {
    /// Changes what is not Copal's own words.
    pub(crate) fn map_text(self, change: impl Fn(String) -> String) -> Self {
        match self {
            Self::Error { code, message } => Self::Error {
                code: change(code),
                message: change(message),
            },
            Self::Trap { what, backtrace } => Self::Trap {
                what: change(what),
                backtrace,
            },
            Self::Denied(denial) => Self::Denied(Box::new(denial.map_text(change))),
            other => other,
        }
    }

    /// Reads what wasmtime says about a call that did not return.
    pub(crate) fn of(error: &wasmtime::Error, limits: &Limits) -> Self {
        if let Some(stop) = error.downcast_ref::<Stop>() {
            return stop.into();
        }
        if let Some(ResourceTableError::Full) = error.downcast_ref() {
            return Self::BeyondLimit(format!(
                "more than {} files, streams, requests and other things of the host's held at once",
                wasi::RESOURCES
            ));
        }
        let cause = error.root_cause().to_string();
        // wasmtime keeps the types of these errors to itself.
        if cause.contains("fuel allocated for hostcalls has been exhausted") {
            return Self::BeyondLimit(format!(
                "more than {} handed to the host in one call (`hostcall` in its `limits`)",
                limits.hostcall
            ));
        }
        if cause.contains("store handle limit exceeded") {
            return Self::BeyondLimit(format!("more than {} handles held at once", wasi::HANDLES));
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::StackOverflow) => Self::OutOfStack {
                limit: limits.stack,
            },
            Some(trap) => Self::Trap {
                what: what(*trap),
                backtrace: backtrace(error),
            },
            None => Self::Trap {
                what: cause,
                backtrace: backtrace(error),
            },
        }
    }
}

/// A trap in words.
fn what(trap: Trap) -> String {
    match trap {
        // Compilers keep a stack of their own in memory, whose end lies at the memory's.
        Trap::MemoryOutOfBounds => {
            "it used memory that it does not have, as calls that nest too deeply do".to_owned()
        }
        other => {
            let text = other.to_string();
            text.strip_prefix("wasm trap: ").unwrap_or(&text).to_owned()
        }
    }
}

/// wasmtime's own lines, which name the functions where the component kept their names.
fn backtrace(error: &wasmtime::Error) -> Vec<String> {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else {
        return Vec::new();
    };
    let text = backtrace.to_string();
    let frames = text.lines().skip(1); // "error while executing at wasm backtrace:"
    frames.map(|frame| frame.trim().to_owned()).collect()
}
