//! `copal drill`

use std::path::PathBuf;

use clap::Args;
use copal_core::snapshot::SnapshotRef;
use jiff::Timestamp;

use super::Global;
use super::conclude::{conclude, told};
use super::ending::Exit;
use super::open::{FromArgs, state};
use crate::drill::drill;
use crate::edge::interrupt::Interrupt;
use crate::edges::Edges;
use crate::error::CopalError;
use crate::show;

#[derive(Debug, Args)]
pub(super) struct DrillArgs {
    /// Which snapshot: an id, what one begins with, a date, or `latest`
    #[arg(value_name = "SNAP", default_value = "latest")]
    snapshot: SnapshotRef,
    /// Where the copy goes while it is tried: a directory with room for it [default: Copal's own]
    #[arg(long = "in", value_name = "DIR")]
    within: Option<PathBuf>,
    #[command(flatten)]
    from: FromArgs,
}

pub(super) fn run(args: &DrillArgs, global: &Global) -> Result<Exit, CopalError> {
    let interrupt = Interrupt::listen().map_err(CopalError::Signals)?;
    let progress = show::progress::Progress::new(global.quiet);
    let edges = Edges {
        open: &|_| Err(CopalError::NoDestination),
        now: &Timestamp::now,
        interrupt: &interrupt,
        state: &state()?,
        show: &progress,
    };
    let job = args.from.job(global)?;
    args.from.with_store_of(job.as_ref(), &interrupt, |store| {
        let manifest = store.manifest(store.find(&args.snapshot)?)?;
        let within = args.within.as_deref();
        let mut outcome = drill(job.as_ref(), store, &manifest, within, &edges)?;
        progress.finish();
        let exit = conclude(&mut outcome, edges.state);
        Ok(told(exit, show::drill::print(&outcome, global.output())))
    })
}
