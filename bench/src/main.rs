//! `copal backup` against what one would do by hand: `sqlite3 .backup`, then `rclone copy`.
//!
//! Both ship the same 2,000 files of 100 KB and the same database of 256 MB into a folder on the
//! same disk, in turns, and the figure is the ratio of each pair: a ratio from one run on one
//! machine says something where seconds do not. Nothing here decides a test.
//!
//! `copal-bench [PAIRS]`, 5 unless told. `copal-bench hooks` measures hooks instead, those of
//! `guest-hooks/prebuilt` and of `target/hooks-languages`, or wherever `COPAL_LANGUAGE_HOOKS` says.
//! `copal-bench copy [PAIRS]` measures the copy of a database beside `cp`.
//! `copal-bench links [PAIRS]` measures a snapshot of unchanged files in a folder beside `cp -al`.
//! `copal-bench pause [TIMES]` measures how long an app in a container is paused; it takes root.
//! `copal-bench restore [PAIRS]` measures a restore from a folder and from a B2 server, beside the same rclone
//! that copies plainly.
//! `copal-bench wire [PAIRS]` measures transfers to a B2 server on this machine, beside the same rclone driven
//! plainly.
//! `COPAL` names the binary; otherwise the one beside this.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "figures are what this program is for")]

mod contest;
mod copy;
mod data;
mod figures;
mod hooks;
mod links;
mod pause;
mod restore;
mod wire;

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Context;
use copal_testkit::World;

use contest::{Contest, Pair};
use figures::Spread;

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<usize>().context("how often to measure");
    let pairs = match words[..] {
        ["hooks"] => return hooks::run(&find_copal()?),
        ["copy"] => return copy::run(&find_copal()?, 5),
        ["copy", pairs] => return copy::run(&find_copal()?, number(pairs)?),
        ["links"] => return links::run(&find_copal()?, 5),
        ["links", pairs] => return links::run(&find_copal()?, number(pairs)?),
        ["pause"] => return pause::run(&find_copal()?, 5),
        ["pause", times] => return pause::run(&find_copal()?, number(times)?),
        ["restore"] => return restore::run(&find_copal()?, 5),
        ["restore", pairs] => return restore::run(&find_copal()?, number(pairs)?),
        ["wire"] => return wire::run(&find_copal()?, 3),
        ["wire", pairs] => return wire::run(&find_copal()?, number(pairs)?),
        ["be-an-app", directory, gaps] => {
            return pause::be_an_app(Path::new(directory), Path::new(gaps));
        }
        [text] => number(text)?,
        _ => 5,
    };
    anyhow::ensure!(pairs > 0, "at least one pair is needed");
    let place = tempfile::Builder::new().prefix("copal-bench-").tempdir()?;
    let world = World::within(place.path(), find_copal()?);
    println!("Making {} …", data::DESCRIPTION);
    data::make(&world.source())?;

    let contest = Contest::new(&world);
    contest.check_both_arrive()?;
    println!("{pairs} pairs in turns, to a folder on the same disk; seconds of wall clock\n");
    println!("  pair    copal    by hand  (sqlite3 + rclone)    ratio");
    let mut ratios = Vec::new();
    for n in 1..=pairs {
        let pair = contest.pair(n)?;
        println!("{}", row(n, &pair));
        ratios.push(pair.ratio());
    }
    let Spread { low, median, high } = Spread::of(ratios);
    println!(
        "\ncopal / by hand: {median:.2} (median; {low:.2} to {high:.2}). Below 1, copal is quicker."
    );
    println!(
        "copal also hashes every file, checks the database's copy, compares the remote's listing and seals."
    );
    Ok(())
}

fn row(n: usize, pair: &Pair) -> String {
    format!(
        "  {n:>4} {:>8.2} {:>10.2}  ({:>7.2} + {:>6.2}) {:>8.2}",
        pair.copal.as_secs_f64(),
        pair.by_hand().as_secs_f64(),
        pair.sqlite3.as_secs_f64(),
        pair.rclone.as_secs_f64(),
        pair.ratio()
    )
}

fn find_copal() -> anyhow::Result<PathBuf> {
    if let Some(binary) = env::var_os("COPAL") {
        return Ok(std::path::absolute(binary)?);
    }
    let binary = env::current_exe()?.with_file_name("copal");
    anyhow::ensure!(
        binary.exists(),
        "there is no {}: run `make bench`",
        binary.display()
    );
    Ok(binary)
}
