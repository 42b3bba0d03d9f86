//! One line of a log: when, how grave, of which run, by whom, and what.

use std::fmt::{self, Write as _};

use copal_core::text::is_harmful;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

use super::TOLD;

/// The longest that a message or a value may be, in characters.
const LONGEST: usize = 16 * 1024;

/// What somebody said.
#[derive(Debug, Clone)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// How grave it is.
    pub level: Level,
    /// The run that it belongs to.
    pub run: Option<String>,
    /// Who said it.
    pub origin: Origin,
    /// What.
    pub message: String,
    /// About what, by name.
    pub fields: Vec<(String, String)>,
}

/// Who said something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Copal itself.
    Copal,
    /// rclone, in its worker.
    Rclone,
    /// The hook of this name.
    Hook(String),
    /// A library.
    Library(String),
}

impl Line {
    /// The line of an event; of no run yet.
    pub(super) fn of(event: &Event<'_>) -> Self {
        let mut said = Said::default();
        event.record(&mut said);
        let metadata = event.metadata();
        let target = said.target.as_deref().unwrap_or(metadata.target());
        let origin = match target {
            TOLD | "copal" => Origin::Copal,
            "rclone" => Origin::Rclone,
            "hook" => Origin::Hook(said.take("hook").unwrap_or_default()),
            other if other.starts_with("copal::") || other.starts_with("copal_") => Origin::Copal,
            other => Origin::Library(other.split("::").next().unwrap_or(other).to_owned()),
        };
        Self {
            at: Timestamp::now(),
            level: *metadata.level(),
            run: None,
            origin,
            message: said.message,
            fields: said.fields,
        }
    }

    /// For people: `2026-11-24T03:00:01.250Z INFO  641f3c0a2b1d4-1f2e hook notify: sent topic=backups`.
    pub fn text(&self) -> String {
        let run = self.run.as_deref().unwrap_or("-");
        let mut text = format!("{:.3} {:5} {run} ", self.at, self.level);
        match &self.origin {
            Origin::Copal => text.push_str("copal: "),
            Origin::Rclone => text.push_str("rclone: "),
            Origin::Hook(hook) => push(&mut text, &format!("hook {hook}: ")),
            Origin::Library(name) => push(&mut text, &format!("{name}: ")),
        }
        push(&mut text, &self.message);
        for (name, value) in &self.fields {
            text.push(' ');
            push(&mut text, name);
            let quoted = value.is_empty() || value.contains([' ', '"', '=']);
            let value = if quoted {
                format!("={value:?}")
            } else {
                format!("={value}")
            };
            push(&mut text, &value);
        }
        text
    }

    /// For programs: an object with `time`, `level`, `run`, `origin` (`copal`, `rclone`, `hook`, or a
    /// library's name), `hook`, `message` and `fields`.
    pub fn json(&self) -> String {
        let (origin, hook) = match &self.origin {
            Origin::Copal => ("copal", None),
            Origin::Rclone => ("rclone", None),
            Origin::Hook(hook) => ("hook", Some(hook)),
            Origin::Library(name) => (name.as_str(), None),
        };
        let fields = self.fields.iter();
        let fields: Map<String, Value> = fields
            .map(|(name, value)| (name.clone(), value.clone().into()))
            .collect();
        let mut line = json!({
            "time": format!("{:.3}", self.at),
            "level": self.level.as_str().to_ascii_lowercase(),
            "run": self.run,
            "origin": origin,
            "message": self.message,
        });
        if let Some(hook) = hook {
            line["hook"] = hook.clone().into();
        }
        if !fields.is_empty() {
            line["fields"] = fields.into();
        }
        line.to_string()
    }
}

/// One line stays one line, whoever speaks, and moves no cursor.
fn push(text: &mut String, what: &str) {
    for character in what.chars() {
        if is_harmful(character) && character != '\t' {
            write!(text, "{}", character.escape_default()).expect("a String takes every write");
        } else {
            text.push(character);
        }
    }
}

/// What an event has.
#[derive(Default)]
struct Said {
    message: String,
    fields: Vec<(String, String)>,
    /// The target of what came through the `log` crate.
    target: Option<String>,
}

impl Said {
    /// Takes a field out.
    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.fields.iter().position(|(known, _)| known == name)?;
        Some(self.fields.remove(at).1)
    }

    fn put(&mut self, field: &Field, mut value: String) {
        if let Some((cut, _)) = value.char_indices().nth(LONGEST) {
            value.truncate(cut);
            value.push('…');
        }
        match field.name() {
            "message" => self.message = value,
            "log.target" => self.target = Some(value),
            name if name.starts_with("log.") => {}
            // rclone speaks of nothing in particular.
            "object" if value.is_empty() => {}
            name => self.fields.push((name.to_owned(), value)),
        }
    }
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(origin: Origin, message: &str, fields: &[(&str, &str)]) -> Line {
        let fields = fields.iter();
        Line {
            at: "2026-11-24T03:00:01.25Z".parse().unwrap(),
            level: Level::INFO,
            run: Some("641f3c0a2b1d4-1f2e".to_owned()),
            origin,
            message: message.to_owned(),
            fields: fields
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn a_line_tells_when_which_run_who_and_what() {
        let line = line(
            Origin::Hook("notify".to_owned()),
            "sent",
            &[("topic", "backups"), ("why", "a b")],
        );
        assert_eq!(
            line.text(),
            "2026-11-24T03:00:01.250Z INFO  641f3c0a2b1d4-1f2e hook notify: sent topic=backups why=\"a b\""
        );
        let json: Value = serde_json::from_str(&line.json()).unwrap();
        assert_eq!(json["hook"], "notify");
        assert_eq!(json["fields"]["why"], "a b");
    }

    #[test]
    fn nobody_forges_a_line_of_another() {
        let forged = line(
            Origin::Rclone,
            "one\n2026-11-24T03:00:02Z INFO  copal: all is well\u{1b}[2J",
            &[("object", "a\nb")],
        );
        assert_eq!(forged.text().lines().count(), 1);
        assert!(!forged.text().contains('\u{1b}'));
        assert_eq!(forged.json().lines().count(), 1);
    }
}
