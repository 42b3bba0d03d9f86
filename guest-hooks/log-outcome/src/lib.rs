//! Logs how a run ended: one line with the snapshot and its figures. Takes no config, wants no
//! grant.
#![forbid(unsafe_code)]

use std::fmt::Display;

use copal_hook_sdk::log::{self, Level};
use copal_hook_sdk::report::Outcome;
use copal_hook_sdk::{Error, NoConfig, PostBackup, Report};

struct LogOutcome;

/// The figures shown, where the run has them.
const COUNTERS: [&str; 3] = ["files", "bytes", "duration-ms"];

impl PostBackup for LogOutcome {
    type Config = NoConfig;

    fn run(_: NoConfig, report: &Report) -> Result<(), Error> {
        let snapshot = report.snapshot();
        let (level, what) = match report.outcome() {
            Outcome::Succeeded => (Level::Info, "the snapshot is sealed"),
            Outcome::Warned => (
                Level::Warn,
                "the snapshot is sealed, but something fell short",
            ),
            Outcome::Failed if snapshot.is_some() => (
                Level::Error,
                "some destination has no snapshot: the run failed",
            ),
            Outcome::Failed => (Level::Error, "no snapshot: the run failed"),
            Outcome::Interrupted if snapshot.is_some() => (
                Level::Warn,
                "some destination has no snapshot: the run was interrupted",
            ),
            Outcome::Interrupted => (Level::Warn, "no snapshot: the run was interrupted"),
            Outcome::Abandoned => (Level::Error, "the run was killed"),
        };
        let message = report.message();
        let counters = COUNTERS.map(|name| (name, report.counter(name)));

        let mut fields: Vec<(&str, &dyn Display)> = Vec::new();
        if let Some(snapshot) = &snapshot {
            fields.push(("snapshot", snapshot));
        }
        for (name, value) in &counters {
            if let Some(value) = value {
                fields.push((name, value));
            }
        }
        if let Some(message) = &message {
            fields.push(("message", message));
        }
        log::write(level, what, &fields);
        Ok(())
    }
}

copal_hook_sdk::hook!(LogOutcome: PostBackup);
