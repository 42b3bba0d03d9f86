//! How hooks take the end of a backup. What keeps one from it each time leaves the snapshots as they are, and nobody
//! hears of it: what would tell them is what fails.
//!
//! Each is told of a backup that went well and of one that failed, on the floor of a dry run, where nothing is sent,
//! started or kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use copal_core::config::SecretOrigin;
use copal_core::grants::Need;
use copal_hooks::{Cancel, FailureKind, Hook, HookFailure, Outcome, Phase, Report};

use super::finding::Findings;
use super::{CheckError, Checked, Part};
use crate::capability::lacking::Lack;
use crate::capability::means::Means;
use crate::floors::{self, Deeds, Floor};
use crate::hooks::Hooks;
use crate::job::Job;
use crate::step::plan::Plan;

/// Tells each that can be told. What one lacks was found before.
pub(super) fn look(
    checked: &Checked<'_>,
    hooks: &Hooks,
    plan: Option<&Plan>,
    lacks: &[Lack],
    findings: &mut Findings,
) {
    // Without one no backup comes that far.
    let Some(plan) = plan else { return };
    let floor = floor(checked, plan);
    let cancel = Cancel::from(checked.edges.interrupt.flag());
    for hook in hooks.in_phase(Phase::PostBackup) {
        if is_lacking(hook, lacks) || asks_for_a_secret(hook, checked.job) {
            continue;
        }
        let failed = reports(checked, plan)
            .into_iter()
            .find_map(|report| tell(hook, hooks, report, &floor, &cancel).err());
        // A signal is told by the check itself.
        if let Some(failure) = failed.filter(|failure| failure.kind != FailureKind::Interrupted) {
            let error = CheckError::AtTheEnd(Box::new(failure));
            findings.warning(Part::Hook, Some(hook.name()), error);
        }
    }
}

fn tell(
    hook: &Hook,
    hooks: &Hooks,
    report: Report,
    floor: &Floor,
    cancel: &Cancel,
) -> Result<(), HookFailure> {
    let capabilities = Arc::clone(&floor.capabilities);
    hook.post_backup(hooks.run(), report, capabilities, cancel)
        .map(drop)
}

fn is_lacking(hook: &Hook, lacks: &[Lack]) -> bool {
    let name = format!("hook `{}`", hook.name());
    lacks.iter().any(|lack| lack.meant_for.contains(&name))
}

/// Whether it may use a secret that a program tells: that one may cost something, or ask somebody.
fn asks_for_a_secret(hook: &Hook, job: &Job) -> bool {
    let secrets = job.config.secrets().iter();
    let mut told = secrets.filter(|it| matches!(it.origin, SecretOrigin::Command(_)));
    told.any(|secret| {
        let name = &secret.name;
        let needs = [Need::Secret(name.clone()), Need::Reveal(name.clone())];
        needs.iter().any(|need| hook.in_force().cover(need))
    })
}

fn floor(checked: &Checked<'_>, plan: &Plan) -> Floor {
    let Checked { job, edges, .. } = *checked;
    let means = Means::of(job, edges.state).rehearsing().shared();
    let (source, databases) = (plan.source.clone(), plan.to_copy());
    let view = floors::view_of_tree(&means, source, databases, edges.interrupt);
    Deeds::Recorded.floor(view)
}

/// One that went well, as far as a dry run knows it, and one that failed.
fn reports(checked: &Checked<'_>, plan: &Plan) -> [Report; 2] {
    let now = (checked.edges.now)();
    let started = u64::try_from(now.as_millisecond()).unwrap_or(0);
    let common = BTreeMap::from([
        ("started-ms".to_owned(), started),
        ("duration-ms".to_owned(), 0),
        ("troubles".to_owned(), 0),
        ("services-down".to_owned(), 0),
        ("uploaded-bytes".to_owned(), 0),
    ]);
    let mut well = common.clone();
    let (files, bytes) = plan.files();
    well.insert("files".to_owned(), files);
    well.insert("bytes".to_owned(), bytes.0);
    let mut failed = common;
    failed.insert("troubles".to_owned(), 1);
    [
        Report {
            outcome: Outcome::Succeeded,
            message: None,
            snapshot: None,
            counters: well,
        },
        Report {
            outcome: Outcome::Failed,
            message: Some("`copal check` tries how this is told".to_owned()),
            snapshot: None,
            counters: failed,
        },
    ]
}
