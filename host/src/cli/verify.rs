//! `copal verify`

use clap::Args;
use copal_core::manifest::{ManifestError, VERIFIED};
use copal_core::snapshot::{SnapshotId, SnapshotRef};
use copal_core::verification::Share;
use jiff::Timestamp;

use super::Global;
use super::ending::Exit;
use super::kept;
use super::open::FromArgs;
use crate::edge::interrupt::Interrupt;
use crate::edges::{Show, Step, Total};
use crate::error::CopalError;
use crate::show::{self, message};
use crate::step::noted::{Noted, sample};
use crate::step::snapshots::{Store, StoreError};
use crate::step::verify::{Depth, verify};

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Which snapshot: an id, what one begins with, a date, or `latest`
    #[arg(value_name = "SNAP", default_value = "latest")]
    snapshot: SnapshotRef,
    /// Read every byte back and compare its SHA-256
    #[arg(long)]
    full: bool,
    /// Read this part of its bytes back, each time another: `5%`
    #[arg(long, value_name = "SHARE", conflicts_with = "full")]
    sample: Option<Share>,
    #[command(flatten)]
    from: FromArgs,
}

pub(super) fn run(args: &VerifyArgs, global: &Global) -> Result<Exit, CopalError> {
    let interrupt = Interrupt::listen().map_err(CopalError::Signals)?;
    let progress = show::progress::Progress::new(global.quiet);
    let job = args.from.job(global)?;
    args.from.with_store_of(job.as_ref(), &interrupt, |store| {
        // Also by `--from`: the retention of the job whose snapshot it is has to know.
        let leaves_note = !store.is_mirror();
        let id = store.find(&args.snapshot)?;
        let manifest = store.manifest(id).inspect_err(|error| {
            // One that merely this user can't read may be as good as ever.
            let is_damaged = matches!(
                error,
                StoreError::Manifest { source, .. } if !matches!(source, ManifestError::OutOfReach(_))
            );
            if leaves_note && is_damaged {
                unnoted(store.take_away(id, VERIFIED));
            }
        })?;
        let noted = if leaves_note { noted(store, id) } else { None };
        let depth = match args.sample {
            Some(share) => sample(&manifest, share, noted.as_ref()),
            None if args.full => Depth::Full,
            None => Depth::Quick,
        };
        let total = depth.total(&manifest);
        let total = Total {
            files: total.files,
            bytes: total.bytes,
        };
        if depth != Depth::Quick {
            progress.step(Step::Transfer);
        }
        let mut watch = |done| progress.transfer(done, total);
        let verified = verify(store, manifest, depth, &mut watch, &interrupt)?;
        progress.finish();
        let known = noted
            .as_ref()
            .map(|before| verified.with(before, Timestamp::now()));
        show::verify::print(&verified, known.as_ref(), global.output())?;
        if let (Some(known), Some(before)) = (known, &noted) {
            unnoted(store.note(id, &known, before));
        }
        if verified.differences.is_empty() {
            return Ok(kept::verification(store, &verified, &progress));
        }
        kept::verification(store, &verified, &progress);
        Err(CopalError::Damaged {
            id: verified.manifest.id,
            differences: verified.differences,
        })
    })
}

/// What earlier verifications found. Where that can't be told, nothing is noted over it.
fn noted(store: &Store<'_>, id: SnapshotId) -> Option<Noted> {
    match store.noted(id) {
        Ok(noted) => Some(noted),
        Err(error) => {
            let error = CopalError::from(error).in_one_line();
            message::note(&format!("what was verified before is not known: {error}"));
            None
        }
    }
}

/// Says so where those who come later can't know what was found.
fn unnoted(noted: Result<(), StoreError>) {
    if let Err(error) = noted {
        let error = CopalError::from(error).in_one_line();
        message::note(&format!(
            "what was found is not noted there, neither for retention nor for the next sample: {error}"
        ));
    }
}
