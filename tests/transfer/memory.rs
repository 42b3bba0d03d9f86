//! What rclone fills with large files stays within `limits.memory`.

use std::fs;
use std::thread;
use std::time::Duration;

use copal_b2_server::{B2Server, Call};
use copal_testkit::World;

use crate::cloud::BUCKET;

const MIB: u64 = 1 << 20;

/// What rclone takes before it sends anything, and what Go and TLS take beside: 70 to 80 MiB when it was
/// measured, and half as much again.
const BASE: u64 = 120 * MIB;

/// Backs four large files up; the most memory that the worker had at any time.
fn most_memory(limits: &str) -> u64 {
    let world = World::new(env!("CARGO_BIN_EXE_copal"));
    let server = B2Server::start();
    server.add_bucket(BUCKET);
    let section = server.rclone_section(&server.master_key());
    // With rclone's own cutoff they would go up in one piece each, which takes no memory.
    world.add_remote("cloud", &format!("{section}upload_cutoff = 100Mi\n"));
    fs::create_dir_all(world.source()).unwrap();
    for name in ["one", "two", "three", "four"] {
        let file = fs::File::create(world.source().join(name)).unwrap();
        file.set_len(120 * 1_000_000).unwrap();
    }
    let config = format!(
        "name = 'app'\nsource.path = 'source'\n[[destination]]\nremote = 'cloud:{BUCKET}'\n{limits}"
    );
    world.write("copal.toml", config);
    let mut run = world.start(&["backup"]);
    let mut most = 0;
    while run.is_running() {
        most = most.max(worker_of(run.id()).and_then(peak).unwrap_or(0));
        thread::sleep(Duration::from_millis(20));
    }
    let output = run.finish(Duration::from_mins(1)).unwrap();
    output.succeeds();
    assert!(server.counters().of(Call::UploadPart) >= 8);
    most
}

/// The process `copal worker` that this one has started.
fn worker_of(id: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).ok()?;
    let tasks = fs::read_dir(format!("/proc/{id}/task")).ok()?;
    let others =
        tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok());
    let all: Vec<String> = others.chain([children]).collect();
    let mut ids = all
        .iter()
        .flat_map(|text| text.split_whitespace())
        .filter_map(|id| id.parse().ok());
    ids.find(|id: &u32| {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        line.ends_with(b"\0worker\0")
    })
}

fn peak(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[test]
fn four_large_files_take_no_more_than_the_limit_and_what_rclone_is_itself() {
    for mebibytes in [64, 256] {
        let most = most_memory(&format!("[limits]\nmemory = '{mebibytes} MiB'"));
        assert!(most > 0, "the worker was never seen");
        let told = format!("{} MiB with a limit of {mebibytes} MiB", most / MIB);
        assert!(most <= mebibytes * MIB + BASE, "{told}");
    }
}
