//! `copal ls`

use clap::Args;
use copal_core::path::RelPath;
use copal_core::snapshot::SnapshotRef;

use super::Global;
use super::ending::Exit;
use super::open::FromArgs;
use crate::edge::interrupt::Interrupt;
use crate::error::CopalError;
use crate::show;

#[derive(Debug, Args)]
pub(super) struct LsArgs {
    /// Which snapshot: an id, what one begins with, a date, or `latest`
    #[arg(value_name = "SNAP")]
    snapshot: SnapshotRef,
    /// Only what lies below this path
    path: Option<String>,
    #[command(flatten)]
    from: FromArgs,
}

pub(super) fn run(args: &LsArgs, global: &Global) -> Result<Exit, CopalError> {
    let interrupt = Interrupt::listen().map_err(CopalError::Signals)?;
    args.from.with_store(global, &interrupt, |store| {
        let manifest = store.manifest(store.find(&args.snapshot)?)?;
        let Some(path) = &args.path else {
            show::ls::print(&manifest.entries, global.output())?;
            return Ok(Exit::Done);
        };
        let missing = || CopalError::NoSuchPath {
            path: path.clone(),
            id: manifest.id,
        };
        let below: RelPath = path.trim_end_matches('/').parse().map_err(|_| missing())?;
        let mut entries = manifest.entries.clone();
        entries.retain(|entry| entry.path.is_within(&below));
        if entries.is_empty() {
            return Err(missing());
        }
        show::ls::print(&entries, global.output())?;
        Ok(Exit::Done)
    })
}
