//! rclone's configuration, every destination, and what their answers tell of this machine's clock.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind;
use std::path::PathBuf;

use copal_core::config::{Destination, Layout, RemoteSpec};
use copal_core::grants::Capability;
use copal_hooks::Hook;
use serde_json::json;

use super::finding::Findings;
use super::{CheckError, Checked, Part};
use crate::backup::look::may_add;
use crate::backup::{Allowances, Backup};
use crate::error::CopalError;
use crate::floors::Deeds;
use crate::hooks::Hooks;
use crate::outlook::{Basis, by_answers};
use crate::step::deliver::Reached;
use crate::step::plan::Plan;
use crate::step::preflight::{self, PreflightError, Ready};
use crate::step::transfer::TransferError;

/// Asks every destination as a backup does, and writes there a little more.
pub(super) fn look(
    checked: &Checked<'_>,
    hooks: &Hooks,
    plan: Option<&Plan>,
    findings: &mut Findings,
) {
    let job = checked.job;
    match rclone_config(checked) {
        Ok(what) => findings.well(Part::Rclone, None, what),
        Err(error) => findings.failure(Part::Rclone, None, error),
    }
    let may_add = hooks.iter().any(may_add);
    let (mut reached, mut clocks) = (Vec::new(), Vec::new());
    for (remote, one) in job
        .destinations()
        .into_iter()
        .zip(job.config.destinations())
    {
        let (ready, short) = ask(checked, &remote, one, plan, may_add);
        let shown = remote.to_string();
        let (of_clock, short): (Vec<_>, Vec<_>) = short.into_iter().partition(is_clock);
        clocks.extend(of_clock.into_iter().map(|error| (shown.clone(), error)));
        for error in short {
            findings.warning(Part::Destination, Some(&shown), error);
        }
        let tried = ready.and_then(|ready| {
            preflight::try_to_write(&ready.abilities)?;
            Ok(ready)
        });
        if let Ok(ready) = &tried {
            findings.well(Part::Destination, Some(&shown), told(ready, &one.layout));
        }
        reached.push(Reached {
            shown,
            layout: one.layout.clone(),
            proof: one.proof,
            ready: tried,
        });
    }
    if let Err(error) = preflight::check_one_another(&reached, job.name()) {
        findings.failure(Part::Destination, None, error);
    }
    if let Some(plan) = plan {
        look_at_limit(checked, hooks, plan, &reached, findings);
    }
    let mut is_compared = false;
    for Reached { shown, ready, .. } in reached {
        match ready {
            Ok(ready) => is_compared |= ready.abilities.local_roots.is_empty(),
            Err(error) => findings.failure(Part::Destination, Some(&shown), error),
        }
    }
    look_at_clock(is_compared, clocks, findings);
}

/// What a backup would upload, beside what it may.
fn look_at_limit(
    checked: &Checked<'_>,
    hooks: &Hooks,
    plan: &Plan,
    reached: &[Reached],
    findings: &mut Findings,
) {
    let Some(allowed) = checked.job.config.limits().max_transfer else {
        return;
    };
    let is_archived = hooks.iter().any(may_archive);
    for outlook in by_answers(plan, reached, &BTreeMap::new(), (checked.edges.now)()) {
        let needed = outlook.forecast.uploaded.bytes;
        if needed <= allowed {
            continue;
        }
        let about = Some(&*outlook.destination);
        let error = TransferError::TooMuch { needed, allowed };
        // Where there is something already, more of it may be the same than can be told by its look; and an
        // archive is smaller than what it stands in for.
        let is_first = matches!(outlook.basis, Basis::Answer(None)) && !outlook.is_mirror;
        if is_first && !is_archived {
            findings.failure(Part::Destination, about, error);
        } else {
            findings.warning(Part::Destination, about, error);
        }
    }
}

fn may_archive(hook: &Hook) -> bool {
    let entries = hook.in_force().both().entries();
    let mut capabilities = entries.into_iter().map(|(capability, _)| capability);
    capabilities.any(|it| it == Capability::Archive)
}

/// What it answers, and what of it falls short.
fn ask(
    checked: &Checked<'_>,
    remote: &RemoteSpec,
    one: &Destination,
    plan: Option<&Plan>,
    may_add: bool,
) -> (Result<Ready, CopalError>, Vec<CopalError>) {
    let Checked { job, edges, .. } = *checked;
    // As a dry run does, which calls no hook that acts; this ends before it would call one at all.
    let mut backup = Backup::begin(job, Allowances::default(), Deeds::Recorded, edges);
    backup.may_try_to_write = true;
    let ready = backup.reach(remote, &one.layout, plan, may_add);
    (ready, backup.run.shortcomings)
}

fn told(ready: &Ready, layout: &Layout) -> String {
    let last = ready.last.as_ref().map(|last| last.id);
    let last = match (layout, last) {
        (Layout::Snapshots, Some(id)) => format!("the last snapshot is {id}"),
        (Layout::Snapshots, None) => "no snapshot yet".to_owned(),
        (Layout::Mirror(_), Some(id)) => format!("the mirror is as of {id}"),
        (Layout::Mirror(_), None) => "no mirror yet".to_owned(),
    };
    format!("answers, and can be written to; {last}")
}

fn is_clock(error: &CopalError) -> bool {
    matches!(
        error,
        CopalError::Preflight(
            PreflightError::ClockOff { .. } | PreflightError::FromTheFuture { .. }
        )
    )
}

/// What the destinations tell of it: a server's time, where a difference of less than five minutes is none, and
/// snapshots of a time that is still to come.
fn look_at_clock(is_compared: bool, clocks: Vec<(String, CopalError)>, findings: &mut Findings) {
    if clocks.is_empty() {
        let what = if is_compared {
            "within five minutes of the servers that answered"
        } else {
            "no server answered that it could be compared with"
        };
        findings.well(Part::Clock, None, what);
    }
    for (shown, error) in clocks {
        // A server that tells another time is named in the error.
        let is_of_a_snapshot = matches!(
            error,
            CopalError::Preflight(PreflightError::FromTheFuture { .. })
        );
        findings.warning(Part::Clock, is_of_a_snapshot.then_some(&*shown), error);
    }
}

/// Where rclone's remotes are written down.
fn rclone_config(checked: &Checked<'_>) -> Result<String, CopalError> {
    let paths = checked.rclone.call("config/paths", &json!({}))?;
    let path = PathBuf::from(paths["config"].as_str().unwrap_or_default());
    let shown = path.display();
    match File::open(&path) {
        Ok(_) => Ok(format!("`{shown}`")),
        // Folders, and what the environment says, need none.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Ok(format!("there is no `{shown}`, and so no remote of it"))
        }
        Err(source) => Err(CheckError::RcloneConfig { path, source }.into()),
    }
}
