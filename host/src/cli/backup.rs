//! `copal backup`

use clap::Args;
use jiff::Timestamp;

use super::Global;
use super::conclude::{conclude, exit, tell, told};
use super::ending::Exit;
use super::open::{JobArgs, state};
use crate::backup::{Allowances, backup};
use crate::edge::interrupt::Interrupt;
use crate::edge::rclone::Rclone;
use crate::edges::Edges;
use crate::error::CopalError;
use crate::job::Job;
use crate::outcome::{Delivered, Outcome};
use crate::rehearse::rehearse;
use crate::show::{self, message};

#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    #[command(flatten)]
    job: JobArgs,
    /// Accept that databases of the last snapshot, or all its files, are gone or have become empty
    #[arg(long)]
    accept_missing: bool,
    /// Only tell what a backup would do: hooks run, and what they ask for is written down in place
    /// of being done. Destinations are asked and never written to
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &BackupArgs, global: &Global) -> Result<Exit, CopalError> {
    let job = args.job.job(global)?;
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
    let allow = Allowances {
        missing_databases: args.accept_missing,
    };
    if args.dry_run {
        return tell_what_would_be(&job, allow, &edges, global);
    }
    let mut outcome = backup(&job, allow, &edges)?;
    progress.finish();
    let exit = conclude(&mut outcome, edges.state);
    tell_what_is_left(&outcome);
    Ok(told(exit, show::outcome::print(&outcome, global.output())))
}

fn tell_what_would_be(
    job: &Job,
    allow: Allowances,
    edges: &Edges<'_>,
    global: &Global,
) -> Result<Exit, CopalError> {
    let outcome = rehearse(job, allow, edges)?;
    tell(&outcome);
    let printed = show::rehearsal::print(job, &outcome, global.output());
    Ok(told(exit(&outcome), printed))
}

fn tell_what_is_left(outcome: &Outcome<Delivered>) {
    let delivered = outcome.result.as_ref().ok();
    let deliveries = delivered.into_iter().flat_map(|it| &it.deliveries);
    for delivery in deliveries {
        if let Some(error) = &delivery.left_behind {
            message::left_behind(&delivery.destination, error);
        }
    }
}
