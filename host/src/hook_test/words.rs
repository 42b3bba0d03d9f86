//! The words of a file of cases.

use std::str::FromStr;
use std::time::Duration;

use copal_core::grants::Grants;
use copal_core::units::ByteCount;
use copal_hooks::{Outcome, Phase, Verdict};
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::{Number, Value};

/// The word for an outcome.
fn outcome_named(text: &str) -> Option<Outcome> {
    Some(match text {
        "succeeded" => Outcome::Succeeded,
        "warned" => Outcome::Warned,
        "failed" => Outcome::Failed,
        "interrupted" => Outcome::Interrupted,
        "abandoned" => Outcome::Abandoned,
        _ => return None,
    })
}

/// The word for a verdict.
pub const fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Keep => "keep",
        Verdict::Skip => "skip",
        Verdict::SkipSubtree => "skip-subtree",
        Verdict::KeepSubtree => "keep-subtree",
    }
}

const VERDICTS: [Verdict; 4] = [
    Verdict::Keep,
    Verdict::Skip,
    Verdict::SkipSubtree,
    Verdict::KeepSubtree,
];

/// A config as hooks get it; none where it holds a number that JSON does not have. The same as of
/// `config` in copal.toml.
pub(super) fn json(value: &toml::Value) -> Option<Value> {
    Some(match value {
        toml::Value::String(text) => Value::String(text.clone()),
        toml::Value::Boolean(value) => Value::Bool(*value),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Integer(n) => Value::from(*n),
        toml::Value::Float(n) => Value::Number(Number::from_f64(*n)?),
        toml::Value::Array(members) => members.iter().map(json).collect::<Option<_>>()?,
        toml::Value::Table(table) => {
            let entries = table.iter();
            let entries = entries.map(|(key, value)| Some((key.clone(), json(value)?)));
            Value::Object(entries.collect::<Option<_>>()?)
        }
    })
}

pub(super) fn phase<'de, D: Deserializer<'de>>(from: D) -> Result<Phase, D::Error> {
    let text = String::deserialize(from)?;
    let mut phases = Phase::ALL.into_iter();
    let found = phases.find(|phase| phase.name() == text);
    found.ok_or_else(|| {
        let names = Phase::ALL.map(Phase::name).join("`, `");
        D::Error::custom(format!("no phase is named `{text}`; there are `{names}`"))
    })
}

pub(super) fn outcome<'de, D: Deserializer<'de>>(from: D) -> Result<Outcome, D::Error> {
    let text = String::deserialize(from)?;
    outcome_named(&text).ok_or_else(|| {
        let names = "`succeeded`, `warned`, `failed`, `interrupted`, `abandoned`";
        D::Error::custom(format!("`{text}` is no outcome; there are {names}"))
    })
}

pub(super) fn verdict<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Verdict>, D::Error> {
    let text = String::deserialize(from)?;
    let mut verdicts = VERDICTS.into_iter();
    let found = verdicts.find(|verdict| verdict_name(*verdict) == text);
    found.map(Some).ok_or_else(|| {
        let names = VERDICTS.map(verdict_name).join("`, `");
        D::Error::custom(format!("`{text}` is no verdict; there are `{names}`"))
    })
}

pub(super) fn grants<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Grants>, D::Error> {
    let value = Value::deserialize(from)?;
    Grants::from_json(&value).map(Some).map_err(|problems| {
        let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
        D::Error::custom(texts.join("; "))
    })
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a number, or text with a unit")]
enum Written {
    Number(u64),
    Text(String),
}

pub(super) fn size<'de, D: Deserializer<'de>>(from: D) -> Result<ByteCount, D::Error> {
    match Written::deserialize(from)? {
        Written::Number(bytes) => Ok(ByteCount(bytes)),
        Written::Text(text) => ByteCount::from_str(&text)
            .map_err(|_| D::Error::custom(format!("`{text}` is not a size; write \"12 MiB\""))),
    }
}

pub(super) fn age<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    let unfit = || D::Error::custom(format!("`{text}` is not a time span; write \"30d\""));
    let at = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(at);
    let seconds = match suffix.trim() {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return Err(unfit()),
    };
    let number: u64 = number.parse().map_err(|_| unfit())?;
    let seconds = number.checked_mul(seconds).ok_or_else(unfit)?;
    Ok(Duration::from_secs(seconds))
}
