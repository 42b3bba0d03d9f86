//! The hooks of a configuration.

use std::time::Duration;

use copal_core::config;
use copal_core::digest::Sha256;
use copal_core::grants::InForce;
use copal_core::units::ByteCount;
use copal_hooks::Inspection;
use serde_json::{Value, json};

use super::Output;
use super::advice;
use super::hook::{Card, inspected, names, with_effect, written};
use crate::error::CopalError;

/// How a hook's file stands to its pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    /// It is part of Copal.
    BuiltIn,
    /// The file is what was pinned.
    Kept,
    /// The file is another than this, which was pinned.
    Changed(Sha256),
    /// There is none.
    Missing,
    /// The file can't be read.
    Unknown,
}

/// A hook of a configuration.
pub struct Listed<'a> {
    /// What the configuration says.
    pub hook: &'a config::Hook,
    /// Its component, as written.
    pub component: String,
    /// What the component says, or what is wrong with it.
    pub inspection: Result<Inspection, Vec<String>>,
    /// Whether it is what was pinned.
    pub pin: Pin,
}

impl Listed<'_> {
    /// Whether a run would take it.
    pub fn is_accepted(&self) -> bool {
        self.inspection.is_ok() && matches!(self.pin, Pin::BuiltIn | Pin::Kept)
    }

    fn granted(&self, in_force: &InForce) -> Vec<String> {
        let entries = self.hook.grants.entries();
        entries
            .iter()
            .map(|entry| with_effect(entry, in_force))
            .collect()
    }

    /// What a run would go by.
    fn in_force(&self) -> InForce {
        let found = self.inspection.as_ref().ok();
        InForce {
            grants: self.hook.grants.clone(),
            requests: found.and_then(|found| found.requests.clone()),
        }
    }

    fn card(&self, text: &mut String) {
        let mut card = Card::default();
        let kind = match self.hook.component {
            config::Component::Builtin(_) => "built in",
            config::Component::File(_) => &self.component,
        };
        card.row(self.hook.name.as_str(), kind);
        match &self.inspection {
            Ok(found) => card.row("  phases", names(found.phases.iter())),
            Err(why) => card.rows("  refused", why, "for a reason unknown"),
        }
        self.pin_rows(&mut card);
        let in_force = self.in_force();
        card.rows("  granted", self.granted(&in_force), "nothing");
        let missing = in_force.missing();
        if !missing.is_empty() {
            card.rows(
                "  requested",
                missing
                    .iter()
                    .map(|entry| format!("{}  (not granted)", written(entry))),
                "",
            );
        }
        let limits = limits(&self.hook.limits);
        if !limits.is_empty() {
            card.row("  limits", limits.join(", "));
        }
        if self.hook.on_error == config::OnError::Warn {
            card.row("  on error", "the run goes on");
        }
        text.push_str(&card.to_string());
    }

    fn pin_rows(&self, card: &mut Card) {
        let renew = format!("renew it with `copal hook grant {}`", self.hook.name);
        let renew = advice::here(&renew);
        let found = self.inspection.as_ref().map(|found| found.digest).ok();
        match (self.pin, found) {
            (Pin::Kept, Some(found)) => card.row("  pinned", found),
            (Pin::Changed(pinned), Some(found)) => {
                card.row(
                    "  pinned",
                    format_args!("{pinned}  (another component than the file is)"),
                );
                card.row("  found", format_args!("{found}; {renew}"));
            }
            (Pin::Missing, Some(found)) => {
                card.row("  pinned", "not yet");
                card.row("  found", format_args!("{found}; {renew}"));
            }
            _ => {}
        }
    }

    fn value(&self) -> Value {
        let pin = match self.pin {
            Pin::BuiltIn => "built-in",
            Pin::Kept => "kept",
            Pin::Changed(_) => "changed",
            Pin::Missing => "missing",
            Pin::Unknown => "unknown",
        };
        let in_force = self.in_force();
        let missing: Vec<_> = in_force.missing().iter().map(written).collect();
        json!({
            "name": self.hook.name.as_str(),
            "component": self.component,
            "pin": pin,
            "pinned": self.hook.sha256,
            "problems": self.inspection.as_ref().err(),
            "inspection": self.inspection.as_ref().ok().map(inspected),
            "grants": self.hook.grants.to_json(),
            "in_force": in_force.both().to_json(),
            "requested_not_granted": missing,
            "limits": limits(&self.hook.limits),
        })
    }
}

/// Prints the hooks of a configuration.
pub fn print(hooks: &[Listed<'_>], output: Output) -> Result<(), CopalError> {
    if output.json {
        let all: Vec<_> = hooks.iter().map(Listed::value).collect();
        return super::json(&all);
    }
    let mut text = String::new();
    for (at, hook) in hooks.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        hook.card(&mut text);
    }
    super::result(&text)
}

/// The limits that the configuration sets.
fn limits(limits: &config::Limits) -> Vec<String> {
    let text = |name: &str, value: Option<String>| value.map(|value| format!("{name} {value}"));
    let size = |value: Option<ByteCount>| value.map(|value| value.to_string());
    let time = |value: Option<Duration>| value.map(super::duration);
    [
        text("memory", size(limits.memory)),
        text("stack", size(limits.stack)),
        text("wall", time(limits.wall)),
        text("filter_wall", time(limits.filter_wall)),
        text("hostcall", size(limits.hostcall)),
        text("log", size(limits.log)),
        text("calls", limits.calls.map(|calls| calls.to_string())),
        text("command_output", size(limits.command_output)),
        text("http_body", size(limits.http_body)),
        text("http_wall", time(limits.http_wall)),
        text("state", size(limits.state)),
    ]
    .into_iter()
    .flatten()
    .collect()
}
