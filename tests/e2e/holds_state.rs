//! Services that are held when something goes wrong that no release can mend at once.

use std::fs;

use copal_testkit::wait_until;
use rustix::process::Signal;

use crate::common::PATIENCE;
use crate::holds::Held;

#[test]
fn a_guard_whose_state_directory_was_removed_releases_all_the_same() {
    let held = Held::with("touch here; sleep 3", "", "");
    let running = held.world.start(&["backup"]);
    let here = || held.world.path("here").exists().then_some(());
    wait_until("the hold", PATIENCE, here).unwrap();
    fs::remove_dir_all(held.world.path("home/.local/state/copal")).unwrap();
    running.signal_group(Signal::KILL);
    held.comes_back(PATIENCE);
    assert_eq!(held.did(), ["stop", "start"]);
}

/// It has been asked to end, and takes its time: longer than whoever asked it could wait.
#[test]
fn an_app_that_ends_long_after_its_stop_was_killed_is_started_again() {
    let held = Held::new();
    // A process of its own, which is not killed with the stop.
    held.script(
        "stop",
        "env -i setsid sh -c 'sleep 14; echo ended >> did; rm -f app' >/dev/null 2>&1 & sleep 60",
    );
    let file = held.world.path("copal.toml");
    let lines = fs::read_to_string(&file).unwrap();
    fs::write(
        file,
        lines.replace("ready = \"5s\"", "ready = \"5s\"\ntimeout = \"1s\""),
    )
    .unwrap();
    let output = held.world.copal(&["backup"]);
    output.exits_with(1).says("was killed after");
    assert!(held.runs(), "{output}");
    assert_eq!(held.did(), ["ended", "start"]);
    assert_eq!(held.journals(), [""; 0]);
}
