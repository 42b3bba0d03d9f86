//! A restore of one snapshot, beside the same rclone that copies the same objects plainly (`sync/copy`).
//!
//! Copal's ends when everything it wrote has been compared with the manifest, by SHA-256.

use std::fs;
use std::path::Path;
use std::time::Duration;

use copal_b2_server::B2Server;
use copal_testkit::{Moto, World};
use serde_json::json;

use crate::contest::timed;
use crate::data;
use crate::figures::Spread;

const BUCKET: &str = "bench-bucket";

/// How many transfers rclone has at once when it is driven plainly.
const TRANSFERS: u32 = 32;

/// How many times as quick as plain rclone Copal is to be.
const WANTED: f64 = 1.0;

/// Measures and prints, in so many pairs.
pub(crate) fn run(copal: &Path, pairs: usize) -> anyhow::Result<()> {
    anyhow::ensure!(pairs > 0, "at least one pair is needed");
    let place = tempfile::Builder::new().prefix("copal-bench-").tempdir()?;
    let world = World::within(place.path(), copal);
    let server = B2Server::start();
    server.add_bucket(BUCKET);
    world.add_remote("cloud", &server.rclone_section(&server.master_key()));
    let s3 = Moto::start();
    if let Some(moto) = &s3 {
        world.add_remote("s3", &moto.rclone_section("secret"));
        let bucket = serde_json::json!({ "fs": "s3:", "remote": BUCKET });
        timed(world.command(&["rclone", "operations/mkdir", &bucket.to_string()]))?;
    }
    println!("Making {} …", data::DESCRIPTION);
    data::make(&world.source())?;
    println!("\na restore, {pairs} pairs in turns; seconds of wall clock\n");
    println!("                     copal     plain    plain / copal");
    let folder = ("a folder", "vault:".to_owned());
    let b2 = ("a B2 server", format!("cloud:{BUCKET}"));
    let s3 = s3
        .as_ref()
        .map(|_| ("an S3 server", format!("s3:{BUCKET}")));
    for (name, remote) in [folder, b2].into_iter().chain(s3) {
        let bench = Bench::new(&world, remote)?;
        let (mut ours, mut plain, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        // What is read first of all warms the disk's cache for both.
        bench.plain()?;
        for pair in 0..pairs {
            // Who begins changes from pair to pair.
            let (copal, rclone) = if pair % 2 == 0 {
                let copal = bench.copal()?;
                (copal, bench.plain()?)
            } else {
                let rclone = bench.plain()?;
                (bench.copal()?, rclone)
            };
            ours.push(copal.as_secs_f64());
            plain.push(rclone.as_secs_f64());
            ratios.push(rclone.as_secs_f64() / copal.as_secs_f64());
        }
        let (ours, plain) = (Spread::of(ours).median, Spread::of(plain).median);
        let Spread { low, median, high } = Spread::of(ratios);
        println!(
            "  {name:16} {ours:8.2}  {plain:8.2}    {median:.2} ({low:.2} to {high:.2}; {WANTED} is wanted)"
        );
    }
    Ok(())
}

struct Bench<'a> {
    world: &'a World,
    remote: String,
    /// Where the snapshot's objects lie.
    snapshot: String,
}

impl<'a> Bench<'a> {
    fn new(world: &'a World, remote: String) -> anyhow::Result<Self> {
        timed(world.command(&["backup", "--quiet", "--source", "source", "--to", &remote]))?;
        let listed = world
            .copal(&["snapshots", "--from", &remote, "--json"])
            .json();
        let id = listed[0]["snapshot"].as_str();
        let id = id.ok_or_else(|| anyhow::anyhow!("there is no snapshot in {listed}"))?;
        let slash = if remote.ends_with(':') { "" } else { "/" };
        Ok(Self {
            world,
            snapshot: format!("{remote}{slash}source/{id}"),
            remote,
        })
    }

    fn copal(&self) -> anyhow::Result<Duration> {
        let to = self.empty("by-copal")?;
        let arguments = [
            "restore",
            "latest",
            "--quiet",
            "--from",
            &self.remote,
            "--to",
            &to,
        ];
        timed(self.world.command(&arguments))
    }

    fn plain(&self) -> anyhow::Result<Duration> {
        let to = self.empty("by-rclone")?;
        let request = json!({
            "srcFs": self.snapshot,
            "dstFs": to,
            "_config": { "Transfers": TRANSFERS },
        });
        let command = ["rclone", "sync/copy", &request.to_string()];
        timed(self.world.command(&command))
    }

    /// A place where nothing is yet, and a disk that has written all that was given to it.
    fn empty(&self, name: &str) -> anyhow::Result<String> {
        let place = self.world.path(name);
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        rustix::fs::sync();
        Ok(place.display().to_string())
    }
}
