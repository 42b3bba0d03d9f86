//! Transfers that are ended on the way: by a signal, by a refusal, by the death of rclone's process. What
//! was begun is not paid for afterwards.

use std::fs;
use std::time::Duration;

use copal_b2_server::{Call, Fault, Pace, Refusal};
use copal_testkit::{Running, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::cloud::{BUCKET, Cloud, SMALL_PARTS};

const MIB: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_mins(2);
const DAYS: i64 = 24 * 60 * 60 * 1000;

/// The large file alone takes most of a minute.
fn slow_cloud() -> Cloud {
    let cloud = Cloud::with(SMALL_PARTS);
    cloud.write_random("source/large.bin", 40 * MIB);
    for number in 0..20 {
        let letter = format!("source/letter {number:02}.txt");
        cloud
            .world
            .write(letter, format!("Dear reader {number},\n"));
    }
    slow(&cloud, Some(1 << 20));
    cloud
}

fn slow(cloud: &Cloud, up: Option<u64>) {
    cloud.server.set_pace(Pace {
        latency: Duration::from_millis(5),
        up,
        ..Pace::default()
    });
}

const BACK_UP: &[&str] = &[
    "backup",
    "--source",
    "source",
    "--to",
    "cloud:test-bucket/backups",
    "--json",
];

/// A backup that has sent all small files, and some of the large one.
fn amid_the_large_file(cloud: &Cloud) -> Running {
    let mut running = cloud.world.start(BACK_UP);
    let is_amid = || {
        let begun = !cloud.server.unfinished(BUCKET).is_empty();
        let letters = cloud.server.names(BUCKET).into_iter();
        let sent = letters.filter(|name| name.contains("letter")).count();
        (begun && sent == 20 || !running.is_running()).then_some(())
    };
    wait_until("the large file to be under way", PATIENCE, is_amid).unwrap();
    assert!(running.is_running(), "{}", running.stderr());
    running
}

/// rclone's process, by the one who started it.
fn worker_of(running: &Running) -> Option<Pid> {
    let parent = running.id();
    let processes = fs::read_dir("/proc").unwrap();
    let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let is_its = |id: &i32| {
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let line = format!("PPid:\t{parent}");
        let command = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        status.lines().any(|it| it == line) && command.ends_with(b"worker\0")
    };
    ids.filter(is_its).find_map(Pid::from_raw)
}

#[test]
fn a_signal_amid_a_large_file_leaves_nothing_that_is_paid_for() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let cloud = slow_cloud();
        let running = amid_the_large_file(&cloud);
        running.signal(signal);
        running.finish(PATIENCE).unwrap().exits_with(code);
        assert_eq!(cloud.server.unfinished(BUCKET), [""; 0]);
        let listed = cloud.world.copal(&["snapshots", "--from", BACK_UP[4]]);
        assert_eq!(listed.stdout(), "");
    }
}

#[test]
fn a_transfer_that_is_refused_leaves_nothing_that_is_paid_for() {
    let cloud = slow_cloud();
    slow(&cloud, None);
    let refused = Fault::Refuse(Refusal::StorageCap);
    cloud
        .server
        .faults()
        .next(1000, Call::FinishLargeFile, refused);
    let output = cloud.world.copal(BACK_UP);
    output.exits_with(1).says("storage_cap_exceeded");
    assert_eq!(cloud.server.unfinished(BUCKET), [""; 0]);
    assert_eq!(cloud.server.names(BUCKET), [""; 0]);
}

#[test]
fn of_runs_that_were_killed_only_old_uploads_of_this_name_are_ended() {
    let cloud = slow_cloud();
    // Eight days ago a run of this name was killed, one of another name, and another program.
    cloud.server.set_clock_error(-8 * DAYS);
    let running = amid_the_large_file(&cloud);
    running.signal(Signal::KILL);
    running.finish(PATIENCE).unwrap();
    slow(&cloud, None);
    let refused = Fault::Refuse(Refusal::StorageCap);
    for call in [Call::FinishLargeFile, Call::CancelLargeFile] {
        cloud.server.faults().next(1000, call, refused);
    }
    for elsewhere in ["backups/source-2", "elsewhere"] {
        let to = format!("cloud:{BUCKET}/{elsewhere}");
        cloud.try_copy("source", &to).exits_with(1);
    }
    // And yesterday this name's again.
    cloud.server.set_clock_error(-DAYS);
    let yesterday = format!("cloud:{BUCKET}/backups/source/2026-11-01T000000Z");
    cloud.try_copy("source", &yesterday).exits_with(1);
    cloud.server.faults().clear();
    cloud.server.set_clock_error(0);
    let all = cloud.server.unfinished(BUCKET);
    cloud.world.copal(BACK_UP).succeeds();
    let left = cloud.server.unfinished(BUCKET);
    let is_old = |name: &&String| {
        name.starts_with("backups/source/") && !name.contains("2026-11-01T000000Z")
    };
    assert!(all.iter().any(|name| is_old(&name)), "{all:?}");
    let expected: Vec<&String> = all.iter().filter(|name| !is_old(name)).collect();
    assert!(expected.len() >= 3, "{all:?}");
    assert_eq!(left.iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_worker_that_is_killed_is_replaced_and_sends_only_the_rest() {
    let cloud = slow_cloud();
    let running = amid_the_large_file(&cloud);
    cloud.server.reset_counters();
    kill_process(worker_of(&running).unwrap(), Signal::KILL).unwrap();
    slow(&cloud, None);
    let output = running.finish(PATIENCE).unwrap();
    let told = output.succeeds().json();
    let mended = told["destinations"][0]["mended"].as_str().unwrap();
    assert!(mended.contains("signal: 9"), "{mended}");
    let counters = cloud.server.counters();
    // The checksums and the manifest.
    assert_eq!(counters.of(Call::UploadFile), 2, "{counters}");
    assert_eq!(cloud.server.unfinished(BUCKET), [""; 0]);
    let verify = ["verify", "latest", "--full", "--from", BACK_UP[4]];
    cloud.world.copal(&verify).succeeds();
    let request = json!({ "fs": BACK_UP[4], "remote": "source" });
    let listed = cloud.rclone("operations/list", &request);
    assert_eq!(listed["list"].as_array().unwrap().len(), 1, "{listed}");
}

#[test]
fn a_worker_that_is_killed_twice_fails_the_run_and_nothing_is_sealed() {
    let cloud = slow_cloud();
    let running = amid_the_large_file(&cloud);
    let first = worker_of(&running).unwrap();
    kill_process(first, Signal::KILL).unwrap();
    let another = || worker_of(&running).filter(|id| *id != first);
    let second = wait_until("another worker", PATIENCE, another).unwrap();
    kill_process(second, Signal::KILL).unwrap();
    let output = running.finish(PATIENCE).unwrap();
    output
        .exits_with(1)
        .says("the rclone worker ended")
        .says("signal: 9");
    output.says(" next: ");
    let listed = cloud.world.copal(&["snapshots", "--from", BACK_UP[4]]);
    assert_eq!(listed.stdout(), "");
}
