//! `copal restore`

use std::path::PathBuf;

use clap::Args;
use copal_core::path::{InvalidPath, RelPath};
use copal_core::snapshot::SnapshotRef;

use super::Global;
use super::ending::Exit;
use super::open::FromArgs;
use crate::edge::interrupt::Interrupt;
use crate::edges::{Show, Step, Total};
use crate::error::CopalError;
use crate::show;
use crate::step::restore::restore;

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// Which snapshot: an id, what one begins with, a date, or `latest`
    #[arg(value_name = "SNAP")]
    snapshot: SnapshotRef,
    /// Directory to restore into: empty, or not there yet
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Only what lies at or below this path; may be given several times
    #[arg(long = "path", value_name = "PATH", value_parser = below)]
    paths: Vec<RelPath>,
    #[command(flatten)]
    from: FromArgs,
}

/// A directory may be written as shells complete it, with a slash at its end.
fn below(path: &str) -> Result<RelPath, InvalidPath> {
    path.trim_end_matches('/').parse()
}

pub(super) fn run(args: &RestoreArgs, global: &Global) -> Result<Exit, CopalError> {
    let interrupt = Interrupt::listen().map_err(CopalError::Signals)?;
    let progress = show::progress::Progress::new(global.quiet);
    args.from.with_store(global, &interrupt, |store| {
        let manifest = store.manifest(store.find(&args.snapshot)?)?;
        let total = Total {
            files: manifest.totals.files,
            bytes: manifest.totals.bytes,
        };
        progress.step(Step::Transfer);
        let mut watch = |done| progress.transfer(done, total);
        let restored = restore(
            store,
            &manifest,
            &args.to,
            &args.paths,
            &mut watch,
            &interrupt,
        )?;
        progress.finish();
        show::restore::print(&manifest, &args.to, &restored, global.output())?;
        Ok(Exit::Done)
    })
}
