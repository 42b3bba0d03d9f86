//! `copal pin` and `copal unpin`

use clap::Args;
use copal_core::manifest::{MANIFEST, PIN, PRUNING};
use copal_core::retention::Pin;
use copal_core::snapshot::{SnapshotId, SnapshotRef};
use jiff::Timestamp;
use serde_json::json;

use super::Global;
use super::ending::Exit;
use super::open::FromArgs;
use crate::edge::interrupt::Interrupt;
use crate::error::CopalError;
use crate::show;
use crate::step::snapshots::{Store, StoreError};

#[derive(Debug, Args)]
pub(super) struct PinArgs {
    #[command(flatten)]
    which: Which,
    /// Why it is to stay, for whoever wonders later
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct UnpinArgs {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
struct Which {
    /// Which snapshot: an id, what one begins with, a date, or `latest`
    #[arg(value_name = "SNAP")]
    snapshot: SnapshotRef,
    #[command(flatten)]
    from: FromArgs,
}

pub(super) fn pin(args: &PinArgs, global: &Global) -> Result<Exit, CopalError> {
    let pin = Pin {
        since: Timestamp::now(),
        note: args.note.clone(),
    };
    let text = json!(pin).to_string();
    args.which.each(global, &|store, id| {
        store.put_beside(id, PIN, &text)?;
        let own = store.own_files(id)?;
        let has = |name| own.iter().any(|file| file.path == name);
        if has(PRUNING) {
            return Err(StoreError::BeingPruned(id).into());
        }
        // A prune may have been quicker.
        if has(MANIFEST) {
            return Ok("pinned");
        }
        store.take_away(id, PIN)?;
        Err(store.gone(id).into())
    })
}

pub(super) fn unpin(args: &UnpinArgs, global: &Global) -> Result<Exit, CopalError> {
    args.which.each(global, &|store, id| {
        store.take_away(id, PIN)?;
        Ok("not pinned")
    })
}

/// What is done to a snapshot of a store; what it is then.
type Deed<'a> = dyn Fn(&Store<'_>, SnapshotId) -> Result<&'static str, CopalError> + 'a;

impl Which {
    /// Does it at every destination that has the snapshot; the first says which one is meant.
    fn each(&self, global: &Global, deed: &Deed<'_>) -> Result<Exit, CopalError> {
        let interrupt = Interrupt::listen().map_err(CopalError::Signals)?;
        let (mut done, mut missing) = (Vec::new(), None);
        self.from.with_stores(global, &interrupt, &mut |store| {
            if store.is_mirror() {
                return Err(CopalError::MirrorsAlone);
            }
            let wanted = done.first().map_or_else(
                || self.snapshot.clone(),
                |(id, ..): &(SnapshotId, _, _)| SnapshotRef::Prefix(id.to_string()),
            );
            let id = match store.find(&wanted) {
                Ok(id) => id,
                // Destinations need not have the same snapshots.
                Err(error) if error.is_of_the_name() => {
                    missing.get_or_insert(error);
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            let is = deed(store, id)?;
            done.push((
                id,
                store.remote().shown(),
                format!("{}/{id} is {is}", store.name()),
            ));
            Ok(())
        })?;
        if let Some(error) = missing.filter(|_| done.is_empty()) {
            return Err(error.into());
        }
        if global.json {
            let told = done
                .iter()
                .map(|(id, place, _)| json!({ "snapshot": id, "destination": place }));
            show::json(&told.collect::<Vec<_>>())?;
        } else {
            let lines = done
                .iter()
                .map(|(_, place, what)| format!("{what} at {place}\n"));
            show::result(&lines.collect::<String>())?;
        }
        Ok(Exit::Done)
    }
}
