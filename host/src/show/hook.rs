//! What there is to know of hooks.

use std::fmt::{Display, Write as _};

use copal_core::config;
use copal_core::digest::Sha256;
use copal_core::grants::{Capability, Grants};
use copal_core::units::ByteCount;
use copal_hooks::Inspection;
use serde_json::{Value, json};

use super::Output;
use crate::error::CopalError;
use crate::hook_measure::Measured;

/// Where the values stand.
const MARGIN: usize = 12;

/// Lines with a label each.
#[derive(Default)]
struct Card(String);

impl Card {
    fn row(&mut self, label: &str, what: impl Display) {
        writeln!(self.0, "{label:MARGIN$}{what}").expect("a String takes every write");
    }

    /// A row for each; where there is none, one that says so.
    fn rows<T: Display>(&mut self, label: &str, all: impl IntoIterator<Item = T>, none: &str) {
        let mut label = label;
        for one in all {
            self.row(std::mem::take(&mut label), one);
        }
        if !label.is_empty() {
            self.row(label, none);
        }
    }
}

/// Prints what a component says about itself.
pub fn inspection(found: &Inspection, output: Output) -> Result<(), CopalError> {
    if output.json {
        return super::json(&inspected(found));
    }
    let mut card = Card::default();
    card.row("phases", names(found.phases.iter()));
    card.row("imports", or_none(&found.imports.join(", ")));
    card.rows("WASI", &found.wasi, "none");
    let none = "nothing: it says nothing about what it needs";
    match &found.requests {
        None => card.row("requests", none),
        Some(requests) => {
            let entries = requests.entries();
            card.rows("requests", entries.iter().map(written), "nothing");
        }
    }
    card.row("size", found.size);
    card.row("sha256", found.digest);
    card.row(
        "built for",
        format_args!("copal:hooks {}", found.wit_version),
    );
    super::result(&card.0)
}

