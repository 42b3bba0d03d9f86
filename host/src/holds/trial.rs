//! Where tests have a process killed: at a line of its journal. Debug builds only.

/// Which side of a line.
#[derive(Debug, Clone, Copy)]
pub(super) enum Moment {
    /// It is about to be written.
    Before,
    /// It is on the disk.
    After,
}

/// Kills this process where `COPAL_TEST_KILL_AT` names this moment, such as
/// `run:after:holding,guard:before:releasing`; with `#2` after it, when it comes for the second time.
/// There is no clean-up, as there is none after `kill -9` or a loss of power.
#[cfg(debug_assertions)]
pub(super) fn pass(whose: &str, moment: Moment, line: &str) {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use rustix::process::{Signal, getpid, kill_process};

    static PASSED: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());

    let Ok(points) = std::env::var("COPAL_TEST_KILL_AT") else {
        return;
    };
    let side = match moment {
        Moment::Before => "before",
        Moment::After => "after",
    };
    let here = format!("{whose}:{side}:{line}");
    let time = {
        let mut passed = PASSED.lock().expect("no holder of this lock panics");
        let times = passed.entry(here.clone()).or_default();
        *times += 1;
        *times
    };
    let is_meant = |point: &str| match point.split_once('#') {
        Some((at, n)) => at == here && n == time.to_string(),
        None => point == here && time == 1,
    };
    if points.split(',').any(is_meant) {
        kill_process(getpid(), Signal::KILL).expect("a process may kill itself");
    }
}

/// There are no such moments in a release.
#[cfg(not(debug_assertions))]
pub(super) fn pass(_whose: &str, _moment: Moment, _line: &str) {}
