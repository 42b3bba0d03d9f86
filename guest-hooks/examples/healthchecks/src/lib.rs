//! Pings a monitor like healthchecks.io when a run starts, succeeds and fails. What the monitor
//! does not hear of, it raises an alarm about by itself.
#![forbid(unsafe_code)]

use copal_hook_sdk::report::Outcome;
use copal_hook_sdk::{Error, ErrorExt, PostBackup, PreBackup, Report, http, info, run, warn};
use serde::Deserialize;

struct Healthchecks;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Config {
    /// The check's ping URL: `https://hc-ping.com/<uuid>`.
    url: String,
    /// Whether a snapshot that is sealed, but fell short, counts as a success.
    #[serde(default)]
    warned: Warned,
}

#[derive(Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Warned {
    #[default]
    Fail,
    Success,
}

impl PreBackup for Healthchecks {
    type Config = Config;

    fn run(config: Config) -> Result<(), Error> {
        match ping(&config, "/start", String::new()) {
            Ok(()) => Ok(()),
            // What the owner has to mend ends the run; a monitor that is down must not keep a
            // backup from being made.
            Err(error @ (Error::Denied(_) | Error::Invalid(_))) => Err(error),
            Err(error) => {
                warn!("the monitor did not hear of the start: {}", error.text());
                Ok(())
            }
        }
    }
}

impl PostBackup for Healthchecks {
    type Config = Config;

    fn run(config: Config, report: &Report) -> Result<(), Error> {
        let suffix = match (report.outcome(), config.warned) {
            (Outcome::Succeeded, _) | (Outcome::Warned, Warned::Success) => "",
            (Outcome::Warned | Outcome::Failed | Outcome::Interrupted | Outcome::Abandoned, _) => {
                "/fail"
            }
        };
        ping(&config, suffix, text(report))?;
        info!("the monitor was told");
        Ok(())
    }
}

/// What the monitor shows beside the ping.
fn text(report: &Report) -> String {
    let mut lines = vec![format!("run {}", run::id())];
    lines.extend(report.snapshot().map(|id| format!("snapshot {id}")));
    for name in ["files", "bytes", "duration-ms"] {
        lines.extend(report.counter(name).map(|value| format!("{name} {value}")));
    }
    lines.extend(report.message());
    lines.join("\n")
}

fn ping(config: &Config, suffix: &str, text: String) -> Result<(), Error> {
    // Its parameters, if it has any, stay behind the suffix.
    let (path, parameters) = match config.url.split_once('?') {
        Some((path, parameters)) => (path, format!("?{parameters}")),
        None => (config.url.as_str(), String::new()),
    };
    let path = path.trim_end_matches('/');
    http::post(&format!("{path}{suffix}{parameters}"))
        .body(text)
        .send()?
        .ok()?;
    Ok(())
}

copal_hook_sdk::hook!(Healthchecks: PreBackup, PostBackup);
