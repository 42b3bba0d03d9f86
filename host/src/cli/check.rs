//! `copal check`

use clap::Args;
use jiff::Timestamp;

use super::Global;
use super::ending::{Exit, ending};
use super::open::{JobArgs, state};
use crate::check::{Checked, Finding, Told, check};
use crate::edge::interrupt::Interrupt;
use crate::edge::rclone::Rclone;
use crate::edges::Edges;
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
    let interrupt = Interrupt::listen().map_err(CopalError::Signals)?;
    let rclone = Rclone::new(Some(&job.config), &interrupt);
    let progress = show::progress::Progress::new(global.quiet);
    let edges = Edges {
        open: &|spec| Ok(rclone.open(spec)?),
        now: &Timestamp::now,
        interrupt: &interrupt,
        state: &state()?,
        show: &progress,
    };
    let findings = check(&Checked {
        job: &job,
        file: file.as_deref(),
        rclone: &rclone,
        edges: &edges,
    })?;
    progress.finish();
    let next = |error: &CopalError| ending(error).next;
    show::check::print(&job, file.as_deref(), &findings, &next, global.output())?;
    Ok(exit(&findings))
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
