//! Outcomes for people and programs. Nothing but the result goes to stdout.

pub mod advice;
pub mod check;
pub mod compiling;
pub mod diff;
pub mod drill;
pub mod du;
pub mod generated;
pub mod history;
pub mod hook;
pub mod hook_bench;
pub mod hook_grant;
pub mod hook_list;
pub mod hook_test;
pub mod init;
pub mod licenses;
pub mod log;
pub mod ls;
pub mod message;
pub mod old_tree;
pub mod outcome;
mod outlook;
pub mod plan;
pub mod progress;
pub mod prune;
pub mod recover;
pub mod rehearsal;
pub mod report;
pub mod restore;
pub mod schedule;
pub mod snapshots;
mod staging;
pub mod status;
pub mod verify;

use std::io::{self, Write};
use std::time::Duration;

pub use copal_core::text::count;
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::CopalError;
use crate::outcome::{Achieved, Outcome};

/// How results are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Output {
    /// As JSON.
    pub json: bool,
    /// Without notes.
    pub quiet: bool,
}

/// Prints a value as JSON.
pub fn json(value: &impl Serialize) -> Result<(), CopalError> {
    let mut text = serde_json::to_string_pretty(value)
        .map_err(|error| CopalError::Output(io::Error::other(error)))?;
    text.push('\n');
    result(&text)
}

/// What every run that is told as JSON has; each adds its own.
fn of_run<T: Achieved>(outcome: &Outcome<T>) -> Value {
    let errors: Vec<_> = outcome.errors().map(CopalError::in_one_line).collect();
    let shortcomings = outcome.shortcomings.iter();
    let shortcomings: Vec<_> = shortcomings.map(CopalError::in_one_line).collect();
    json!({
        "run": outcome.run,
        "name": outcome.name,
        "outcome": outcome.verdict().name(),
        "seconds": outcome.took.as_secs_f64(),
        "errors": errors,
        "shortcomings": shortcomings,
    })
}

/// Prints the result. A reader that has had enough (`| head`) is no failure.
pub fn result(text: &str) -> Result<(), CopalError> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CopalError::Output(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A duration as people say it: `850 ms`, `3.2 s`, `4 min 05 s`.
pub fn duration(took: Duration) -> String {
    match took.as_secs() {
        0 => format!("{} ms", took.as_millis()),
        1..60 => format!("{:.1} s", took.as_secs_f64()),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        assert_eq!(duration(Duration::from_millis(850)), "850 ms");
        assert_eq!(duration(Duration::from_millis(3210)), "3.2 s");
        assert_eq!(duration(Duration::from_secs(245)), "4 min 05 s");
    }
}
