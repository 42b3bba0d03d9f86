//! A look at all that a backup needs, part by part: what fails keeps nothing else from being looked at.
//!
//! Nothing is held. Of the hooks the filters are called, which decide and do nothing, and those that are told of the
//! end, on the floor of a dry run. A destination is tried by a small file that goes at once.

mod error;
mod finding;
mod here;
mod kept;
mod places;
mod source;
mod told;

use std::path::Path;

use copal_core::config::{Component, Hook};
use copal_hooks::RunInfo;

pub use error::CheckError;
pub use finding::{Finding, Part, Told};

use self::finding::Findings;
use crate::capability::lacking::{Lack, lacking};
use crate::capability::means::Means;
use crate::edge::rclone::Rclone;
use crate::edge::service::State;
use crate::edges::{Edges, Step};
use crate::error::CopalError;
use crate::hooks::{Hooks, rights};
use crate::job::Job;
use crate::step::plan::PlanError;
use crate::step::services::{self, FoundService};

/// What is looked at.
pub struct Checked<'a> {
    /// The job.
    pub job: &'a Job,
    /// Its configuration, if it has one.
    pub file: Option<&'a Path>,
    /// rclone, as the job's options have it.
    pub rclone: &'a Rclone,
    /// The world around.
    pub edges: &'a Edges<'a>,
}

/// Looks at everything.
///
/// # Errors
/// A signal alone: whatever else is wrong is a finding.
pub fn check(checked: &Checked<'_>) -> Result<Vec<Finding>, CopalError> {
    let Checked { job, edges, .. } = *checked;
    let mut findings = Findings::default();
    let config = match checked.file {
        Some(file) => file.display().to_string(),
        None => "none: the command line says what the job is".to_owned(),
    };
    findings.well(Part::Config, None, config);
    edges.show.step(Step::Plan);
    let (hooks, are_all) = look_at_hooks(job, &mut findings);
    let means = Means::of(job, edges.state);
    let lacks = look_at_grants(&hooks, &means, &mut findings);
    let plan = source::look(checked, &hooks, are_all, &mut findings);
    edges.interrupt.check()?;
    told::look(checked, &hooks, plan.as_ref(), &lacks, &mut findings);
    edges.interrupt.check()?;
    look_at_services(job, &hooks, &means, &mut findings);
    edges.interrupt.check()?;
    edges.show.step(Step::Preflight);
    places::look(checked, &hooks, plan.as_ref(), &mut findings);
    edges.interrupt.check()?;
    here::look(checked, &mut findings);
    kept::look(checked, &mut findings);
    edges.interrupt.check()?;
    Ok(findings.0)
}

/// The hooks that can be loaded, and whether those are all.
fn look_at_hooks(job: &Job, findings: &mut Findings) -> (Hooks, bool) {
    let info = RunInfo {
        run_id: "check".to_owned(),
        job: job.name().to_owned(),
        dry_run: true,
        ..RunInfo::default()
    };
    let loaded = Hooks::load_what_can_be(&job.config, &job.base, info.clone());
    let (hooks, refused) = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            findings.failure(Part::Hook, None, error);
            return (Hooks::none(info), false);
        }
    };
    for hook in hooks.iter() {
        let mut configured = job.config.hooks().iter();
        let configured = configured.find(|it| it.name.as_str() == hook.name());
        let what = configured.map_or_else(String::new, |it| component(it, job));
        let what = format!("{what}, {}", rights(hook));
        findings.well(Part::Hook, Some(hook.name()), what);
    }
    let are_all = refused.is_empty();
    for (name, error) in refused {
        findings.failure(Part::Hook, Some(&name), error);
    }
    (hooks, are_all)
}

fn component(hook: &Hook, job: &Job) -> String {
    match &hook.component {
        Component::Builtin(builtin) => format!("built in (`{}`)", builtin.name()),
        Component::File(file) => {
            format!("`{}`, as it was granted", file.resolve(&job.base).display())
        }
    }
}

/// What hooks are granted of their owner's, and is not there.
fn look_at_grants(hooks: &Hooks, means: &Means, findings: &mut Findings) -> Vec<Lack> {
    let in_force = hooks.iter().map(|hook| (hook.name(), hook.in_force()));
    let lacks = lacking(means, in_force);
    for lack in &lacks {
        let error = PlanError::Lacking(vec![lack.clone()]);
        findings.failure(Part::Hook, Some(&lack.table), error);
    }
    lacks
}

fn look_at_services(job: &Job, hooks: &Hooks, means: &Means, findings: &mut Findings) {
    if let Err(error) = services::check(job, means) {
        findings.failure(Part::Service, None, error);
    }
    let refusals: Vec<_> = services::refusals(job, means).collect();
    for service in services::look(job, hooks, means) {
        let FoundService {
            name,
            what,
            state,
            words,
        } = service;
        // It is told below.
        if refusals.iter().any(|(refused, _)| *refused == name) {
            continue;
        }
        let told = format!("{what}, {words}");
        match state {
            Some(State::Running | State::Stopped | State::Paused) => {
                findings.well(Part::Service, Some(&name), told);
            }
            Some(State::Missing) | None => {
                let next = format!("mend [service.{name}] in copal.toml, or start what it names");
                findings.note(Part::Service, Some(&name), (told, next));
            }
        }
    }
    for (name, error) in refusals {
        findings.failure(Part::Service, Some(&name), error);
    }
}
