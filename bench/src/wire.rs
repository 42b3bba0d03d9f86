//! The same files to Backblaze B2, as a server on this machine has it: by `copal backup`, and by the same
//! rclone driven plainly (`sync/copy`).

use std::fs;
use std::path::Path;
use std::time::Duration;

use copal_b2_server::{B2Server, Pace};
use copal_testkit::{Random, World};
use serde_json::json;

use crate::contest::timed;
use crate::figures::Spread;

const BUCKET: &str = "bench-bucket";

/// How many transfers rclone has at once when it is driven plainly.
const TRANSFERS: u32 = 32;

/// What is sent, and how far away the server is.
struct Load {
    name: &'static str,
    files: usize,
    bytes: usize,
    /// So many of 240 MB beside them.
    large: usize,
    /// How long each call takes beside its work.
    latency: Duration,
    /// How many times as quick as plain rclone Copal is to be.
    wanted: f64,
}

const LOADS: [Load; 2] = [
    Load {
        name: "5,000 files of 20 KB, 20 ms away",
        files: 5_000,
        bytes: 20_000,
        large: 0,
        latency: Duration::from_millis(20),
        wanted: 3.0,
    },
    Load {
        name: "2,000 of 100 KB, 4 of 240 MB",
        files: 2_000,
        bytes: 100_000,
        large: 4,
        latency: Duration::ZERO,
        wanted: 1.0,
    },
];

const LARGE: usize = 240_000_000;

/// Measures and prints, in so many pairs.
pub(crate) fn run(copal: &Path, pairs: usize) -> anyhow::Result<()> {
    println!("\nto a B2 server on this machine, {pairs} pairs in turns; seconds of wall clock\n");
    println!("                                       copal     plain    plain / copal");
    for load in &LOADS {
        let place = tempfile::Builder::new().prefix("copal-bench-").tempdir()?;
        let bench = Bench::new(World::within(place.path(), copal), load)?;
        let (mut ours, mut plain, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for n in 0..pairs {
            // Who begins changes from pair to pair.
            let (copal, rclone) = if n % 2 == 0 {
                let copal = bench.copal(n)?;
                (copal, bench.plain(n)?)
            } else {
                let rclone = bench.plain(n)?;
                (bench.copal(n)?, rclone)
            };
            ours.push(copal);
            plain.push(rclone);
            ratios.push(rclone / copal);
        }
        let (ours, plain) = (Spread::of(ours).median, Spread::of(plain).median);
        let Spread { low, median, high } = Spread::of(ratios);
        println!(
            "  {:34} {ours:8.2}  {plain:8.2}    {median:.2} ({low:.2} to {high:.2}; {} is wanted)",
            load.name, load.wanted
        );
        if load.large > 0 {
            bench.second()?;
        }
    }
    Ok(())
}

struct Bench<'a> {
    world: World,
    server: B2Server,
    load: &'a Load,
}

impl<'a> Bench<'a> {
    fn new(world: World, load: &'a Load) -> anyhow::Result<Self> {
        let server = B2Server::start();
        server.add_bucket(BUCKET);
        server.set_pace(Pace {
            latency: load.latency,
            ..Pace::default()
        });
        world.add_remote("cloud", &server.rclone_section(&server.master_key()));
        let mut random = Random::new(1, load.name);
        for n in 0..load.files {
            let folder = world.source().join(format!("{:02}", n % 20));
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(format!("{n:04}.bin")), random.bytes(load.bytes))?;
        }
        for n in 0..load.large {
            fs::write(world.source().join(format!("{n}.img")), random.bytes(LARGE))?;
        }
        Ok(Self {
            world,
            server,
            load,
        })
    }

    /// A first backup, in seconds. What it sent is removed.
    fn copal(&self, n: usize) -> anyhow::Result<f64> {
        let to = format!("cloud:{BUCKET}/copal-{n}");
        let took = self.back_up(&to)?;
        self.purge(&to)?;
        Ok(took)
    }

    fn back_up(&self, to: &str) -> anyhow::Result<f64> {
        let arguments = ["backup", "--quiet", "--source", "source", "--to", to];
        Ok(timed(self.world.command(&arguments))?.as_secs_f64())
    }

    fn plain(&self, n: usize) -> anyhow::Result<f64> {
        let to = format!("cloud:{BUCKET}/plain-{n}");
        let request = json!({
            "srcFs": self.world.source(),
            "dstFs": to,
            "_config": { "Transfers": TRANSFERS },
        });
        let took = self.rclone("sync/copy", &request)?;
        self.purge(&to)?;
        Ok(took)
    }

    fn purge(&self, place: &str) -> anyhow::Result<()> {
        self.rclone("operations/purge", &json!({ "fs": place, "remote": "" }))
            .map(drop)
    }

    fn rclone(&self, method: &str, request: &serde_json::Value) -> anyhow::Result<f64> {
        let command = self
            .world
            .command(&["rclone", method, &request.to_string()]);
        Ok(timed(command)?.as_secs_f64())
    }

    /// A second snapshot, when a hundredth of the bytes is new: what it uploads beside that.
    fn second(&self) -> anyhow::Result<()> {
        let to = format!("cloud:{BUCKET}/twice");
        self.back_up(&to)?;
        let mut random = Random::new(2, self.load.name);
        let all = self.load.files * self.load.bytes + self.load.large * LARGE;
        let files = (all / 100).div_ceil(self.load.bytes);
        for n in 0..files {
            let path = format!("{:02}/{n:04}.bin", n % 20);
            let new = random.bytes(self.load.bytes);
            fs::write(self.world.source().join(path), new)?;
        }
        self.server.reset_counters();
        let took = self.back_up(&to)?;
        let sent = self.server.counters().bytes_up;
        #[expect(clippy::cast_precision_loss, reason = "a ratio is no exact number")]
        let times = sent as f64 / (files * self.load.bytes) as f64;
        println!(
            "    with 1 % of the bytes changed      {took:8.2}, and {times:.2} times these bytes were sent (at most 1.2 is wanted)"
        );
        self.purge(&to)
    }
}
