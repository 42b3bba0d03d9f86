//! `copal prune`

use clap::Args;
use jiff::Timestamp;

use super::Global;
use super::conclude::{conclude, exit, tell, told};
use super::ending::Exit;
use super::open::{configured, state};
use crate::edge::interrupt::Interrupt;
use crate::edge::rclone::Rclone;
use crate::edges::Edges;
use crate::error::CopalError;
use crate::prune::prune;
use crate::show;

#[derive(Debug, Args)]
pub(super) struct PruneArgs {
    /// Only tell what would go and what would stay, and why
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &PruneArgs, global: &Global) -> Result<Exit, CopalError> {
    let job = configured(global)?;
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
    let mut outcome = prune(&job, args.dry_run, &edges)?;
    progress.finish();
    let exit = if args.dry_run {
        tell(&outcome);
        exit(&outcome)
    } else {
        conclude(&mut outcome, edges.state)
    };
    Ok(told(exit, show::prune::print(&outcome, global.output())))
}
