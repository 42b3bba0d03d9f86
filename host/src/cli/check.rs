//! `copal check`

use std::rc::Rc;

use clap::Args;

use super::Global;
use super::ending::{Exit, ending};
use super::open::JobArgs;
use super::world::{World, listen};
use crate::check::{Checked, Finding, Told, check};
use crate::edge::rclone::Rclone;
use crate::error::CopalError;
use crate::show;

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    job: JobArgs,
}

pub(super) fn run(args: &CheckArgs, global: &Global) -> Result<Exit, CopalError> {
    let job = args.job.job(global)?;
    let file = args.job.file(global)?;
    let interrupt = listen()?;
    let rclone = Rc::new(Rclone::new(Some(&job.config), &interrupt));
    let world = World::with(&rclone, interrupt, global.quiet)?;
    let findings = check(&Checked {
        job: &job,
        file: file.as_deref(),
        rclone: &rclone,
        edges: &world.edges(),
    })?;
    world.progress.finish();
    let next = |error: &CopalError| ending(error).next;
    show::check::print(&job, file.as_deref(), &findings, &next, global.output())?;
    Ok(global.found(exit(&findings)))
}

/// What must wake somebody outranks all; then what has to be mended by a person before anything else is tried.
fn exit(findings: &[Finding]) -> Exit {
    let failures = findings.iter().filter_map(|finding| match &finding.told {
        Told::Failure(error) => Some(ending(error).exit),
        Told::Well(_) | Told::Note { .. } | Told::Warning(_) => None,
    });
    let exits: Vec<Exit> = failures.collect();
    if exits.contains(&Exit::NotResumed) {
        Exit::NotResumed
    } else if exits.contains(&Exit::Usage) {
        Exit::Usage
    } else if exits.is_empty() {
        Exit::Done
    } else {
        Exit::Failed
    }
}
