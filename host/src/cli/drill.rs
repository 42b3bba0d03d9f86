//! `copal drill`

use std::path::PathBuf;

use clap::Args;
use copal_core::manifest::{DRILLED, Manifest, VERIFIED};
use copal_core::snapshot::SnapshotRef;
use jiff::Timestamp;
use serde_json::json;

use super::Global;
use super::conclude::{conclude_and, told};
use super::ending::Exit;
use super::open::FromArgs;
use super::world::{World, listen};
use crate::drill::{Drilled, drill};
use crate::error::CopalError;
use crate::metrics;
use crate::outcome::{Outcome, Verdict};
use crate::show::{self, message};
use crate::step::snapshots::{Store, StoreError};
use crate::step::verify::{Depth, Verified};

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
    let world = World::without_destinations(listen()?, global.quiet)?;
    let edges = world.edges();
    let job = args.from.job(global)?;
    args.from
        .with_store_of(job.as_ref(), edges.interrupt, |store| {
            let manifest = store.manifest(store.find(&args.snapshot)?)?;
            let within = args.within.as_deref();
            let mut outcome = drill(job.as_ref(), store, &manifest, within, &edges)?;
            world.progress.finish();
            if !store.is_mirror()
                && let Err(error) = note(store, manifest, &outcome)
            {
                let error = CopalError::from(error).in_one_line();
                message::note(&format!(
                    "retention does not know what was found here: {error}"
                ));
            }
            let write = || {
                let job = job.as_ref();
                job.map_or(Ok(()), |job| metrics::write(job, edges.state))
            };
            let exit = conclude_and(&mut outcome, edges.state, &write);
            Ok(told(exit, show::drill::print(&outcome, global.output())))
        })
}

/// A drill is a verification too, and the closest; and it is the one proof that the app's data is of use. What it could
/// not try, or not all of, it knows nothing of. Where it finds fault, by hooks alone too, there is none to rely on.
fn note(
    store: &Store<'_>,
    manifest: Manifest,
    outcome: &Outcome<Drilled>,
) -> Result<(), StoreError> {
    let Ok(drilled) = &outcome.result else {
        return Ok(());
    };
    let (id, now) = (manifest.id, Timestamp::now());
    match outcome.verdict() {
        Verdict::Succeeded => {
            let before = store.noted(id)?;
            let verified = Verified {
                depth: Depth::Full,
                read: manifest.totals,
                compared: "a drill".to_owned(),
                differences: Vec::new(),
                manifest,
            };
            store.note(id, &verified.with(&before, now), &before)?;
            store.put_beside(id, DRILLED, &json!({ "at": now }).to_string())
        }
        Verdict::Failed => {
            let id = drilled.snapshot.id;
            store.take_away(id, DRILLED)?;
            store.take_away(id, VERIFIED)
        }
        Verdict::Warned | Verdict::Interrupted(_) => Ok(()),
    }
}
