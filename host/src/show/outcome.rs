//! The result of a backup.

use std::fmt::Write as _;

use copal_core::manifest::Totals;
use copal_core::path::RelPath;
use copal_core::staging::Way;
use serde_json::json;

use super::history::hold_told;
use super::{Output, count, duration, prune};
use crate::error::CopalError;
use crate::holds::Away;
use crate::outcome::{Delivered, Delivery, Mirrored, Notes, Outcome, Snapshot};
use crate::record::HoldRecord;

/// Prints what a backup came to.
pub fn print(outcome: &Outcome<Delivered>, output: Output) -> Result<(), CopalError> {
    if output.json {
        return super::json(&to_json(outcome));
    }
    super::result(&text(outcome, output.quiet))
}

fn text(outcome: &Outcome<Delivered>, quiet: bool) -> String {
    let mut text = String::new();
    let line = |text: &mut String, line: String| {
        writeln!(text, "{line}").expect("a String takes every write");
    };
    let Ok(delivered) = &outcome.result else {
        return text;
    };
    for Delivery {
        destination,
        result,
        ..
    } in &delivered.deliveries
    {
        if let Ok(snapshot) = result {
            let files = count(snapshot.totals.files, "file");
            let (bytes, took) = (snapshot.totals.bytes, duration(outcome.took));
            let done = match snapshot.mirror {
                Some(_) => format!("mirrored {} to {destination}", outcome.name),
                None => format!("sealed {}/{} at {destination}", outcome.name, snapshot.id),
            };
            line(&mut text, format!("{done} ({files}, {bytes}, {took})"));
            for told in snapshot.mirror.iter().flat_map(mirror_told) {
                line(&mut text, format!("  {told}"));
            }
            if let Some(mended) = &snapshot.mended {
                line(&mut text, format!("  mended on the way: {mended}"));
            }
            if !quiet && let Some(copied) = copied(snapshot) {
                line(&mut text, format!("  {copied}"));
            }
            if !quiet && let Some(files) = &snapshot.not_linked {
                let told = "unchanged, but could be no hard link, and uploaded";
                line(&mut text, format!("  {told}: {files}"));
            }
            if !quiet && let Some(pruned) = &snapshot.pruned {
                text += &prune::table(pruned, "  ");
            }
            if !quiet && let Some(charges) = &snapshot.charges {
                line(&mut text, format!("  calls to B2: {charges}"));
            }
        }
    }
    let notes = &delivered.notes;
    if !text.is_empty() {
        // What was to be still and was not makes another snapshot of it, and is told to those who read
        // nothing but results.
        for unheld in &notes.unheld {
            line(&mut text, format!("  not held: {unheld}"));
        }
        let lost = notes.staging.iter().filter(|staging| staging.moment_lost);
        for staging in lost {
            line(&mut text, format!("  {staging}"));
        }
    }
    if quiet || text.is_empty() {
        return text;
    }
    if let Some(staging) = &notes.staging
        && staging.way != Way::Direct
    {
        line(&mut text, format!("  {staging}"));
    }
    let mut note = |what: &str, paths: Vec<String>| {
        if !paths.is_empty() {
            line(&mut text, format!("  {what}: {}", some(&paths)));
        }
    };
    note("held", outcome.holds.iter().map(told).collect());
    note("no guard", notes.unguarded.iter().cloned().collect());
    note("copied and checked", names(&notes.databases));
    note("copied live, as configured", names(&notes.live_databases));
    let left_out = notes.left_out.iter();
    note(
        "left out",
        left_out
            .map(|(path, whole)| format!("{path}{}", if *whole { "/" } else { "" }))
            .collect(),
    );
    note(
        "not data (sockets, pipes, devices), left out",
        names(&notes.specials),
    );
    if let Some(snapshot) = outcome.sealed().next() {
        note(
            "changed meanwhile, taken as a private copy",
            names(&snapshot.moved),
        );
        note("deleted by the app meanwhile", names(&snapshot.vanished));
    }
    text
}

/// What of the snapshot the remote copied itself, or why not.
fn copied(snapshot: &Snapshot) -> Option<String> {
    if let Some(why) = &snapshot.not_copied {
        return Some(format!("all uploaded, as the remote copied nothing: {why}"));
    }
    let Totals { files, bytes } = snapshot.copied;
    let sent = snapshot.uploaded;
    let how = match snapshot.mirror {
        Some(_) => "unchanged there",
        None if snapshot.linked => "unchanged and hard links to the last snapshot's",
        None => "unchanged and copied by the remote",
    };
    (files > 0).then(|| {
        format!(
            "uploaded: {}, {}; {how}: {}, {bytes}",
            count(sent.files, "file"),
            sent.bytes,
            count(files, "file"),
        )
    })
}

