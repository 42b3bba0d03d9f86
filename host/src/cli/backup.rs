//! `copal backup`

use clap::Args;
use jiff::Timestamp;

use super::Global;
use super::ending::{Exit, ending};
use super::open::{JobArgs, state};
use crate::backup::{Allowances, backup};
use crate::edge::interrupt::{Interrupt, Interrupted};
use crate::edge::rclone::Rclone;
use crate::edges::Edges;
use crate::error::CopalError;
use crate::outcome::{Outcome, Verdict};
use crate::show::{self, message};

#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    #[command(flatten)]
    job: JobArgs,
    /// Accept that databases of the last snapshot, or all its files, are gone or have become empty
    #[arg(long)]
    accept_missing: bool,
}

pub(super) fn run(args: &BackupArgs, global: &Global) -> Result<Exit, CopalError> {
    let job = args.job.job(global)?;
    let interrupt = Interrupt::listen().map_err(CopalError::Signals)?;
    let rclone = Rclone::new(Some(&job.config), &interrupt);
    let progress = show::progress::Progress::new(global.quiet);
    let edges = Edges {
        open: &|spec| rclone.open(spec),
        now: &Timestamp::now,
        interrupt: &interrupt,
        state: &state()?,
        show: &progress,
    };
    let allow = Allowances {
        missing_databases: args.accept_missing,
    };
    let outcome = backup(&job, allow, &edges)?;
    progress.finish();
    let tell = |error: &CopalError| message::error(error, &ending(error).next);
    match outcome.verdict() {
        // Whatever failed did so because of the signal.
        Verdict::Interrupted(signal) => tell(&Interrupted(signal).into()),
        _ => outcome.errors().chain(&outcome.shortcomings).for_each(tell),
    }
    for failure in &outcome.hook_failures {
        tell(&CopalError::Hook(failure.clone()));
    }
    for delivery in &outcome.delivered {
        if let Some(error) = &delivery.left_behind {
            message::left_behind(&delivery.destination, error);
        }
    }
    let exit = exit(&outcome);
    match show::outcome::print(&outcome, global.output()) {
        Ok(()) => Ok(exit),
        // The snapshot is there; only the telling of it fell short.
        Err(error) => {
            tell(&error);
            Ok(if exit == Exit::Done {
                Exit::FellShort
            } else {
                exit
            })
        }
    }
}

/// The exit code: the signal's, the first error's, or the shortcoming's.
fn exit(outcome: &Outcome) -> Exit {
    match outcome.verdict() {
        Verdict::Succeeded => Exit::Done,
        Verdict::Warned => Exit::FellShort,
        Verdict::Failed => outcome
            .errors()
            .next()
            .map_or(Exit::Failed, |error| ending(error).exit),
        Verdict::Interrupted(signal) => Exit::Interrupted(signal),
    }
}
