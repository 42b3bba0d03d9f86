//! `copal diff`

use clap::Args;
use copal_core::diff::diff;
use copal_core::snapshot::SnapshotRef;

use super::Global;
use super::ending::Exit;
use super::open::FromArgs;
use crate::edge::interrupt::Interrupt;
use crate::error::CopalError;
use crate::show;

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// The earlier snapshot: an id, what one begins with, a date, or `latest`
    #[arg(value_name = "BEFORE")]
    before: SnapshotRef,
    /// The later one, named in the same ways
    #[arg(value_name = "AFTER")]
    after: SnapshotRef,
    #[command(flatten)]
    from: FromArgs,
}

pub(super) fn run(args: &DiffArgs, global: &Global) -> Result<Exit, CopalError> {
    let interrupt = Interrupt::listen().map_err(CopalError::Signals)?;
    args.from.with_store(global, &interrupt, |store| {
        let before = store.manifest(store.find(&args.before)?)?;
        let after = store.manifest(store.find(&args.after)?)?;
        let found = diff(&before, &after);
        show::diff::print((before.id, after.id), &found, global.output())?;
        Ok(Exit::Done)
    })
}
