//! A snapshot of unchanged files in a folder, beside `cp -al` of the last one: both make a hard link of each.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use copal_testkit::{Random, World};

use crate::contest::timed;
use crate::figures::Spread;

/// How many files.
const FILES: usize = 10_000;

/// How many lie in a directory.
const IN_ONE: usize = 100;

/// How much longer than `cp -al` it may take.
const WANTED: f64 = 1.5;

const JOB: &str = "name = 'links'\nsource.path = 'source'\ndestination = [{ remote = 'vault:' }]\n";

/// Measures and prints, in so many pairs.
pub(crate) fn run(copal: &Path, pairs: usize) -> anyhow::Result<()> {
    anyhow::ensure!(pairs > 0, "at least one pair is needed");
    let place = tempfile::Builder::new().prefix("copal-bench-").tempdir()?;
    let world = World::within(place.path(), copal);
    let mut random = Random::new(1, "links");
    for n in 0..FILES {
        let name = format!("source/{:03}/{n:05}.bin", n / IN_ONE);
        world.write(name, random.bytes(1_000));
    }
    world.write("copal.toml", JOB);
    timed(world.command(&["backup", "--quiet"]))?;
    println!("\na snapshot of {FILES} unchanged files, beside `cp -al`; {pairs} pairs\n");
    println!("  pair     copal    cp -al    ratio");
    let mut ratios = Vec::new();
    for n in 1..=pairs {
        let (copal, cp) = if n % 2 == 1 {
            let copal = by_copal(&world)?;
            (copal, by_cp(&world)?)
        } else {
            let cp = by_cp(&world)?;
            (by_copal(&world)?, cp)
        };
        let ratio = copal.as_secs_f64() / cp.as_secs_f64();
        println!(
            "  {n:>4} {:>7.2} s {:>7.2} s {ratio:>8.2}",
            copal.as_secs_f64(),
            cp.as_secs_f64(),
        );
        ratios.push(ratio);
    }
    let Spread { low, median, high } = Spread::of(ratios);
    println!(
        "\n  {median:.2} times cp -al (median; {low:.2} to {high:.2}; at most {WANTED} is wanted). \
         Copal also hashes all files, here and there."
    );
    Ok(())
}

fn by_copal(world: &World) -> anyhow::Result<Duration> {
    // Nobody waits for what another has left to be written.
    rustix::fs::sync();
    timed(world.command(&["backup", "--quiet"]))
}

fn by_cp(world: &World) -> anyhow::Result<Duration> {
    let snapshots = world.vault().join("links");
    let newest = fs::read_dir(&snapshots)?
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let newest = newest.into_iter().max();
    let newest = newest.ok_or_else(|| anyhow::anyhow!("there is no snapshot to copy"))?;
    let to = world.path("by-cp");
    if to.exists() {
        fs::remove_dir_all(&to)?;
    }
    rustix::fs::sync();
    let mut cp = Command::new("cp");
    cp.arg("-al").arg(newest).arg(&to);
    timed(cp)
}
