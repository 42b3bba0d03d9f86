//! What a recovery came to.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::Output;
use crate::error::CopalError;
use crate::holds::held;
use crate::holds::ledger::{Begun, Hold, Ledger};

/// A service that was released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Released {
    /// The service.
    pub service: String,
    /// What it was: `paused` or `stopped`.
    pub how: String,
    /// Since when.
    pub since: Timestamp,
    /// The job whose run held it.
    pub name: Option<String>,
    /// That run.
    pub run: Option<String>,
}

impl Released {
    /// What is to be told of a hold.
    pub fn of(ledger: &Ledger, hold: &Hold) -> Self {
        let begun = ledger.begun.as_ref();
        Self {
            service: hold.service.clone(),
            how: held(hold.how).to_owned(),
            since: hold.since,
            name: begun.map(|begun| begun.job.clone()),
            run: begun.map(|begun| begun.run.clone()),
        }
    }
}

impl fmt::Display for Released {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.since.strftime("%Y-%m-%d %H:%M:%SZ");
        write!(f, "released `{}`, {} since {since}", self.service, self.how)?;
        match &self.name {
            Some(name) => write!(f, " by a run of `{name}` that is gone"),
            None => write!(f, " by a run that is gone"),
        }
    }
}

/// Prints what was released, and which runs go on.
pub fn print(
    released: &[Released],
    running: &[Begun],
    is_well: bool,
    output: Output,
) -> Result<(), CopalError> {
    if output.json {
        let running = running.iter().map(|run| {
            json!({ "name": run.job, "run": run.run, "process": run.pid, "started": run.started })
        });
        return super::json(&json!({
            "released": released,
            "running": running.collect::<Vec<_>>(),
        }));
    }
    let mut lines: Vec<String> = released.iter().map(ToString::to_string).collect();
    lines.extend(running.iter().map(|run| {
        format!(
            "a run of `{}` goes on (process {}): what it holds it releases itself",
            run.job, run.pid
        )
    }));
    if lines.is_empty() && is_well {
        lines.push("nothing is held".to_owned());
    }
    super::result(
        &lines
            .into_iter()
            .map(|line| line + "\n")
            .collect::<String>(),
    )
}
