//! What a backup would do, hooks included.

use serde_json::{Value, json};

use super::history::Page;
use super::{Output, plan};
use crate::error::CopalError;
use crate::job::Job;
use crate::outcome::Outcome;
use crate::record::HookStory;
use crate::rehearse::Rehearsed;
use crate::step::deliver::Reached;

/// Prints a dry run.
pub fn print(job: &Job, outcome: &Outcome<Rehearsed>, output: Output) -> Result<(), CopalError> {
    if output.json {
        super::json(&to_json(job, outcome))
    } else {
        super::result(&text(job, outcome))
    }
}

fn text(job: &Job, outcome: &Outcome<Rehearsed>) -> String {
    let mut page = Page {
        rehearsed: true,
        ..Page::default()
    };
    page.line(0, "dry run: nothing was changed\n");
    if outcome.hooks.is_empty() {
        page.line(0, "no hook was called");
    } else {
        page.line(0, "what the hooks would have done, in order");
        for run in &outcome.hooks {
            page.hook(&HookStory::from(run));
        }
    }
    if let Ok(rehearsed) = &outcome.result {
        page.line(0, "");
        page.text += &plan::what_would_travel(job, &rehearsed.plan, &rehearsed.outlooks);
    }
    page.text
}

fn to_json(job: &Job, outcome: &Outcome<Rehearsed>) -> Value {
    let hooks: Vec<_> = outcome.hooks.iter().map(HookStory::from).collect();
    let reached = |one: &Reached| {
        json!({
            "destination": one.shown,
            "reached": one.ready.is_ok(),
            "error": one.ready.as_ref().err().map(CopalError::in_one_line),
        })
    };
    let mut json = match &outcome.result {
        Ok(rehearsed) => {
            let mut json = plan::travelling(job, &rehearsed.plan, &rehearsed.outlooks);
            json["destinations"] = rehearsed.reached.iter().map(reached).collect();
            json
        }
        Err(error) => json!({ "name": job.name(), "error": error.in_one_line() }),
    };
    json["dry_run"] = true.into();
    json["run"] = outcome.run.as_str().into();
    json["outcome"] = outcome.verdict().name().into();
    json["hooks"] = json!(hooks);
    json["shortcomings"] = outcome
        .shortcomings
        .iter()
        .map(CopalError::in_one_line)
        .collect();
    json
}
