//! What the owner wants to be told, and where.

use std::fmt::Display;

use copal_hook_sdk::Error;
use serde::Deserialize;

/// The hook's `config` table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// Where to send; names of secrets stand in braces: `https://hc-ping.com/{check}`.
    url: String,
    format: Format,
    /// What is told; for Healthchecks always all.
    on: Option<Vec<On>>,
    /// After how long the same trouble is told again.
    remind: Option<String>,
    /// The name of a secret that is sent as `Authorization: Bearer …`.
    token: Option<String>,
}

/// Who listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
    Healthchecks,
    Ntfy,
    Json,
}

/// What may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum On {
    /// Some destination has no snapshot.
    Failure,
    /// Sealed, and something fell short.
    Warning,
    /// All is well again after one of these was told.
    Recovery,
    /// All is well.
    Success,
}

/// A config that makes sense.
pub(crate) struct Settings {
    pub(crate) url: String,
    /// The secrets that its path names.
    pub(crate) secrets: Vec<String>,
    pub(crate) format: Format,
    pub(crate) on: Vec<On>,
    /// After so many seconds.
    pub(crate) remind: i64,
    pub(crate) token: Option<String>,
}

const DAY: i64 = 24 * 60 * 60;

impl Settings {
    pub(crate) fn tells(&self, what: On) -> bool {
        self.on.contains(&what)
    }
}

impl Config {
    pub(crate) fn settings(self) -> Result<Settings, Error> {
        if self.format == Format::Healthchecks && (self.on.is_some() || self.remind.is_some()) {
            return Err(unfit(
                "`on` and `remind` are not for `healthchecks`, which has to hear of every run",
            ));
        }
        let usual = || vec![On::Failure, On::Warning, On::Recovery];
        let on = self.on.unwrap_or_else(usual);
        if on.iter().all(|what| *what == On::Recovery) {
            return Err(unfit("`on` names nothing that could be told first"));
        }
        let remind = match &self.remind {
            Some(text) => length(text)?,
            None => 3 * DAY,
        };
        Ok(Settings {
            secrets: secrets(&self.url)?,
            url: self.url,
            format: self.format,
            on,
            remind,
            token: self.token,
        })
    }
}

/// The names that stand in braces behind a URL's origin.
fn secrets(url: &str) -> Result<Vec<String>, Error> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let path = rest.find('/').map_or("", |at| &rest[at..]);
    if scheme.contains('{') || rest[..rest.len() - path.len()].contains('{') {
        return Err(unfit(
            "`url` has a secret in its scheme or host, which the grant has to name; one may stand behind them",
        ));
    }
    let mut names: Vec<String> = Vec::new();
    for part in path.split('{').skip(1) {
        let name = part.split_once('}').map_or("", |(name, _)| name);
        if name.is_empty() {
            return Err(unfit(
                "`url` has a `{` without the name of a secret and `}`",
            ));
        }
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// `7d`, `12h`, `30m`, in seconds.
fn length(text: &str) -> Result<i64, Error> {
    let at = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(at.unwrap_or(text.len()));
    let seconds = match unit.trim() {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => DAY,
        _ => 0,
    };
    let number = number.parse::<i64>().ok();
    let length = number.and_then(|number| number.checked_mul(seconds));
    length.filter(|_| seconds > 0).ok_or_else(|| {
        unfit(format_args!(
            "`remind` is `{text}`: write a number and a unit (`s`, `m`, `h`, `d`), for example `24h`"
        ))
    })
}

fn unfit(why: impl Display) -> Error {
    Error::Invalid(format!("config: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_a_number_with_a_unit() {
        for (text, seconds) in [("0s", 0), ("90 m", 5400), ("24h", DAY), ("3d", 3 * DAY)] {
            assert_eq!(length(text).ok(), Some(seconds), "{text}");
        }
        for unfit in ["", "3", "d", "-1d", "1w", "99999999999999999999d"] {
            assert!(length(unfit).is_err(), "{unfit}");
        }
    }

    #[test]
    fn secrets_are_named_behind_the_origin_alone() {
        let names = |url| secrets(url).ok();
        assert_eq!(names("https://hc-ping.com/abc"), Some(Vec::new()));
        let both = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(names("https://x.example/{a}/{b}?c={a}"), Some(both));
        for unfit in [
            "https://{host}/x",
            "{all}",
            "https://x.example/{",
            "https://x.example/{}",
        ] {
            assert_eq!(names(unfit), None, "{unfit}");
        }
    }
}
