//! rclone's configuration, every destination, and what their answers tell of this machine's clock.

use std::fs::File;
use std::io::ErrorKind;
use std::path::PathBuf;

use copal_core::config::{Destination, Layout, RemoteSpec};
use copal_core::units::ByteCount;
use serde_json::json;

use super::finding::Findings;
use super::{CheckError, Checked, Part};
use crate::backup::look::may_add;
use crate::backup::{Allowances, Backup};
use crate::edge::walk::Walked;
use crate::error::CopalError;
use crate::floors::Deeds;
use crate::hooks::Hooks;
use crate::step::deliver::Reached;
use crate::step::plan::Plan;
use crate::step::preflight::{self, Asked, PreflightError, Ready};

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
        clocks.extend(of_clock);
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
    let mut is_compared = false;
    for Reached { shown, ready, .. } in reached {
        match ready {
            Ok(ready) => is_compared |= ready.abilities.local_roots.is_empty(),
            Err(error) => findings.failure(Part::Destination, Some(&shown), error),
        }
    }
    look_at_clock(is_compared, clocks, findings);
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
    let Some(plan) = plan else {
        return ask_without_plan(checked, remote, one);
    };
    // As a dry run does, which calls no hook that acts; this ends before it would call one at all.
    let mut backup = Backup::begin(job, Allowances::default(), Deeds::Recorded, edges);
    backup.may_try_to_write = true;
    let ready = backup.reach(remote, &one.layout, plan, may_add);
    (ready, backup.run.shortcomings)
}

/// Where the source can't be seen, the destination is asked all the same.
fn ask_without_plan(
    checked: &Checked<'_>,
    remote: &RemoteSpec,
    one: &Destination,
) -> (Result<Ready, CopalError>, Vec<CopalError>) {
    let Checked { job, edges, .. } = *checked;
    let map = match &one.layout {
        Layout::Snapshots => None,
        Layout::Mirror(mirror) => Some(&mirror.map),
    };
    let asked = Asked {
        name: job.name(),
        map,
        source: &job.source_if_found(),
        walked: &Walked::default(),
        bytes: ByteCount::ZERO,
        may_write: true,
    };
    let ready = (edges.open)(remote).and_then(|remote| Ok(preflight::reach(remote, asked)?));
    match ready {
        Ok(mut ready) => {
            let warnings = ready.warnings.drain(..).map(CopalError::from);
            let short = warnings.collect();
            (Ok(ready), short)
        }
        Err(error) => (Err(error), Vec::new()),
    }
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
        CopalError::Preflight(PreflightError::ClockOff { .. })
    )
}

/// What the servers' answers tell of it: a difference of less than five minutes is none.
fn look_at_clock(is_compared: bool, clocks: Vec<CopalError>, findings: &mut Findings) {
    if clocks.is_empty() {
        let what = if is_compared {
            "within five minutes of the servers that answered"
        } else {
            "no server answered that it could be compared with"
        };
        findings.well(Part::Clock, None, what);
    }
    for error in clocks {
        findings.warning(Part::Clock, None, error);
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
