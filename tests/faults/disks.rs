//! Disks that fill up while services are held.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use copal_testkit::{FileSystem, Mount, docker_engine};

use crate::app::{LiveApp, sealed_nothing};
use crate::hooks::command_between;
use crate::outcome::attempt;
use crate::scale::times;
use crate::table::Trials;

#[test]
fn a_staging_disk_that_fills_up_under_the_hold_leaves_nothing_down() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let Some(disk) = Mount::new(FileSystem::Tmpfs, 32) else {
        return;
    };
    let mut app = LiveApp::start(engine, "staging-disk");
    app.world.write("source/large", vec![7; 8 << 20]);
    let mut trials = Trials::of("the staging directory's disk full while services are held");
    let staging = format!(
        "mode = \"copy\"\ndir = \"{}\"",
        disk.path().join("s").display()
    );
    for n in 0..times(20) {
        let outcome = attempt(&mut app, |app| filled(app, disk.path(), &staging));
        trials.took(&format!("time {n}"), outcome);
    }
    trials.end("all back at the run's end, after at most {}");
}

/// The journal and the history can't be written to then, either.
#[test]
fn a_state_disk_that_fills_up_under_the_hold_leaves_nothing_down() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let Some(disk) = Mount::new(FileSystem::Tmpfs, 32) else {
        return;
    };
    let mut app = LiveApp::start(engine, "state-disk");
    app.keep_state_at(disk.path());
    let mut trials = Trials::of("the state directory's disk full while services are held");
    for n in 0..times(20) {
        let outcome = attempt(&mut app, |app| filled(app, disk.path(), ""));
        trials.took(&format!("time {n}"), outcome);
    }
    trials.end("all back at the run's end, after at most {}");
}

fn filled(app: &mut LiveApp<'_>, disk: &Path, staging: &str) -> Result<Duration, String> {
    let fill = disk.join("fill");
    let script = format!(
        "dd if=/dev/zero of='{0}' bs=64k 2>/dev/null; dd if=/dev/zero of='{0}.rest' bs=1 count=65536 2>/dev/null; exit 0\n",
        fill.display()
    );
    app.configure(staging, &command_between(&app.world, &script));
    let began = Instant::now();
    let output = app.world.copal(&["backup"]);
    let took = began.elapsed();
    let was_full = fill.exists();
    for name in ["fill", "fill.rest"] {
        drop(fs::remove_file(disk.join(name)));
    }
    if !was_full {
        return Err(format!("the disk was not filled: {output}"));
    }
    if !app.is_well() {
        return Err(format!("something is down at the run's end: {output}"));
    }
    app.leaves_the_idle()?;
    if output.code() == Some(0) {
        return Err(format!("it did not notice: {output}"));
    }
    sealed_nothing(&output)?;
    app.configure("", "");
    app.goes_on()?;
    Ok(took)
}
