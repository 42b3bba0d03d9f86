//! `copal snapshots`

use clap::Args;

use super::Global;
use super::ending::Exit;
use super::kept;
use super::open::FromArgs;
use crate::edge::interrupt::Interrupt;
use crate::error::CopalError;
use crate::show::{self, message};

#[derive(Debug, Args)]
pub(super) struct SnapshotsArgs {
    #[command(flatten)]
    from: FromArgs,
}

pub(super) fn run(args: &SnapshotsArgs, global: &Global) -> Result<Exit, CopalError> {
    let interrupt = Interrupt::listen().map_err(CopalError::Signals)?;
    args.from.with_store(global, &interrupt, |store| {
        let known = store.all()?;
        if known.is_empty() {
            // A list of nothing is no failure, and no answer to a mistyped place either.
            message::note(&store.none().to_string());
        }
        if args.from.is_of_the_job() {
            kept::made(store, &known);
        }
        if store.is_mirror() {
            let place = store.remote().shown();
            message::note(&format!(
                "`{place}` is a mirror: it has its last run's state alone"
            ));
        }
        let drills = kept::drills(store);
        show::snapshots::print(store.name(), &known, &drills, global.output())?;
        // A snapshot that is damaged, or whose manifest is, is listed, and no reason to call all well.
        let damaged = known.iter().any(|one| one.damaged || one.manifest.is_err());
        Ok(if damaged { Exit::Failed } else { Exit::Done })
    })
}
