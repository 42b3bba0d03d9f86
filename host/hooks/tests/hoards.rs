//! What an instance may hold of the host at once: each bound, crossed, ends it with a text that says
//! which.
#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use std::fs;

use copal_core::grants::Tree;
use copal_hooks::{Cancel, FailureKind};
use kit::{FakeHost, Trial, run, wasi};
use tempfile::TempDir;

/// What ends a hook that has a directory for `/staging` with a file in it.
fn end(trial: Trial) -> Result<(), FailureKind> {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("big"), vec![b'b'; 100_000]).unwrap();
    let hook = trial.grant("files", "staging").load();
    let host = FakeHost::default().tree(Tree::Staging, directory.path());
    let result = hook.pre_backup(&run(), host.shared(), &Cancel::new());
    result.map(drop).map_err(|failure| failure.kind)
}

fn crosses(trial: Trial, bound: &str) {
    let kind = end(trial).unwrap_err();
    assert!(
        matches!(&kind, FailureKind::BeyondLimit(what) if what.contains(bound)),
        "{kind}, and not {bound}"
    );
}

#[test]
fn sixty_four_directories_are_listed_at_once_and_no_more() {
    crosses(wasi::listings(), "64 directories listed at once");
}

#[test]
fn a_directory_of_any_size_is_listed_to_its_end() {
    let directory = TempDir::new().unwrap();
    for at in 0..1000 {
        fs::write(directory.path().join(format!("{at:0250}")), "").unwrap();
    }
    let hook = wasi::walk(1000).grant("files", "staging").load();
    let host = FakeHost::default().tree(Tree::Staging, directory.path());
    kit::pre_backup(&hook, &host.shared()).unwrap();
}

#[test]
fn no_stream_takes_more_at_once_than_it_gives_leave_to() {
    crosses(
        wasi::writers(16 * 1024 + 1),
        "16384 bytes written to a stream",
    );
    crosses(wasi::zeroes(1 << 40), "16384 bytes written to a stream");
    assert_eq!(end(wasi::zeroes(16 * 1024)), Ok(()));
}

#[test]
fn streams_and_timers_are_held_up_to_a_number() {
    for trial in [wasi::writers(16 * 1024), wasi::readers(), wasi::timers()] {
        crosses(trial, "512 files, streams");
    }
}

#[test]
fn things_of_a_hooks_own_are_held_up_to_a_number() {
    crosses(wasi::things(), "10000 handles");
}
