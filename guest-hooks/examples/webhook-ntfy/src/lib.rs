//! Tells a webhook, or a topic of ntfy, how a run ended.
#![forbid(unsafe_code)]

mod notice;

use copal_hook_sdk::report::Outcome;
use copal_hook_sdk::{Error, PostBackup, Report, http, info};
use serde::Deserialize;

use notice::Notice;

struct WebhookNtfy;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Config {
    /// Where to post: a webhook, or a topic of ntfy (`https://ntfy.sh/backups`).
    url: String,
    #[serde(default)]
    format: Format,
    /// The outcomes that are told.
    #[serde(default = "not_a_success")]
    on: Vec<Told>,
    /// What the message is about; it begins its title.
    #[serde(default = "copal")]
    title: String,
    /// The name of a secret, which is sent as a bearer's token.
    token: Option<String>,
}

#[derive(Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Format {
    #[default]
    Json,
    Ntfy,
}

/// An outcome as the config names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Told {
    Succeeded,
    Warned,
    Failed,
    Interrupted,
    Abandoned,
}

impl From<Outcome> for Told {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Succeeded => Self::Succeeded,
            Outcome::Warned => Self::Warned,
            Outcome::Failed => Self::Failed,
            Outcome::Interrupted => Self::Interrupted,
            Outcome::Abandoned => Self::Abandoned,
        }
    }
}

fn not_a_success() -> Vec<Told> {
    use Told::{Abandoned, Failed, Interrupted, Warned};
    vec![Warned, Failed, Interrupted, Abandoned]
}

fn copal() -> String {
    "Copal".into()
}

impl PostBackup for WebhookNtfy {
    type Config = Config;

    fn run(config: Config, report: &Report) -> Result<(), Error> {
        check(&config)?;
        if !config.on.contains(&report.outcome().into()) {
            return Ok(());
        }
        let notice = Notice::of(&config.title, report);
        let mut request = match config.format {
            Format::Json => http::post(&config.url).json(&notice),
            Format::Ntfy => http::post(&config.url)
                .header("title", &notice.title)
                .header("priority", notice.priority())
                .header("tags", notice.tags())
                .body(notice.text()),
        };
        if let Some(token) = &config.token {
            request = request.secret_header("authorization", "Bearer ", token);
        }
        request.send()?.ok()?;
        info!("told: {}", notice.title);
        Ok(())
    }
}

fn check(config: &Config) -> Result<(), Error> {
    if config.on.is_empty() {
        let why = "config: `on` is empty, so nothing would ever be told";
        return Err(Error::Invalid(why.into()));
    }
    if config.title.chars().any(char::is_control) {
        let why = "config: `title` holds a control character, which no title has";
        return Err(Error::Invalid(why.into()));
    }
    Ok(())
}

copal_hook_sdk::hook!(WebhookNtfy: PostBackup);
