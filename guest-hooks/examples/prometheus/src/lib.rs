//! Pushes a run's figures to a Pushgateway of Prometheus.
#![forbid(unsafe_code)]

mod exposition;

use std::collections::BTreeMap;

use copal_hook_sdk::report::Outcome;
use copal_hook_sdk::{Error, PostBackup, Report, clock, http, info};
use serde::Deserialize;

use exposition::{Exposition, is_label, segment};

struct Prometheus;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Config {
    /// The Pushgateway: `https://pushgateway.example.com`.
    url: String,
    /// The label `job`.
    #[serde(default = "copal")]
    job: String,
    /// More labels of the group.
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// The name of a secret, which is sent as a bearer's token.
    token: Option<String>,
}

fn copal() -> String {
    "copal".into()
}

/// The run's counters, and what they are called as metrics.
const COUNTERS: [(&str, &str, &str); 2] = [
    ("files", "copal_backup_files", "Files in the snapshot."),
    ("bytes", "copal_backup_bytes", "Bytes in the snapshot."),
];

impl PostBackup for Prometheus {
    type Config = Config;

    fn run(config: Config, report: &Report) -> Result<(), Error> {
        let url = url(&config)?;
        // POST replaces what has the same name, so that the last success outlives a failure.
        let mut request = http::post(&url)
            .header("content-type", "text/plain; version=0.0.4")
            .body(metrics(report, clock::now()));
        if let Some(token) = &config.token {
            request = request.secret_header("authorization", "Bearer ", token);
        }
        request.send()?.ok()?;
        info!("pushed the figures of the run");
        Ok(())
    }
}

/// The URL of the group that its labels make.
fn url(config: &Config) -> Result<String, Error> {
    let mut url = format!("{}/metrics/", config.url.trim_end_matches('/'));
    url.push_str(&segment("job", &config.job));
    for (name, value) in &config.labels {
        if !is_label(name) || name == "job" {
            let why =
                format!("config: `labels` holds `{name}`, which can't be a label's name here");
            return Err(Error::Invalid(why));
        }
        url.push('/');
        url.push_str(&segment(name, value));
    }
    Ok(url)
}

fn metrics(report: &Report, now: i64) -> String {
    let sealed = report.snapshot().is_some();
    let now = exposition::seconds(now);
    let mut metrics = Exposition::default();
    let last = "When the last run ended, in seconds since 1970.";
    metrics.gauge("copal_backup_last_run_timestamp_seconds", last, &now);
    let success = "Whether the last run sealed a snapshot.";
    metrics.gauge("copal_backup_sealed", success, &u8::from(sealed));
    let clean =
        "Whether the last run sealed its snapshot at every destination and nothing fell short.";
    let clean_value = u8::from(report.outcome() == Outcome::Succeeded);
    metrics.gauge("copal_backup_clean", clean, &clean_value);
    if sealed {
        let last = "When the last snapshot was sealed, in seconds since 1970.";
        metrics.gauge("copal_backup_last_sealed_timestamp_seconds", last, &now);
        for (counter, name, help) in COUNTERS {
            if let Some(value) = report.counter(counter) {
                metrics.gauge(name, help, &value);
            }
        }
    }
    if let Some(milliseconds) = report.counter("duration-ms") {
        let took = format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000);
        metrics.gauge(
            "copal_backup_duration_seconds",
            "How long the run took.",
            &took,
        );
    }
    metrics.into_text()
}

copal_hook_sdk::hook!(Prometheus: PostBackup);
