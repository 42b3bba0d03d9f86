//! The host's own memory while hooks behave badly. Alone in its process, since it measures that.
#![allow(clippy::unwrap_used, reason = "tests")]
#![cfg(target_os = "linux")]

mod kit;

use std::fs;
use std::time::Duration;

use copal_core::grants::Tree;
use copal_hooks::Hook;
use kit::{FakeHost, Http, Trial, escape, wasi};
use serde_json::json;
use tempfile::TempDir;

const MIB: u64 = 1024 * 1024;

/// A figure of this process, in bytes.
fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

#[test]
fn the_hosts_memory_stays_within_the_limit_and_thirty_two_mebibytes() {
    let post = |count: usize| {
        let one = json!({ "send": {
            "method": "POST", "scheme": "http", "authority": "127.0.0.1", "body": 8 * MIB
        } });
        vec![one; count]
    };
    let wall = Duration::from_secs(5);
    let hooks: Vec<(&str, Hook)> = [
        ("a bomb", Trial::specimen(json!("memory"))),
        ("a log", Trial::specimen(json!({ "log": 2_000_000 }))),
        ("an output", escape(&[json!({ "stdout": 512 })])),
        ("a hoard", escape(&[json!({ "hoard": 1_000_000 })])),
        (
            "calls",
            Trial::specimen(json!("ask-for-ever")).grant("sqlite", "*"),
        ),
        ("bodies", escape(&post(4)).grant("http", "http://127.0.0.1")),
        ("methods", escape(&[json!({ "methods": [1000, MIB] })])),
        (
            "authorities",
            escape(&[json!({ "authorities": [300, 4 * MIB] })]),
        ),
        ("requests", escape(&[json!({ "bodies": [2000, 15_000] })])),
        (
            "answers",
            escape(&[json!({ "answers": [100, "127.0.0.1"] })]).grant("http", "http://127.0.0.1"),
        ),
    ]
    .into_iter()
    .chain(of_files())
    .map(|(what, trial)| (what, trial.limits(|limits| limits.wall = wall).load()))
    .collect();
    let directory = full();
    for (what, hook) in hooks {
        // Sets the peak back to what there is.
        if fs::write("/proc/self/clear_refs", "5").is_err() {
            return; // not every kernel lets a process do so
        }
        let before = status("VmRSS:");
        let host = FakeHost::http(Http::Bytes(8 << 20)).tree(Tree::Staging, directory.path());
        let host = host.shared();
        drop(kit::pre_backup(&hook, &host));
        let grown = status("VmHWM:").saturating_sub(before);
        let bound = 64 * MIB + 32 * MIB;
        assert!(grown <= bound, "{what}: {} MiB", grown / MIB);
    }
}

/// Those that make use of files, or at least of WASI.
fn of_files() -> [(&'static str, Trial); 6] {
    [
        ("a directory", wasi::walk(100_001)),
        ("listings", wasi::listings()),
        ("readers", wasi::readers()),
        ("writers", wasi::writers(8_000_000)),
        ("timers", wasi::timers()),
        ("things", wasi::things()),
    ]
    .map(|(what, trial)| (what, trial.grant("files", "staging")))
}

/// A directory with a large file and a hundred thousand long names.
fn full() -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("big"), vec![b'b'; 1 << 20]).unwrap();
    let one = directory.path().join("one");
    fs::write(&one, "").unwrap();
    for at in 1..100_000 {
        // Links are made quicker than files, and the last of them there may be is far away.
        let name = format!("{at:0250}");
        if fs::hard_link(&one, directory.path().join(&name)).is_err() {
            fs::write(directory.path().join(name), "").unwrap();
        }
    }
    directory
}
