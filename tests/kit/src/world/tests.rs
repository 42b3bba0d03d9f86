use std::time::Duration;

use rustix::process::Signal;

use crate::wait_until;

use super::*;

const LONG: Duration = Duration::from_secs(30);

#[test]
fn nothing_of_the_outside_reaches_a_command() {
    let world = World::new("/usr/bin/env");
    let output = world.copal::<&str>(&[]);
    let mut names: Vec<_> = output
        .succeeds()
        .stdout()
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0))
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "HOME",
            "PATH",
            "TMPDIR",
            "XDG_CACHE_HOME",
            "XDG_CONFIG_HOME",
            "XDG_DATA_HOME",
            "XDG_STATE_HOME"
        ]
    );
    assert!(
        output.redacted_stdout().contains("HOME=[world]/home\n"),
        "{output}"
    );
}

#[test]
fn what_differs_between_runs_is_redacted() {
    let redact = |text| Redactions::new().with("/tmp/w1", "[world]").apply(text);
    for (text, expected) in [
        ("sealed 2026-11-24T030000Z", "sealed [snapshot]"),
        ("2026-11-24T03:00:00.25Z on", "[time] on"),
        ("at 2026-11-24 03:00", "at [time]"),
        (
            "in 1.5 s, 12ms or 2m 3s",
            "in [duration], [duration] or [duration]",
        ),
        ("at 12.5 MiB/s", "at [speed]"),
        ("12 files, 40.0 KiB", "12 files, 40.0 KiB"),
        ("in /tmp/w1/source", "in [world]/source"),
    ] {
        assert_eq!(redact(text), expected);
    }
}

#[test]
fn a_running_command_can_be_watched_signalled_and_awaited() {
    let world = World::new("/bin/sh");
    let script = "trap 'echo caught; exit 143' TERM; echo ready >&2; while :; do sleep 0.01; done";
    let mut running = world.start(&["-c", script]);
    wait_until("the script", LONG, || {
        running.stderr().contains("ready").then_some(())
    })
    .unwrap();
    assert!(running.is_running());
    running.signal(Signal::TERM);
    let output = running.finish(LONG).unwrap();
    output.exits_with(143);
    assert_eq!(output.stdout(), "caught\n");
}

#[test]
fn a_remote_is_added_after_the_vault() {
    let world = World::new("/bin/true");
    world.add_remote("locked", "type = crypt\nremote = vault:locked");
    let text = fs::read_to_string(world.rclone_conf()).unwrap();
    assert!(
        text.starts_with("[vault]\ntype = alias\nremote = /"),
        "{text}"
    );
    assert!(
        text.ends_with("\n[locked]\ntype = crypt\nremote = vault:locked\n"),
        "{text}"
    );
}
