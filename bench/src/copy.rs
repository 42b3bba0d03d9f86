//! How quick a database's copy is, beside `cp` of the same file on the same disk; and that it ends however much
//! is written meanwhile.
//!
//! What is measured of Copal is the copy itself, from before its read transaction begins until that has
//! ended, as it tells in its log: what it does besides, such as the check of the copy, `cp` does not do.
//! Nothing is sent: each run ends at a limit that it is given.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use copal_testkit::{Random, World};
use rusqlite::Connection;

use crate::contest::timed;
use crate::data::{DATABASE, make_database};
use crate::figures::Spread;

const BYTES: usize = 1_000_000_000;

/// How quick the copy is to be, as a part of the speed of `cp`.
const WANTED: f64 = 0.8;

/// What tells how long a copy took, in the log of Copal.
const TELLS: &str = "copied_ms=";

/// Nothing is sent, so that the disk has nothing else to do.
const JOB: &str = "name = 'copy'\nsource.path = 'source'\ndestination = [{ remote = 'vault:' }]\n\
    limits.max_transfer = '1M'\n[[hook]]\nuse = 'sqlite-backup'\ngrants = { sqlite = ['*'] }\n";

const ROW: &str = "INSERT INTO item (key, value) VALUES (hex(randomblob(16)), randomblob(900))";

/// Measures and prints, in so many pairs.
pub(crate) fn run(copal: &Path, pairs: usize) -> anyhow::Result<()> {
    anyhow::ensure!(pairs > 0, "at least one pair is needed");
    let place = tempfile::Builder::new().prefix("copal-bench-").tempdir()?;
    let world = World::within(place.path(), copal);
    let database = world.source().join(DATABASE);
    fs::create_dir_all(world.source())?;
    make_database(&database, &mut Random::new(1, "copy"), BYTES)?;
    // Somebody has it open, so that it has a log.
    let app = Connection::open(&database)?;
    app.execute(ROW, [])?;
    world.write("copal.toml", JOB);

    println!(
        "\nthe copy of a database of 1 GB in WAL mode, beside `cp` on the same disk; {pairs} pairs\n"
    );
    println!("  pair     copal        cp    speed of cp");
    let contest = Contest { world: &world };
    // Once without counting, for the disk's cache.
    contest.pair(0)?;
    let mut ratios = Vec::new();
    for n in 1..=pairs {
        let (copal, cp) = contest.pair(n)?;
        let ratio = cp.as_secs_f64() / copal.as_secs_f64();
        println!(
            "  {n:>4} {:>7.2} s {:>7.2} s {ratio:>9.2}",
            copal.as_secs_f64(),
            cp.as_secs_f64(),
        );
        ratios.push(ratio);
    }
    let Spread { low, median, high } = Spread::of(ratios);
    println!(
        "\n  {median:.2} of the speed of cp (median; {low:.2} to {high:.2}; at least {WANTED} is wanted)"
    );
    let (copal, rows) = contest.under_a_writer(&database)?;
    println!(
        "  under a writer that never rests: {:.2} s, and it committed {rows} rows during the backup",
        copal.as_secs_f64()
    );
    Ok(())
}

struct Contest<'a> {
    world: &'a World,
}

impl Contest<'_> {
    /// One of each; who begins changes from pair to pair.
    fn pair(&self, n: usize) -> anyhow::Result<(Duration, Duration)> {
        if n % 2 == 1 {
            let copal = self.copal()?;
            return Ok((copal, self.cp()?));
        }
        let cp = self.cp()?;
        Ok((self.copal()?, cp))
    }

    fn copal(&self) -> anyhow::Result<Duration> {
        // Nobody waits for what another has left to be written.
        rustix::fs::sync();
        let mut command = self.world.command(&["backup"]);
        command.env("COPAL_LOG", "copal::capability::sqlite=debug");
        let told = command.output()?.stderr;
        let told = String::from_utf8_lossy(&told);
        let (_, after) = told
            .split_once(TELLS)
            .with_context(|| format!("its log does not tell how long the copy took:\n{told}"))?;
        let digits = after.split(|letter: char| !letter.is_ascii_digit()).next();
        let milliseconds = digits.unwrap_or_default().parse()?;
        Ok(Duration::from_millis(milliseconds))
    }

    fn cp(&self) -> anyhow::Result<Duration> {
        let to = self.world.path("copy-by-cp");
        match fs::remove_file(&to) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        rustix::fs::sync();
        let mut cp = Command::new("cp");
        cp.arg(self.world.source().join(DATABASE)).arg(&to);
        timed(cp)
    }

    /// How long a copy takes while somebody writes all the time, and how many transactions that ended.
    fn under_a_writer(&self, database: &Path) -> anyhow::Result<(Duration, u64)> {
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let writer = scope.spawn(|| -> anyhow::Result<u64> {
                let connection = Connection::open(database)?;
                connection.busy_timeout(Duration::from_secs(10))?;
                let mut rows = 0;
                while !is_over.load(Ordering::Relaxed) {
                    connection.execute(ROW, [])?;
                    rows += 1;
                }
                Ok(rows)
            });
            let copal = self.copal();
            is_over.store(true, Ordering::Relaxed);
            let rows = writer.join().expect("the writer does not panic")?;
            Ok((copal?, rows))
        })
    }
}
