//! What a recovery came to.

use std::fmt;
use std::path::PathBuf;

use copal_core::text::second;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::Output;
use crate::edge::exchange::Live;
use crate::error::CopalError;
use crate::holds::held;
use crate::holds::ledger::{Begun, Hold, Ledger};
use crate::holds::recovery::Settled;
use crate::record::Ended as RunEnded;

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
    /// Containers of it that are not there any more, which nobody can release.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<String>,
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
            // What can't be seen is told by the next run.
            gone: hold.undo.gone().unwrap_or_default(),
        }
    }
}

impl fmt::Display for Released {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = second(self.since);
        let Self { service, how, .. } = self;
        let by = match &self.name {
            Some(name) => format!("by a run of `{name}` that is gone"),
            None => "by a run that is gone".to_owned(),
        };
        if self.gone.is_empty() {
            return write!(f, "released `{service}`, {how} since {since} {by}");
        }
        let gone: Vec<_> = self.gone.iter().map(|name| format!("`{name}`")).collect();
        write!(
            f,
            "nothing of `{service}` is held any more: {}, {how} since {since} {by}, was removed or made anew since",
            gone.join(", ")
        )
    }
}

/// An exchange that a killed restore had begun, and that was ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    source: PathBuf,
    live: Live,
    name: Option<String>,
    run: Option<String>,
}

impl Ended {
    /// What is to be told of a journal, if it is one.
    pub fn of(settled: &Settled) -> Option<Self> {
        let (exchange, _) = settled.ledger.exchange.as_ref()?;
        let begun = settled.ledger.begun.as_ref();
        Some(Self {
            source: exchange.live.clone(),
            live: settled.live?,
            name: begun.map(|begun| begun.job.clone()),
            run: begun.map(|begun| begun.run.clone()),
        })
    }

    fn tree(&self) -> &'static str {
        match self.live {
            Live::Old => "old",
            Live::New => "new",
            Live::Other => "other",
        }
    }

    fn to_json(&self) -> serde_json::Value {
        json!({
            "source": self.source.display().to_string(), "live": self.tree(),
            "name": self.name, "run": self.run,
        })
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.source.display();
        let by = match &self.name {
            Some(name) => format!("a restore of `{name}` that was killed"),
            None => "a restore that was killed".to_owned(),
        };
        match self.live {
            Live::Old => write!(f, "`{source}` is as it was before {by}"),
            Live::New => write!(f, "`{source}` is what {by} put there"),
            Live::Other => write!(f, "`{source}` was put there by somebody else since {by}"),
        }
    }
}

/// A run that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Going {
    /// Which.
    pub run: Begun,
    /// Whether its process was stopped, by SIGSTOP for example, and does nothing.
    pub is_stopped: bool,
}

impl fmt::Display for Going {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Begun { job, pid, .. } = &self.run;
        if self.is_stopped {
            let released = match self.run.max_pause_ms {
                Some(_) => "its guard releases what it holds 5 s after `max_pause`",
                None => "what it holds is held until it ends",
            };
            write!(
                f,
                "a run of `{job}` is stopped (process {pid}): {released}; `kill -CONT {pid}` has it go on, `kill -KILL {pid}` ends it and has all released now"
            )
        } else {
            write!(
                f,
                "a run of `{job}` goes on (process {pid}): what it holds it releases itself"
            )
        }
    }
}

/// A run that held nothing, and was killed before it could tell anybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Killed {
    /// The job.
    pub name: String,
    /// The run.
    pub run: String,
    /// When it began.
    pub started: Timestamp,
    /// As what the history has it.
    pub outcome: RunEnded,
}

impl fmt::Display for Killed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let started = self.started.strftime("%Y-%m-%d %H:%M:%SZ");
        write!(
            f,
            "a run of `{}` that began at {started} was killed and held nothing: the history has it now, as {}",
            self.name,
            self.outcome.name()
        )
    }
}

/// All that a recovery came to.
#[derive(Debug)]
pub struct CameTo<'a> {
    /// What was released.
    pub released: &'a [Released],
    /// Exchanges that were ended.
    pub ended: &'a [Ended],
    /// Runs that go on.
    pub running: &'a [Going],
    /// Killed runs that the history has now.
    pub killed: &'a [Killed],
    /// Whether nothing is left to do.
    pub is_well: bool,
}

/// Prints what was released, and which runs go on.
pub fn print(came_to: &CameTo<'_>, output: Output) -> Result<(), CopalError> {
    let CameTo {
        released,
        ended,
        running,
        killed,
        is_well,
    } = *came_to;
    if output.json {
        let running = running.iter().map(|Going { run, is_stopped }| {
            json!({
                "name": run.job, "run": run.run, "process": run.pid, "started": run.started,
                "stopped": is_stopped,
            })
        });
        return super::json(&json!({
            "released": released,
            "exchanges": ended.iter().map(Ended::to_json).collect::<Vec<_>>(),
            "running": running.collect::<Vec<_>>(),
            "abandoned": killed,
        }));
    }
    let mut lines: Vec<String> = ended.iter().map(ToString::to_string).collect();
    lines.extend(released.iter().map(ToString::to_string));
    lines.extend(running.iter().map(ToString::to_string));
    lines.extend(killed.iter().map(ToString::to_string));
    if lines.is_empty() && is_well && !output.quiet {
        lines.push("nothing is held".to_owned());
    }
    super::result(
        &lines
            .into_iter()
            .map(|line| line + "\n")
            .collect::<String>(),
    )
}
