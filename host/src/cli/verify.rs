//! `copal verify`

use clap::Args;
use copal_core::manifest::VERIFIED;
use copal_core::snapshot::SnapshotRef;

use super::Global;
use super::ending::Exit;
use super::open::FromArgs;
use crate::edge::interrupt::Interrupt;
use crate::edges::{Show, Step, Total};
use crate::error::CopalError;
use crate::show::{self, message};
use crate::step::snapshots::StoreError;
use crate::step::verify::{Depth, verify};

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Which snapshot: an id, what one begins with, a date, or `latest`
    #[arg(value_name = "SNAP", default_value = "latest")]
    snapshot: SnapshotRef,
    /// Read every byte back and compare its SHA-256
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    from: FromArgs,
}

pub(super) fn run(args: &VerifyArgs, global: &Global) -> Result<Exit, CopalError> {
    let interrupt = Interrupt::listen().map_err(CopalError::Signals)?;
    let progress = show::progress::Progress::new(global.quiet);
    let job = args.from.job(global)?;
    let prunes = job
        .as_ref()
        .is_some_and(|job| job.config.retention().is_some());
    args.from.with_store_of(job.as_ref(), &interrupt, |store| {
        let prunes = prunes && !store.is_mirror();
        let id = store.find(&args.snapshot)?;
        let manifest = store.manifest(id).inspect_err(|error| {
            if prunes && matches!(error, StoreError::Manifest { .. }) {
                unnoted(store.take_away(id, VERIFIED));
            }
        })?;
        let total = Total {
            files: manifest.totals.files,
            bytes: manifest.totals.bytes,
        };
        let depth = if args.full { Depth::Full } else { Depth::Quick };
        if args.full {
            progress.step(Step::Transfer);
        }
        let mut watch = |done| progress.transfer(done, total);
        let verified = verify(store, manifest, depth, &mut watch, &interrupt)?;
        progress.finish();
        show::verify::print(&verified, global.output())?;
        if prunes {
            unnoted(store.note_verified(&verified));
        }
        if verified.differences.is_empty() {
            return Ok(Exit::Done);
        }
        Err(CopalError::Damaged {
            id: verified.manifest.id,
            differences: verified.differences,
        })
    })
}

/// Says so where the next prune can't know what was found.
fn unnoted(noted: Result<(), StoreError>) {
    if let Err(error) = noted {
        let error = CopalError::from(error).in_one_line();
        message::note(&format!(
            "retention does not know what was found here: {error}"
        ));
    }
}
