//! `copal restore`

use std::path::{Path, PathBuf};

use clap::Args;
use copal_core::path::{InvalidPath, RelPath};
use copal_core::snapshot::SnapshotRef;

use super::Global;
use super::conclude::{also, conclude, told};
use super::ending::Exit;
use super::open::{FromArgs, configured};
use super::world::{World, listen};
use crate::edge::leftovers::Leftovers;
use crate::edge::old_trees::OldTree;
use crate::edges::{Edges, Show, Step, Total};
use crate::error::CopalError;
use crate::job::Job;
use crate::replace::replace;
use crate::show;
use crate::step::restore::{Asked, restore};
use crate::undo::{discard, undo};

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// Which snapshot: an id, what one begins with, a date, or `latest`
    #[arg(value_name = "SNAP", required_unless_present_any = ["undo", "discard"])]
    snapshot: Option<SnapshotRef>,
    /// Directory to restore into: empty, or not there yet
    #[arg(long, value_name = "DIR", required_unless_present_any = ["in_place", "undo", "discard"])]
    to: Option<PathBuf>,
    /// Put it in the place of the configured source, once it is complete and checked; what was
    /// there is kept beside it
    #[arg(long, conflicts_with_all = ["to", "paths"])]
    in_place: bool,
    /// Accept that hooks find another version of the app at the source than the snapshot is of, which may be older
    #[arg(long, requires = "in_place", conflicts_with_all = ["undo", "discard"])]
    accept_schema: bool,
    /// Restore what is whole, and leave damaged files out: each is named, and the exit code is 3
    #[arg(long, requires = "to", conflicts_with_all = ["in_place", "undo", "discard"])]
    accept_damaged: bool,
    /// Only what lies at or below this path; may be given several times
    #[arg(long = "path", value_name = "PATH", value_parser = below)]
    paths: Vec<RelPath>,
    /// Swap back what a restore in place has kept: the newest, or what that run has. What is live now is kept
    #[arg(
        long,
        value_name = "RUN",
        num_args = 0..=1,
        default_missing_value = "",
        conflicts_with_all = OF_A_SNAPSHOT
    )]
    undo: Option<String>,
    /// Delete what a restore in place has kept: the only one, or what that run has
    #[arg(
        long,
        value_name = "RUN",
        num_args = 0..=1,
        default_missing_value = "",
        conflicts_with_all = OF_A_SNAPSHOT,
        conflicts_with_all = ["in_place", "undo"]
    )]
    discard: Option<String>,
    #[command(flatten)]
    from: FromArgs,
}

/// What there is to say of a snapshot, and not of what was kept.
const OF_A_SNAPSHOT: [&str; 5] = ["snapshot", "to", "paths", "from", "name"];

/// A directory may be written as shells complete it, with a slash at its end.
fn below(path: &str) -> Result<RelPath, InvalidPath> {
    path.trim_end_matches('/').parse()
}

pub(super) fn run(args: &RestoreArgs, global: &Global) -> Result<Exit, CopalError> {
    match args {
        RestoreArgs { undo: Some(of), .. } => go_back(named(of), global),
        RestoreArgs {
            discard: Some(of), ..
        } => throw_away(named(of), global),
        RestoreArgs {
            snapshot: Some(snapshot),
            to,
            ..
        } => match to {
            Some(to) => into_directory(args, snapshot, to, global),
            None => in_place(args, snapshot, global),
        },
        RestoreArgs { snapshot: None, .. } => unreachable!("the snapshot is required"),
    }
}

/// The run that was named, if one was.
fn named(run: &str) -> Option<&str> {
    Some(run).filter(|run| !run.is_empty())
}

fn go_back(of: Option<&str>, global: &Global) -> Result<Exit, CopalError> {
    in_the_world(global, &|edges| {
        let mut outcome = undo(&job(global)?, of, edges)?;
        let exit = conclude(&mut outcome, edges.state);
        Ok(told(
            exit,
            show::old_tree::print_undone(&outcome, global.output()),
        ))
    })
}

fn throw_away(of: Option<&str>, global: &Global) -> Result<Exit, CopalError> {
    in_the_world(global, &|edges| {
        let tell = |tree: &OldTree| {
            if !global.quiet {
                show::message::note(&format!("deleting {}", tree.path.display()));
            }
        };
        let discarded = discard(&job(global)?, of, edges, &tell)?;
        show::old_tree::print_discarded(&discarded, global.output())?;
        Ok(Exit::Done)
    })
}

/// The job whose source is replaced: only a configuration says what that is.
fn job(global: &Global) -> Result<Job, CopalError> {
    configured(global).map_err(|error| match error {
        CopalError::NoConfig { looked } => CopalError::NoPlace { looked },
        other => other,
    })
}

/// What a run in place has around it. No destination: nothing is sent.
fn in_the_world(
    global: &Global,
    deed: &dyn Fn(&Edges<'_>) -> Result<Exit, CopalError>,
) -> Result<Exit, CopalError> {
    let world = World::without_destinations(listen()?, global.quiet)?;
    let exit = deed(&world.edges());
    world.progress.finish();
    exit
}

fn into_directory(
    args: &RestoreArgs,
    snapshot: &SnapshotRef,
    to: &Path,
    global: &Global,
) -> Result<Exit, CopalError> {
    let interrupt = listen()?;
    let progress = show::progress::Progress::new(global.quiet);
    args.from.with_store(global, &interrupt, |store| {
        let manifest = store.manifest(store.find(snapshot)?)?;
        let total = Total {
            files: manifest.totals.files,
            bytes: manifest.totals.bytes,
        };
        progress.step(Step::Fetch);
        let mut watch = |done| progress.transfer(done, total);
        let asked = Asked {
            only: &args.paths,
            accept_damaged: args.accept_damaged,
        };
        let leftovers = Leftovers::default();
        let restored = restore(
            store, &manifest, to, asked, &mut watch, &interrupt, &leftovers,
        );
        progress.finish();
        for left in leftovers.take() {
            also(&left.into());
        }
        let restored = restored?;
        let printed = show::restore::print(&manifest, to, &restored, global.output());
        if restored.left_out.is_empty() {
            printed?;
            return Ok(Exit::Done);
        }
        also(&CopalError::LeftOut {
            id: manifest.id,
            files: restored.left_out,
        });
        Ok(told(Exit::FellShort, printed))
    })
}

fn in_place(
    args: &RestoreArgs,
    snapshot: &SnapshotRef,
    global: &Global,
) -> Result<Exit, CopalError> {
    in_the_world(global, &|edges| {
        let job = job(global)?;
        args.from
            .with_store_of(Some(&job), edges.interrupt, |store| {
                if store.is_mirror() {
                    return Err(CopalError::MirrorInPlace(store.remote().shown()));
                }
                let manifest = store.manifest(store.find(snapshot)?)?;
                let mut outcome = replace(&job, store, &manifest, args.accept_schema, edges)?;
                let exit = conclude(&mut outcome, edges.state);
                Ok(told(
                    exit,
                    show::restore::print_in_place(&outcome, global.output()),
                ))
            })
    })
}
