//! What became of a hook's cases.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

use super::{Output, count, duration};
use crate::error::CopalError;
use crate::hook_test::{Difference, Observed, Tried, verdict_name};

/// Prints which cases came out as expected, and what differs in the others; of each what it did, with
/// `verbose`.
pub fn tried(all: &[Tried], verbose: bool, output: Output) -> Result<(), CopalError> {
    if output.json {
        return super::json(&all.iter().map(value).collect::<Vec<_>>());
    }
    let mut text = String::new();
    for one in all {
        let word = if one.differences.is_empty() {
            "ok"
        } else {
            "differs"
        };
        let (phase, name) = (one.case.phase, &one.case.name);
        line(&mut text, 0, &format!("{word:8}{phase:13} {name}"));
        for difference in &one.differences {
            diff(&mut text, difference);
        }
        if verbose || !one.differences.is_empty() {
            deeds(&mut text, one);
            denials(&mut text, &one.observed);
            log(&mut text, &one.observed);
        }
    }
    let failed = all.iter().filter(|one| !one.differences.is_empty()).count();
    let cases = count(all.len() as u64, "case");
    line(
        &mut text,
        0,
        &match failed {
            0 => format!("\n{cases}, all as expected"),
            failed => format!("\n{cases}, {failed} not as expected"),
        },
    );
    super::result(&text)
}

/// Prints what each phase did.
pub fn probed(all: &[Tried], output: Output) -> Result<(), CopalError> {
    if output.json {
        return super::json(&all.iter().map(value).collect::<Vec<_>>());
    }
    let mut text = String::new();
    for one in all {
        let observed = &one.observed;
        let took = duration(observed.computed);
        line(
            &mut text,
            0,
            &format!("{}  {} (computed {took})", one.case.phase, observed.result),
        );
        let message = observed.message.iter().flat_map(|message| message.lines());
        message.for_each(|part| line(&mut text, 4, part));
        observed
            .rules
            .iter()
            .for_each(|rule| line(&mut text, 4, &format!("rule: {rule}")));
        for (entry, verdict) in one.case.tree.iter().zip(&observed.verdicts) {
            line(
                &mut text,
                4,
                &format!("{:13} {}", verdict_name(*verdict), entry.path),
            );
        }
        observed
            .deeds
            .iter()
            .for_each(|deed| line(&mut text, 4, deed));
        denials(&mut text, observed);
        for path in observed.staged.keys() {
            line(&mut text, 4, &format!("left in /staging: {path}"));
        }
        log(&mut text, observed);
    }
    line(
        &mut text,
        0,
        "\nnothing was expected of it: write cases into hook-test.toml (docs/hook-test.md)",
    );
    super::result(&text)
}

/// Prints how many of the cases were rewritten.
pub fn updated(
    path: &Path,
    cases: usize,
    rewritten: usize,
    output: Output,
) -> Result<(), CopalError> {
    if output.json {
        return super::json(&json!({ "cases": cases, "changed": rewritten }));
    }
    let cases = count(cases as u64, "case");
    super::result(&format!(
        "{}: {cases}, {rewritten} rewritten\n",
        path.display()
    ))
}

fn diff(text: &mut String, difference: &Difference) {
    line(
        text,
        4,
        &format!("{}: expected (-), came (+)", difference.what),
    );
    let expected = difference.expected.join("\n");
    let found = difference.found.join("\n");
    for change in TextDiff::from_lines(expected.as_str(), found.as_str()).iter_all_changes() {
        let sign = match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => ' ',
        };
        line(
            text,
            6,
            &format!("{sign} {}", change.value().trim_end_matches('\n')),
        );
    }
}

/// What a case did that came out otherwise; where its deeds differ, they are shown by that.
fn deeds(text: &mut String, one: &Tried) {
    if one.differences.iter().any(|one| one.what == "deeds") {
        return;
    }
    for deed in &one.observed.deeds {
        line(text, 4, &format!("did: {deed}"));
    }
}

/// What it was denied, and where it trapped.
fn denials(text: &mut String, observed: &Observed) {
    for denial in &observed.denials {
        line(text, 4, &format!("denied: {denial}"));
    }
    for frame in &observed.backtrace {
        line(text, 4, &format!("in: {frame}"));
    }
}

fn log(text: &mut String, observed: &Observed) {
    observed
        .log
        .iter()
        .for_each(|words| line(text, 4, &format!("| {words}")));
}

fn line(text: &mut String, margin: usize, what: &str) {
    writeln!(text, "{:margin$}{what}", "").expect("a String takes every write");
}

fn value(one: &Tried) -> Value {
    let observed = &one.observed;
    let differences: Vec<_> = one
        .differences
        .iter()
        .map(|d| json!({ "what": d.what, "expected": d.expected, "found": d.found }))
        .collect();
    let verdicts: Vec<_> = observed.verdicts.iter().map(|v| verdict_name(*v)).collect();
    json!({
        "name": one.case.name,
        "phase": one.case.phase.name(),
        "differences": differences,
        "result": observed.result,
        "code": observed.code,
        "message": observed.message,
        "deeds": observed.deeds,
        "denials": observed.denials,
        "backtrace": observed.backtrace,
        "rules": observed.rules,
        "verdicts": verdicts,
        "log": observed.log,
    })
}
