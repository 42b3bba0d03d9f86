//! `copal du`

use std::collections::BTreeSet;

use clap::Args;
use copal_core::snapshot::{SnapshotId, SnapshotRef};

use super::Global;
use super::ending::Exit;
use super::open::FromArgs;
use crate::edge::interrupt::Interrupt;
use crate::error::CopalError;
use crate::show::du::Usage;
use crate::show::{self, message};
use crate::step::snapshots::StoreError;

#[derive(Debug, Args)]
pub(super) struct DuArgs {
    /// Which snapshots: ids, what each begins with, dates, or `latest` [default: all]
    #[arg(value_name = "SNAP")]
    snapshots: Vec<SnapshotRef>,
    #[command(flatten)]
    from: FromArgs,
}

pub(super) fn run(args: &DuArgs, global: &Global) -> Result<Exit, CopalError> {
    let interrupt = Interrupt::listen().map_err(CopalError::Signals)?;
    args.from.with_store(global, &interrupt, |store| {
        let known = store.all()?;
        if known.is_empty() && args.snapshots.is_empty() {
            message::note(&store.none().to_string());
        }
        let ids: Vec<SnapshotId> = known.iter().map(|one| one.id).collect();
        let resolve = |wanted: &SnapshotRef| {
            let id = wanted.resolve(&ids);
            id.map_err(|source| store.unresolved(source))
        };
        let chosen: Result<BTreeSet<_>, _> = args.snapshots.iter().map(resolve).collect();
        let chosen = chosen?;
        let is_chosen = |id: &SnapshotId| chosen.is_empty() || chosen.contains(id);
        let ids = ids.iter().enumerate();
        let numbers = ids.filter(|(_, id)| is_chosen(id));
        let abilities = store.remote().abilities().map_err(StoreError::from)?;
        let usage = Usage {
            name: store.name(),
            chosen: numbers.map(|(number, _)| number).collect(),
            hard_links: !store.is_mirror() && abilities.links,
            known: &known,
        };
        show::du::print(&usage, global.output())?;
        // Nobody knows what it holds, so that others may have less alone than is told.
        let damaged = known.iter().any(|one| one.manifest.is_err());
        Ok(global.found(if damaged { Exit::Failed } else { Exit::Done }))
    })
}
