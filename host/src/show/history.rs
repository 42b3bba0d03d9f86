//! The history: which runs there were, and what one of them did. Read at three in the morning.

use std::fmt::{self, Write as _};
use std::time::Duration;

use super::{Output, count, duration};
use crate::edge::history::Row;
use crate::error::CopalError;
use crate::record::{
    DeedRecord, DeedResult, Ended, HoldRecord, HookStory, Record, SnapshotRecord, StepRecord,
    Trouble,
};
use copal_core::text::{is_harmful, second};
use copal_core::units::ByteCount;

/// Prints the list of runs, oldest first.
pub fn print_list(rows: &[Row], output: Output) -> Result<(), CopalError> {
    if output.json {
        return super::json(&rows);
    }
    super::result(&list(rows))
}

/// Prints what one run did.
pub fn print_record(record: &Record, output: Output) -> Result<(), CopalError> {
    if output.json {
        return super::json(record);
    }
    super::result(&text(record))
}

fn list(rows: &[Row]) -> String {
    let mut text = String::new();
    let wide = |of: fn(&Row) -> &str| rows.iter().map(|row| of(row).len()).max().unwrap_or(0);
    let (run, name) = (wide(|row| &row.run), wide(|row| &row.name));
    for row in rows {
        let ended = match row.exit {
            0 => row.outcome.clone(),
            exit => format!("{} ({exit})", row.outcome),
        };
        let what = row.trouble.clone();
        let what = what.unwrap_or_else(|| row.snapshots.join(", "));
        writeln!(
            text,
            "{}  {:run$}  {:7}  {:name$}  {ended:17}  {:>12}  {}",
            second(row.started),
            row.run,
            row.kind,
            row.name,
            duration(Duration::from_millis(row.took_ms)),
            one_line(&what, 100),
        )
        .expect("a String takes every write");
    }
    text
}

fn text(record: &Record) -> String {
    let mut page = Page::default();
    page.row("run", &record.run);
    page.row("job", &record.name);
    page.row("kind", record.kind.name());
    let took = duration(Duration::from_millis(record.took_ms));
    let started = second(record.started);
    page.row("started", format_args!("{started}, took {took}"));
    let outcome = record.outcome.name();
    match record.outcome {
        // Nobody saw with what.
        Ended::Abandoned => page.row("outcome", outcome),
        _ => page.row(
            "outcome",
            format_args!("{outcome}, exit code {}", record.exit),
        ),
    }
    for snapshot in &record.snapshots {
        page.snapshot(snapshot);
    }
    for hold in &record.holds {
        page.row("held", hold_told(hold));
    }
    if !record.steps.is_empty() {
        let told = |it: &StepRecord| {
            let took = duration(Duration::from_millis(it.took_ms));
            format!("{} {took}", it.step)
        };
        let told: Vec<_> = record.steps.iter().map(told).collect();
        page.row("steps", told.join(", "));
    }
    if let Some(file) = &record.log_file {
        page.row("log", file);
    }
    for note in &record.notes {
        page.row("note", note);
    }
    for error in &record.errors {
        page.trouble("error", error);
    }
    for shortcoming in &record.shortcomings {
        page.trouble("fell short", shortcoming);
    }
    if record.hooks.is_empty() && record.outcome == Ended::Abandoned {
        // They were its own to write down.
        page.line(
            0,
            "\nwhat the hooks did is not known: the run was killed before it could write it down",
        );
    } else if record.hooks.is_empty() {
        page.line(0, "\nno hook was called");
    } else {
        page.line(0, "\nwhat the hooks did, in order");
        for hook in &record.hooks {
            page.hook(hook);
        }
    }
    if !record.log.is_empty() {
        page.line(0, "\nthe last lines of the log");
        for line in &record.log {
            page.line(2, line);
        }
    }
    page.text
}

/// Lines with a margin.
#[derive(Default)]
pub(super) struct Page {
    pub(super) text: String,
    /// Whether deeds were only asked for: what came of them is nothing then, and took no time.
    pub(super) rehearsed: bool,
}

/// Where the values stand.
const MARGIN: usize = 12;

impl Page {
    pub(super) fn line(&mut self, margin: usize, line: impl fmt::Display) {
        for line in plain(&line.to_string()).split('\n') {
            writeln!(self.text, "{:margin$}{line}", "").expect("a String takes every write");
        }
    }

    fn row(&mut self, label: &str, what: impl fmt::Display) {
        let what = plain(&what.to_string());
        let mut lines = what.lines();
        let first = lines.next().unwrap_or_default();
        writeln!(self.text, "{label:MARGIN$}{first}").expect("a String takes every write");
        lines.for_each(|line| self.line(MARGIN, line));
    }

