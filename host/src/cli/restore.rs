//! `copal restore`

use std::path::{Path, PathBuf};

use clap::Args;
use copal_core::path::{InvalidPath, RelPath};
use copal_core::snapshot::SnapshotRef;
use jiff::Timestamp;

use super::Global;
use super::conclude::{also, conclude, told};
use super::ending::Exit;
use super::open::{FromArgs, state};
use crate::edge::interrupt::Interrupt;
use crate::edge::leftovers::Leftovers;
use crate::edges::{Edges, Show, Step, Total};
use crate::error::CopalError;
use crate::replace::replace;
use crate::show;
use crate::step::restore::restore;

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// Which snapshot: an id, what one begins with, a date, or `latest`
    #[arg(value_name = "SNAP")]
    snapshot: SnapshotRef,
    /// Directory to restore into: empty, or not there yet
    #[arg(long, value_name = "DIR", required_unless_present = "in_place")]
    to: Option<PathBuf>,
    /// Put it in the place of the configured source, once it is complete and checked; what was
    /// there is kept beside it
    #[arg(long, conflicts_with_all = ["to", "paths"])]
    in_place: bool,
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
    match &args.to {
        Some(to) => into_directory(args, to, global),
        None => in_place(args, global),
    }
}

fn into_directory(args: &RestoreArgs, to: &Path, global: &Global) -> Result<Exit, CopalError> {
    let interrupt = Interrupt::listen().map_err(CopalError::Signals)?;
    let progress = show::progress::Progress::new(global.quiet);
    args.from.with_store(global, &interrupt, |store| {
        let manifest = store.manifest(store.find(&args.snapshot)?)?;
        let total = Total {
            files: manifest.totals.files,
            bytes: manifest.totals.bytes,
        };
        progress.step(Step::Fetch);
        let mut watch = |done| progress.transfer(done, total);
        let (paths, leftovers) = (&args.paths, Leftovers::default());
        let restored = restore(
            store, &manifest, to, paths, &mut watch, &interrupt, &leftovers,
        );
        progress.finish();
        for left in leftovers.take() {
            also(&left.into());
        }
        let restored = restored?;
        show::restore::print(&manifest, to, &restored, global.output())?;
        Ok(Exit::Done)
    })
}

fn in_place(args: &RestoreArgs, global: &Global) -> Result<Exit, CopalError> {
    let interrupt = Interrupt::listen().map_err(CopalError::Signals)?;
    let progress = show::progress::Progress::new(global.quiet);
    let edges = Edges {
        open: &|_| Err(CopalError::NoDestination),
        now: &Timestamp::now,
        interrupt: &interrupt,
        state: &state()?,
        show: &progress,
    };
    // Only a configuration says what the place is.
    let job = super::open::configured(global).map_err(|error| match error {
        CopalError::NoConfig { looked } => CopalError::NoPlace { looked },
        other => other,
    })?;
    args.from.with_store_of(Some(&job), &interrupt, |store| {
        if store.is_mirror() {
            return Err(CopalError::MirrorInPlace(store.remote().shown()));
        }
        let manifest = store.manifest(store.find(&args.snapshot)?)?;
        let mut outcome = replace(&job, store, &manifest, &edges)?;
        progress.finish();
        let exit = conclude(&mut outcome, edges.state);
        Ok(told(
            exit,
            show::restore::print_in_place(&outcome, global.output()),
        ))
    })
}
