//! What a drill found.

use std::fmt::Write as _;

use serde_json::json;

use super::{Output, count, duration};
use crate::drill::Drilled;
use crate::error::CopalError;
use crate::outcome::{Outcome, Verdict};

/// Prints a drill. What is wrong with the snapshot was told before, as errors.
pub fn print(outcome: &Outcome<Drilled>, output: Output) -> Result<(), CopalError> {
    if output.json {
        return super::json(&to_json(outcome));
    }
    super::result(&text(outcome, output.quiet))
}

fn text(outcome: &Outcome<Drilled>, quiet: bool) -> String {
    let mut text = String::new();
    let Ok(drilled) = &outcome.result else {
        return text;
    };
    let verdict = match outcome.verdict() {
        Verdict::Succeeded => "it works",
        Verdict::Warned => "it works, with shortcomings",
        Verdict::Failed => "it is damaged",
        Verdict::Interrupted(_) => return text,
    };
    let (files, took) = (
        count(drilled.snapshot.files, "file"),
        duration(outcome.took),
    );
    let mut line = |line: String| writeln!(text, "{line}").expect("a String takes every write");
    line(format!(
        "drilled {}/{}: {verdict} ({files}, {}, {took})",
        outcome.name, drilled.snapshot.id, drilled.snapshot.bytes
    ));
    if quiet {
        return text;
    }
    line(format!(
        "  restored in {}: expect a restore to take as long",
        duration(drilled.snapshot.took)
    ));
    for database in &drilled.databases {
        line(format!("  database checked: {database}"));
    }
    if drilled.databases.is_empty() {
        line("  there is no database in it".to_owned());
    }
    match &drilled.hooks[..] {
        [] => line("  no hook tried it".to_owned()),
        hooks => line(format!("  tried by: {}", hooks.join(", "))),
    }
    for left in &drilled.left_behind {
        line(format!(
            "  another drill's copy: {}; remove it if that drill does not go on any more",
            left.display()
        ));
    }
    text
}

fn to_json(outcome: &Outcome<Drilled>) -> serde_json::Value {
    let drilled = outcome.result.as_ref().ok();
    let snapshot = drilled.map(|drilled| &drilled.snapshot);
    let mut told = super::of_run(outcome);
    told["restore_seconds"] = json!(snapshot.map(|it| it.took.as_secs_f64()));
    told["snapshot"] = json!(snapshot.map(|it| it.id));
    told["files"] = json!(snapshot.map(|it| it.files));
    told["bytes"] = json!(snapshot.map(|it| it.bytes));
    told["databases"] = json!(drilled.map(|drilled| &drilled.databases));
    told["hooks"] = json!(drilled.map(|drilled| &drilled.hooks));
    told["left_by_other_drills"] = json!(drilled.map(|drilled| &drilled.left_behind));
    told
}
