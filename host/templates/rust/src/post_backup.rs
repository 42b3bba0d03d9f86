//! Phase `post-backup`: tells `url` how the run ended.

use copal_hook_sdk::report::Outcome;
use copal_hook_sdk::{Error, PostBackup, Report, http, info};
use serde::Serialize;

use crate::Hook;
use crate::config::Config;

#[derive(Serialize)]
struct Message {
    outcome: &'static str,
    snapshot: Option<String>,
    files: u64,
}

impl PostBackup for Hook {
    type Config = Config;

    fn run(config: Config, report: &Report) -> Result<(), Error> {
        let missing = || Error::Invalid("config: `url` is missing".into());
        let url = config.url.ok_or_else(missing)?;
        let message = Message {
            outcome: name(report.outcome()),
            snapshot: report.snapshot(),
            files: report.counter("files").unwrap_or(0),
        };
        http::post(&url).json(&message).send()?.ok()?;
        info!("the receiver was told: {}", message.outcome);
        Ok(())
    }
}

fn name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::Warned => "warned",
        Outcome::Failed => "failed",
        Outcome::Interrupted => "interrupted",
        Outcome::Abandoned => "abandoned",
    }
}