    fn snapshot(&mut self, snapshot: &SnapshotRecord) {
        let (files, bytes) = (count(snapshot.files, "file"), ByteCount(snapshot.bytes));
        let (id, at) = (snapshot.id, &snapshot.destination);
        match snapshot.deleted_files.map(|deleted| count(deleted, "file")) {
            Some(deleted) => {
                let told = format_args!("{at} ({files}, {bytes}; deleted there: {deleted})");
                self.row("mirror", told);
            }
            None => self.row("snapshot", format_args!("{id} at {at} ({files}, {bytes})")),
        }
        if let (Some(files), Some(bytes)) = (snapshot.uploaded_files, snapshot.uploaded_bytes) {
            let sent = format!("uploaded {}, {}", count(files, "file"), ByteCount(bytes));
            let copied = match (snapshot.copied_files, ByteCount(snapshot.copied_bytes)) {
                (0, _) => String::new(),
                (files, bytes) => format!("; copied there {}, {bytes}", count(files, "file")),
            };
            self.line(MARGIN, format_args!("{sent}{copied}"));
        }
        if let Some(calls) = &snapshot.calls {
            self.line(MARGIN, format_args!("calls to B2: {calls}"));
        }
    }

    fn trouble(&mut self, label: &str, trouble: &Trouble) {
        self.row(label, &trouble.what);
        for why in &trouble.why {
            self.row("  why", why);
        }
        if !trouble.next.is_empty() {
            self.row("  next", &trouble.next);
        }
    }

    pub(super) fn hook(&mut self, record: &HookStory) {
        let computed = in_brackets("computed ", record.computed_ms);
        let ended = match &record.failure {
            None if self.rehearsed => String::new(),
            None => format!("  ok{computed}"),
            // What follows its first line is the hook's, and must not pass for a line of Copal's.
            Some(why) => format!("  failed: {}{computed}", first_line(why)),
        };
        self.line(
            2,
            format_args!("{:12} {}{ended}", record.phase, record.hook),
        );
        for more in record.failure.iter().flat_map(|why| why.lines().skip(1)) {
            self.line(8, format_args!("| {more}"));
        }
        for deed in &record.deeds {
            self.deed(deed);
        }
        if record.deeds_left_out > 0 {
            self.line(6, format_args!("and {} more", record.deeds_left_out));
        }
        for denial in &record.denials {
            self.line(
                6,
                format_args!("denied: {} {}", denial.capability, denial.value),
            );
            self.line(8, format_args!("to grant it: {}", denial.remedy));
        }
        for warning in &record.warnings {
            self.line(6, format_args!("warned: {warning}"));
        }
        if !record.last_words.is_empty() {
            self.line(6, "last words:");
            for words in &record.last_words {
                self.line(8, format_args!("| {words}"));
            }
        }
    }

    pub(super) fn deed(&mut self, deed: &DeedRecord) {
        let took = in_brackets("", deed.took_ms);
        let call = call(deed);
        if self.rehearsed && matches!(deed.result, DeedResult::Done(_)) {
            return self.line(6, call);
        }
        let result = match &deed.result {
            DeedResult::Done(what) if what.is_empty() => String::new(),
            DeedResult::Done(what) => format!(" → {what}"),
            DeedResult::NotDone(why) => format!(" not done: {why}"),
        };
        self.line(6, format_args!("{call}{}{took}", one_line(&result, 400)));
    }
}

/// A hold in a line: `app: paused for 0.1 s, ready after 1.2 s`.
pub(super) fn hold_told(hold: &HoldRecord) -> String {
    let long = |milliseconds| duration(Duration::from_millis(milliseconds));
    let mut text = format!("{}: {}", hold.service, hold.how);
    let killed = hold
        .killed_after_ms
        .map(|grace| format!(", killed after {}", long(grace)));
    let killed = killed.unwrap_or_default();
    let Some(away) = hold.away_ms else {
        return format!("{text}{killed}, and not released");
    };
    text = format!("{text} for {}{killed}", long(away));
    match hold.released_by.as_deref() {
        None | Some("run" | "hook") => {}
        Some("max-pause") => text.push_str(" and released since `max_pause` was over"),
        Some(other) => text = format!("{text} and released by the {other}"),
    }
    match hold.ready_ms {
        Some(ready) => format!("{text}, ready after {}", long(ready)),
        None => text,
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// How long something took, where that is worth a word.
fn in_brackets(what: &str, milliseconds: u64) -> String {
    match milliseconds {
        0 => String::new(),
        long => format!(" ({what}{})", duration(Duration::from_millis(long))),
    }
}

/// A deed as it was asked for: `http.send method=POST url=https://ntfy.sh/backups`.
pub(super) fn call(deed: &DeedRecord) -> String {
    let mut text = deed.deed.clone();
    for (name, value) in &deed.arguments {
        let value = one_line(value, 400);
        let quoted = value.is_empty() || value.contains([' ', '"', '=']);
        let value = if quoted { format!("{value:?}") } else { value };
        write!(text, " {name}={value}").expect("a String takes every write");
    }
    text
}

/// What hooks say is nobody's that is trusted: no control character of it reaches a terminal.
pub(super) fn plain(text: &str) -> String {
    let plain = |c: char| if is_harmful(c) && c != '\n' { ' ' } else { c };
    text.chars().map(plain).collect()
}

/// The same on one line, and short.
fn one_line(text: &str, longest: usize) -> String {
    let mut line: String = text
        .chars()
        .map(|c| if is_harmful(c) { ' ' } else { c })
        .take(longest)
        .collect();
    if text.chars().nth(longest).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
