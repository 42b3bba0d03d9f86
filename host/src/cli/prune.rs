//! `copal prune`

use clap::Args;

use super::Global;
use super::conclude::{conclude, exit, tell, told};
use super::ending::Exit;
use super::open::configured;
use super::world::{World, listen};
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
    let world = World::of(&job, listen()?, global.quiet)?;
    let edges = world.edges();
    let mut outcome = prune(&job, args.dry_run, &edges)?;
    world.progress.finish();
    let exit = if args.dry_run {
        tell(&outcome);
        exit(&outcome)
    } else {
        conclude(&mut outcome, edges.state)
    };
    Ok(told(exit, show::prune::print(&outcome, global.output())))
}
