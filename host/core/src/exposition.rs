//! Metrics in the text format of Prometheus, version 0.0.4:
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use serde::{Serialize, Serializer};

/// Metrics, in families.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Exposition {
    families: Vec<Family>,
}

/// All samples of one name. Every one here is a gauge: what Copal tells of is the last run, not a sum.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Family {
    name: &'static str,
    help: &'static str,
    samples: Vec<Sample>,
}

/// One value, and what it is of.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Sample {
    /// Names and values, each name once.
    #[serde(serialize_with = "as_map")]
    pub labels: Vec<(&'static str, String)>,
    /// In the unit that the family's name ends with.
    pub value: Value,
}

/// A number as it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    /// A whole one.
    Whole(u64),
    /// Milliseconds, which are told in seconds.
    Millis(i64),
}

fn as_map<S: Serializer>(labels: &[(&'static str, String)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(labels.iter().map(|(name, value)| (name, value)))
}

impl Serialize for Value {
    #[expect(clippy::cast_precision_loss, reason = "JSON has no other fractions")]
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Whole(number) => to.serialize_u64(*number),
            Self::Millis(millis) => to.serialize_f64(*millis as f64 / 1000.0),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => number.fmt(f),
            Self::Millis(millis) => {
                let sign = if *millis < 0 { "-" } else { "" };
                let (seconds, rest) = (millis.unsigned_abs() / 1000, millis.unsigned_abs() % 1000);
                write!(f, "{sign}{seconds}.{rest:03}")
            }
        }
    }
}

impl Exposition {
    /// Adds a family, unless it has no samples. `name` is made of letters, digits and `_`.
    pub fn add(
        &mut self,
        name: &'static str,
        help: &'static str,
        samples: impl IntoIterator<Item = Sample>,
    ) {
        let samples: Vec<_> = samples.into_iter().collect();
        if !samples.is_empty() {
            self.families.push(Family {
                name,
                help,
                samples,
            });
        }
    }

    /// The text.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for family in &self.families {
            family
                .write(&mut text)
                .expect("a String takes all that is written");
        }
        text
    }
}

impl Family {
    fn write(&self, text: &mut String) -> fmt::Result {
        let Self { name, help, .. } = self;
        writeln!(text, "# HELP {name} {}", escaped(help, false))?;
        writeln!(text, "# TYPE {name} gauge")?;
        for Sample { labels, value } in &self.samples {
            text.push_str(name);
            for (at, (label, value)) in labels.iter().enumerate() {
                let before = if at == 0 { '{' } else { ',' };
                write!(text, "{before}{label}=\"{}\"", escaped(value, true))?;
            }
            let close = if labels.is_empty() { "" } else { "}" };
            writeln!(text, "{close} {value}")?;
        }
        Ok(())
    }
}

/// A text in which neither a line nor, within quotes, a value ends early.
fn escaped(text: &str, quoted: bool) -> Cow<'_, str> {
    let special = |c: char| matches!(c, '\\' | '\n') || (quoted && c == '"');
    if !text.contains(special) {
        return text.into();
    }
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            c if special(c) => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(labels: &[(&'static str, &str)], value: Value) -> Sample {
        let labels = labels
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        Sample {
            labels: labels.collect(),
            value,
        }
    }

    #[test]
    fn a_family_is_its_help_its_type_and_its_samples() {
        let mut metrics = Exposition::default();
        let labels = [("name", "app"), ("destination", "b2:bucket")];
        metrics.add(
            "copal_snapshot_bytes",
            "Size.",
            [sample(&labels, Value::Whole(7))],
        );
        metrics.add("copal_none", "Nothing.", []);
        metrics.add(
            "copal_seconds",
            "Time.",
            [sample(&[], Value::Millis(1_050))],
        );
        let text = "# HELP copal_snapshot_bytes Size.\n\
                    # TYPE copal_snapshot_bytes gauge\n\
                    copal_snapshot_bytes{name=\"app\",destination=\"b2:bucket\"} 7\n\
                    # HELP copal_seconds Time.\n\
                    # TYPE copal_seconds gauge\n\
                    copal_seconds 1.050\n";
        assert_eq!(metrics.to_text(), text);
    }

    #[test]
    fn a_label_can_not_end_its_quotes_or_its_line() {
        let mut metrics = Exposition::default();
        let odd = sample(&[("name", "a\"b\\c\nd{,}")], Value::Millis(-1));
        metrics.add("copal_odd", "A \"quoted\" \\ help.", [odd]);
        let text = metrics.to_text();
        assert!(
            text.contains("{name=\"a\\\"b\\\\c\\nd{,}\"} -0.001\n"),
            "{text}"
        );
        assert!(
            text.starts_with("# HELP copal_odd A \"quoted\" \\\\ help.\n"),
            "{text}"
        );
    }
}
