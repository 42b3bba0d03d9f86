//! The guard of a run, and a signal for it.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// The guard of a run that lives.
pub(crate) fn guard_of(run: u32) -> Option<u32> {
    let is_its = |id: &u32| parent(*id) == Some(run) && is_guard(*id);
    ids().into_iter().find(is_its)
}

fn ids() -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap();
    let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.collect()
}

/// The guards over journals in this directory.
pub(crate) fn guards_below(state: &Path) -> Vec<u32> {
    let journals = state.to_string_lossy().into_owned();
    let is_over = |id: &u32| {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let words: Vec<_> = line.split(|byte| *byte == 0).collect();
        let journal = words.get(2).map(|word| String::from_utf8_lossy(word));
        words.get(1) == Some(&&b"guard"[..]) && journal.is_some_and(|at| at.starts_with(&journals))
    };
    ids().into_iter().filter(is_over).collect()
}

/// Kills it; one that is gone takes no notice.
pub(crate) fn kill(id: u32) {
    let id = Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
    let _gone = kill_process(id, Signal::KILL);
}

fn is_guard(id: u32) -> bool {
    let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).nth(1) == Some(b"guard")
}

/// From a line such as `12 (a name) S 1 …`.
fn parent(of: u32) -> Option<u32> {
    let line = fs::read_to_string(format!("/proc/{of}/stat")).ok()?;
    let mut fields = line.rsplit(')').next()?.split_whitespace();
    fields.nth(1)?.parse().ok()
}
