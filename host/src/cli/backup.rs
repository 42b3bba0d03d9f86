//! `copal backup`

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;

use super::Global;
use super::conclude::{conclude_and, exit, tell, told};
use super::ending::Exit;
use super::length::length;
use super::open::JobArgs;
use super::world::{World, listen};
use crate::backup::{Allowances, backup};
use crate::edge::interrupt::Interrupt;
use crate::edge::lock::Patience;
use crate::edges::Edges;
use crate::error::CopalError;
use crate::job::Job;
use crate::metrics;
use crate::outcome::{Delivered, Outcome};
use crate::rehearse::rehearse;
use crate::show::{self, message};

#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    #[command(flatten)]
    job: JobArgs,
    /// Accept that databases of the last snapshot, a disk that was mounted, or all its files, are gone or
    /// have become empty
    #[arg(long)]
    accept_missing: bool,
    /// Wait while another run of the same name goes on, for this long at most, such as `30m`; without
    /// a length, for as long as it takes
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true,
          default_missing_value = "", value_parser = patience)]
    wait: Option<Patience>,
    /// Say nothing when all is well, and everything when it is not, as cron and systemd want it
    #[arg(long, conflicts_with_all = ["dry_run", "json"])]
    unattended: bool,
    /// Begin up to so much later, at random, such as `10m`
    #[arg(long, value_name = "DURATION", value_parser = length)]
    jitter: Option<Duration>,
    /// Only tell what a backup would do: hooks run, and what they ask for is written down in place
    /// of being done. Destinations are asked and never written to
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &BackupArgs, global: &Global) -> Result<Exit, CopalError> {
    let job = args.job.job(global)?;
    let interrupt = listen()?;
    if let Some(most) = args.jitter {
        wait(at_random(most), &interrupt)?;
    }
    let world = World::of(&job, interrupt, global.quiet || args.unattended)?;
    let edges = world.edges();
    let allow = Allowances {
        missing_databases: args.accept_missing,
        wait: args.wait.unwrap_or_default(),
    };
    if args.dry_run {
        return tell_what_would_be(&job, allow, &edges, global);
    }
    let mut outcome = backup(&job, allow, &edges)?;
    world.progress.finish();
    let write = || metrics::write(&job, edges.state);
    let exit = conclude_and(&mut outcome, edges.state, &write);
    if args.unattended && exit == Exit::Done {
        return Ok(exit);
    }
    tell_what_is_left(&outcome);
    if args.unattended {
        message::last_lines();
    }
    Ok(told(exit, show::outcome::print(&outcome, global.output())))
}

/// Reads what follows `--wait`.
fn patience(text: &str) -> Result<Patience, String> {
    if text.is_empty() {
        return Ok(Patience::Endless);
    }
    Ok(Patience::For(length(text)?))
}

impl BackupArgs {
    /// Whether nothing is to be told of a run in which all is well.
    pub(super) fn is_unattended(&self) -> bool {
        self.unattended
    }

    /// Whether it is more than a rehearsal.
    pub(super) fn is_real(&self) -> bool {
        !self.dry_run
    }
}

/// A moment between now and then.
fn at_random(most: Duration) -> Duration {
    // Each of these hashes with keys of its own.
    let random = RandomState::new().build_hasher().finish();
    let millis = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(random % millis.saturating_add(1))
}

fn wait(length: Duration, interrupt: &Interrupt) -> Result<(), CopalError> {
    const STEP: Duration = Duration::from_millis(100);
    let until = Instant::now() + length;
    loop {
        interrupt.check()?;
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(STEP));
    }
}

fn tell_what_would_be(
    job: &Job,
    allow: Allowances,
    edges: &Edges<'_>,
    global: &Global,
) -> Result<Exit, CopalError> {
    let outcome = rehearse(job, allow, edges)?;
    tell(&outcome);
    let printed = show::rehearsal::print(job, &outcome, global.output());
    Ok(told(exit(&outcome), printed))
}

fn tell_what_is_left(outcome: &Outcome<Delivered>) {
    let delivered = outcome.result.as_ref().ok();
    let deliveries = delivered.into_iter().flat_map(|it| &it.deliveries);
    for delivery in deliveries {
        if let Some(left) = &delivery.left_behind {
            message::left_behind(&delivery.destination, left);
        }
    }
}