fn inspected(found: &Inspection) -> Value {
    let phases: Vec<_> = found.phases.iter().map(|phase| phase.name()).collect();
    json!({
        "phases": phases,
        "imports": found.imports,
        "wasi": found.wasi,
        "requests": found.requests.as_ref().map(Grants::to_json),
        "bytes": found.size.0,
        "sha256": found.digest,
        "wit_version": found.wit_version,
    })
}

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

    fn granted(&self) -> Vec<String> {
        let entries = self.hook.grants.entries();
        let requests = self.requests();
        let beyond = requests.map(|requests| self.hook.grants.beyond(requests));
        let is_in_vain = |entry| beyond.as_ref().is_some_and(|beyond| beyond.contains(entry));
        let entries = entries.iter().map(|entry| {
            let vain = if is_in_vain(entry) {
                "  (not requested)"
            } else {
                ""
            };
            format!("{}{vain}", written(entry))
        });
        entries.collect()
    }

    fn missing(&self) -> Vec<(Capability, String)> {
        let requests = self.requests();
        requests
            .map(|requests| requests.beyond(&self.hook.grants))
            .unwrap_or_default()
    }

    fn requests(&self) -> Option<&Grants> {
        self.inspection.as_ref().ok()?.requests.as_ref()
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
        card.rows("  granted", self.granted(), "nothing");
        let missing = self.missing();
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
        text.push_str(&card.0);
    }

    fn pin_rows(&self, card: &mut Card) {
        let renew = format!("renew it with `copal hook grant {}`", self.hook.name);
        let found = self.inspection.as_ref().map(|found| found.digest).ok();
        match (self.pin, found) {
            (Pin::Kept, Some(found)) => card.row("  pinned", found),
            (Pin::Changed(pinned), Some(found)) => {
                card.row("  pinned", pinned);
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
        let missing: Vec<_> = self.missing().iter().map(written).collect();
        json!({
            "name": self.hook.name.as_str(),
            "component": self.component,
            "pin": pin,
            "pinned": self.hook.sha256,
            "problems": self.inspection.as_ref().err(),
            "inspection": self.inspection.as_ref().ok().map(inspected),
            "grants": self.hook.grants.to_json(),
            "requested_not_granted": missing,
            "limits": limits(&self.hook.limits),
        })
    }
}

/// Prints the hooks of a configuration.
pub fn list(hooks: &[Listed<'_>], output: Output) -> Result<(), CopalError> {
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
    let time = |value: Option<std::time::Duration>| value.map(super::duration);
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

/// What a renewal of a hook's pin comes to.
pub struct Renewal<'a> {
    /// The hook.
    pub name: &'a str,
    /// Its file, as written.
    pub file: &'a str,
    /// The pin until now, as written.
    pub before: Option<&'a str>,
    /// The file's digest.
    pub digest: Sha256,
    /// What is granted anew.
    pub added: &'a [(Capability, String)],
    /// All that is granted then.
    pub grants: &'a Grants,
    /// What the component requests.
    pub requests: Option<&'a Grants>,
}

/// Shows a renewal before it is done.
pub fn renewal(renewal: &Renewal<'_>, output: Output) -> Result<(), CopalError> {
    let missing = renewal
        .requests
        .map(|requests| requests.beyond(renewal.grants));
    let missing = missing.unwrap_or_default();
    let vain = renewal
        .requests
        .map(|requests| renewal.grants.beyond(requests));
    let vain = vain.unwrap_or_default();
    let texts =
        |entries: &[(Capability, String)]| -> Vec<String> { entries.iter().map(written).collect() };
    if output.json {
        return super::json(&json!({
            "name": renewal.name,
            "file": renewal.file,
            "before": renewal.before,
            "sha256": renewal.digest,
            "added": texts(renewal.added),
            "requested_not_granted": texts(&missing),
            "granted_not_requested": texts(&vain),
        }));
    }
    let mut card = Card::default();
    card.row("hook", renewal.name);
    card.row("file", renewal.file);
    let digest = renewal.digest.to_string();
    match renewal.before {
        Some(before) if before == digest => {
            card.row("sha256", format_args!("{digest}  (as before)"));
        }
        before => {
            card.row("before", before.unwrap_or("not pinned"));
            card.row("sha256", digest);
        }
    }
    let entries = renewal.grants.entries();
    let mark = |entry: &(Capability, String)| {
        let mark = match (renewal.added.contains(entry), vain.contains(entry)) {
            (true, true) => "  (new, and not requested: of no effect)",
            (true, false) => "  (new)",
            (false, true) => "  (not requested: of no effect)",
            (false, false) => "",
        };
        format!("{}{mark}", written(entry))
    };
    card.rows("grants", entries.iter().map(mark), "nothing");
    if !missing.is_empty() {
        card.rows("not granted", texts(&missing), "");
        let arguments: Vec<_> = missing.iter().map(argument).collect();
        card.row(
            "",
            format_args!(
                "to grant all: copal hook grant {} {}",
                renewal.name,
                arguments.join(" ")
            ),
        );
    }
    super::result(&card.0)
}

/// Prints how fast a hook is.
pub fn measured(measured: &Measured, output: Output) -> Result<(), CopalError> {
    if output.json {
        return super::json(measured);
    }
    let mut card = Card::default();
    card.row("size", ByteCount(measured.bytes));
    card.row(
        "load, cold",
        format_args!("{:.0} ms, compiling it", measured.cold_load_ms),
    );
    card.row(
        "load, warm",
        format_args!("{:.2} ms", measured.warm_load_ms),
    );
    card.row("instance", format_args!("{:.0} µs", measured.instance_us));
    if let Some(peak) = measured.peak_bytes {
        card.row(
            "memory",
            format_args!("{}, the most of this process", ByteCount(peak)),
        );
    }
    if let Some(filter) = &measured.filter {
        card.row(
            "filter",
            format_args!(
                "paths of {} bytes, packing included, on one core",
                filter.path_bytes
            ),
        );
        card.row("  start", format_args!("{:.0} µs", filter.start_us));
        if let Some(rate) = filter.by_rules {
            card.row(
                "  rules",
                format_args!("{}, {} by them", filter.rules, per_second(rate)),
            );
        }
        for rate in &filter.asked {
            card.row(
                "  asked",
                format_args!(
                    "{} in batches of {}",
                    per_second(rate.per_second),
                    rate.batch
                ),
            );
        }
        card.row(
            "  walk",
            format_args!("a million paths in {:.0} ms", filter.million_ms),
        );
        if let Some(by_rules) = filter.million_by_rules_ms {
            card.row(
                "",
                format_args!(
                    "{by_rules:.0} ms by the same rules alone ({:.2} times)",
                    filter.million_ms / by_rules
                ),
            );
        }
    }
    super::result(&card.0)
}

fn per_second(rate: f64) -> String {
    format!("{:.2} M paths/s", rate / 1e6)
}

/// An entry as one reads it: `http POST https://ntfy.sh`.
fn written((capability, entry): &(Capability, String)) -> String {
    match capability {
        Capability::State => capability.to_string(),
        _ => format!("{capability} {entry}"),
    }
}

/// An entry as `copal hook grant` takes it, quoted for a shell.
fn argument((capability, entry): &(Capability, String)) -> String {
    let argument = format!("{capability}={entry}");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "=._/:,-".contains(c);
    if argument.chars().all(is_plain) {
        argument
    } else {
        format!("'{}'", argument.replace('\'', "'\\''"))
    }
}

fn names<T: Display>(all: impl Iterator<Item = T>) -> String {
    all.map(|one| one.to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}