/// What was done to a mirror, and not: what stays there and what never goes there is told in any case.
fn mirror_told(mirror: &Mirrored) -> Vec<String> {
    let Mirrored {
        deleted,
        surplus,
        unmapped,
    } = *mirror;
    let mut told = Vec::new();
    if deleted > 0 {
        told.push(format!("deleted there: {}", count(deleted, "file")));
    }
    if surplus > 0 {
        let files = count(surplus, "file");
        told.push(format!("still there and not in the source: {files}"));
    }
    if unmapped.files > 0 {
        let files = count(unmapped.files, "file");
        told.push(format!(
            "not in the map, not sent: {files}, {}",
            unmapped.bytes
        ));
    }
    told
}

fn told(away: &Away) -> String {
    hold_told(&HoldRecord::from(away))
}

fn names(paths: &[RelPath]) -> Vec<String> {
    paths.iter().map(ToString::to_string).collect()
}

fn some(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = names
        .iter()
        .take(SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn to_json(outcome: &Outcome<Delivered>) -> serde_json::Value {
    let nothing = Notes::default();
    let (deliveries, notes) = match &outcome.result {
        Ok(delivered) => (&delivered.deliveries[..], &delivered.notes),
        Err(_) => (&[][..], &nothing),
    };
    let hook_failures = outcome.shortcomings.iter().filter_map(|error| match error {
        CopalError::Hook(failure) => Some(failure.to_string()),
        _ => None,
    });
    let mut told = json!({
        "run": outcome.run,
        "name": outcome.name,
        "outcome": outcome.verdict().name(),
        "seconds": outcome.took.as_secs_f64(),
        "error": outcome.result.as_ref().err().map(CopalError::in_one_line),
        "destinations": deliveries.iter().map(destination).collect::<Vec<_>>(),
        "shortcomings": outcome.shortcomings.iter().map(CopalError::in_one_line).collect::<Vec<_>>(),
        "holds": outcome.holds.iter().map(HoldRecord::from).collect::<Vec<_>>(),
        "not_held": notes.unheld.iter().map(|it| json!({
            "service": it.service, "why": it.why, "missing": it.is_missing,
        })).collect::<Vec<_>>(),
        "staging": notes.staging.as_ref().map(|it| json!({ "mode": it.way, "why": it.why })),
        "databases": names(&notes.databases),
        "live_databases": names(&notes.live_databases),
        "not_data": names(&notes.specials),
        "left_out": notes.left_out.iter().map(|(path, _)| path.to_string()).collect::<Vec<_>>(),
        "warnings": outcome.warnings().map(|(hook, warning)| json!({
            "hook": hook, "warning": warning,
        })).collect::<Vec<_>>(),
        "hook_failures": hook_failures.collect::<Vec<_>>(),
    });
    for (at, delivery) in deliveries.iter().enumerate() {
        let snapshot = delivery.result.as_ref().ok();
        if let Some(pruned) = snapshot.and_then(|it| it.pruned.as_ref()) {
            told["destinations"][at]["pruned"] = prune::to_json(pruned);
        }
    }
    if notes.staging.as_ref().is_some_and(|it| it.moment_lost) {
        told["staging"]["moment_lost"] = true.into();
    }
    if let Some(unguarded) = &notes.unguarded {
        told["unguarded"] = unguarded.as_str().into();
    }
    told
}

fn destination(delivery: &Delivery) -> serde_json::Value {
    let mut told = match &delivery.result {
        Ok(snapshot) => json!({
            "mended": snapshot.mended,
            "destination": delivery.destination,
            "sealed": true,
            "snapshot": snapshot.id,
            "files": snapshot.totals.files,
            "bytes": snapshot.totals.bytes,
            "copied_files": snapshot.copied.files,
            "copied_bytes": snapshot.copied.bytes,
            "uploaded_files": snapshot.uploaded.files,
            "uploaded_bytes": snapshot.uploaded.bytes,
            "calls": snapshot.charges,
            "not_copied": snapshot.not_copied,
            "linked": snapshot.linked,
            "not_linked": snapshot.not_linked,
            "changed_meanwhile": names(&snapshot.moved),
            "deleted_meanwhile": names(&snapshot.vanished),
            "written_after_release": names(&snapshot.outrun),
        }),
        Err(error) => json!({
            "destination": delivery.destination,
            "sealed": false,
            "error": error.in_one_line(),
            "left_behind": delivery.left_behind.as_ref().map(|left| left.error.to_string()),
        }),
    };
    let mirror = delivery.result.as_ref().ok().and_then(|it| it.mirror);
    if let Some(mirror) = mirror {
        told["mirror"] = json!({
            "deleted_files": mirror.deleted,
            "surplus_files": mirror.surplus,
            "unmapped_files": mirror.unmapped.files,
            "unmapped_bytes": mirror.unmapped.bytes,
        });
    }
    told
}
