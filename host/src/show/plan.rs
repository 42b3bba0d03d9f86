//! What a backup would do.

use std::fmt::Write as _;

use copal_core::config::Layout;
use copal_core::mirror::Mirror;
use copal_core::units::ByteCount;
use serde_json::json;

use super::{Output, count, outlook, staging};
use crate::error::CopalError;
use crate::hooks::{Hooks, rights};
use crate::job::Job;
use crate::outlook::Outlook;
use crate::step::plan::Plan;
use crate::step::services::FoundService;

/// Prints a plan.
pub fn print(
    job: &Job,
    hooks: &Hooks,
    plan: &Plan,
    outlooks: &[Outlook],
    output: Output,
) -> Result<(), CopalError> {
    if output.json {
        super::json(&to_json(job, hooks, plan, outlooks))
    } else {
        super::result(&text(job, hooks, plan, outlooks))
    }
}

fn text(job: &Job, hooks: &Hooks, plan: &Plan, outlooks: &[Outlook]) -> String {
    let mut text = what_would_travel(job, plan, outlooks);
    for hook in hooks.iter() {
        let phases: Vec<_> = hook.phases().map(|phase| phase.to_string()).collect();
        let what = format!("{} ({}), {}", hook.name(), phases.join(", "), rights(hook));
        row(&mut text, "hook", &what);
    }
    text
}

fn row(text: &mut String, label: &str, what: &str) {
    writeln!(text, "{label:<13}{what}").expect("a String takes every write");
}

/// Files, databases, and what is left out.
pub(super) fn what_would_travel(job: &Job, plan: &Plan, outlooks: &[Outlook]) -> String {
    let mut text = String::new();
    let mut row = |label: &str, what: String| row(&mut text, label, &what);
    let (files, bytes) = plan.files();
    row("name", job.name().to_owned());
    row("source", plan.source.display().to_string());
    if let Some(by) = found_by(job) {
        row("", by.to_owned());
    }
    row("", format!("{}, {bytes}", count(files, "file")));
    for (destination, configured) in job.destinations().iter().zip(job.config.destinations()) {
        let destination = destination.to_string();
        let outlook = outlooks.iter().find(|it| it.destination == destination);
        row("destination", destination);
        if let Layout::Mirror(mirror) = &configured.layout {
            for line in mirror_lines(mirror, plan) {
                row("", line);
            }
        }
        for line in outlook.map(outlook::lines).unwrap_or_default() {
            row("", line);
        }
    }
    row("staging", staging::line(&plan.staging));
    if let Some(unguarded) = &plan.unguarded {
        row("no guard", unguarded.clone());
    }
    for service in &plan.services {
        let FoundService {
            name, what, words, ..
        } = service;
        row("service", format!("{name}: {what}, {words}"));
    }
    for database in &plan.databases {
        let how = if database.live {
            "copied live, as configured"
        } else {
            "online backup, checked"
        };
        let size = match database.log {
            ByteCount::ZERO => database.size.to_string(),
            log => format!("{}, and {log} in its write-ahead log", database.size),
        };
        row("database", format!("{} ({size}), {how}", database.path));
    }
    for (path, whole) in &plan.walked.left_out {
        row(
            "leaves out",
            format!("{path}{}", if *whole { "/" } else { "" }),
        );
    }
    text
}

/// What goes into which folder of a mirror, and what goes nowhere.
fn mirror_lines(mirror: &Mirror, plan: &Plan) -> Vec<String> {
    if mirror.map.is_whole() {
        return vec!["a mirror of the whole source".to_owned()];
    }
    let shown = |(files, bytes): (u64, ByteCount)| format!("{}, {bytes}", count(files, "file"));
    let pairs = mirror.map.pairs().iter();
    let mut lines: Vec<String> = pairs
        .map(|pair| {
            let files = plan.files_that(|path| path.is_within(&pair.source));
            format!(
                "mirrors {} to {} ({})",
                pair.source,
                pair.folder,
                shown(files)
            )
        })
        .collect();
    let (files, bytes) = plan.files_that(|path| !mirror.map.takes(path, None));
    if files > 0 {
        lines.push(format!(
            "not in the map, not sent: {}",
            shown((files, bytes))
        ));
    }
    lines
}

fn mirrors(job: &Job, plan: &Plan) -> Vec<serde_json::Value> {
    let destinations = job.destinations();
    let both = destinations.iter().zip(job.config.destinations());
    let mirrors = both.filter_map(|(remote, configured)| match &configured.layout {
        Layout::Mirror(mirror) => Some((remote, mirror)),
        Layout::Snapshots => None,
    });
    let told = mirrors.map(|(remote, mirror)| {
        let (files, bytes) = plan.files_that(|path| !mirror.map.takes(path, None));
        let pairs = mirror.map.pairs().iter().map(|pair| {
            let (files, bytes) = plan.files_that(|path| path.is_within(&pair.source));
            json!({ "source": pair.source, "folder": pair.folder, "files": files, "bytes": bytes })
        });
        json!({
            "destination": remote.to_string(),
            "map": pairs.collect::<Vec<_>>(),
            "unmapped_files": files,
            "unmapped_bytes": bytes,
        })
    });
    told.collect()
}

/// How the source was found, where it was not named itself.
fn found_by(job: &Job) -> Option<&str> {
    job.source().ok()?.by.as_deref()
}

fn to_json(job: &Job, hooks: &Hooks, plan: &Plan, outlooks: &[Outlook]) -> serde_json::Value {
    let mut json = travelling(job, plan, outlooks);
    json["hooks"] = hooks
        .iter()
        .map(|hook| {
            json!({
                "name": hook.name(),
                "sha256": hook.digest(),
                "phases": hook.phases().map(|phase| phase.to_string()).collect::<Vec<_>>(),
            })
        })
        .collect();
    json
}

/// [`what_would_travel`] as JSON.
pub(super) fn travelling(job: &Job, plan: &Plan, outlooks: &[Outlook]) -> serde_json::Value {
    let (files, bytes) = plan.files();
    let mut json = json!({
        "name": job.name(),
        "source": plan.source.display().to_string(),
        "files": files,
        "bytes": bytes,
        "destinations": job.destinations().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "forecast": outlook::to_json(outlooks),
        "staging": staging::to_json(&plan.staging),
        "services": plan.services.iter().map(|service| json!({
            "name": service.name, "what": service.what, "state": service.state, "found": service.words,
        })).collect::<Vec<_>>(),
        "databases": plan.databases.iter().map(|database| json!({
            "path": database.path, "bytes": database.size, "log_bytes": database.log, "live": database.live,
        })).collect::<Vec<_>>(),
        "left_out": plan.walked.left_out.iter().map(|(path, whole)| json!({
            "path": path, "with_all_below": whole,
        })).collect::<Vec<_>>(),
    });
    let mirrors = mirrors(job, plan);
    if !mirrors.is_empty() {
        json["mirrors"] = mirrors.into();
    }
    if let Some(by) = found_by(job) {
        json["source_found_by"] = by.into();
    }
    if let Some(unguarded) = &plan.unguarded {
        json["unguarded"] = unguarded.as_str().into();
    }
    json
}
