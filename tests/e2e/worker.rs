//! The worker process: when there is one, and which rclone is in it.

use crate::common::{back_up, small_world};

/// A variable that rclone can't parse ends a worker at its start, so it shows who starts one.
#[test]
fn what_needs_no_remote_starts_no_worker() {
    let mut world = small_world();
    back_up(&world);
    world.set("RCLONE_TRANSFERS", "many");
    let plan = ["plan", "--source", "source", "--to", "vault:"];
    for arguments in [
        &plan[..],
        &["--version"],
        &["--help"],
        &["backup", "--help"],
    ] {
        world.copal(arguments).succeeds();
    }
    for arguments in [
        &["snapshots", "--from", "vault:"][..],
        &["backup", "--source", "source", "--to", "vault:"],
    ] {
        let output = world.copal(arguments);
        output.exits_with(1).says("\"transfers\" = \"many\"");
    }
}

#[test]
fn the_version_that_is_shown_is_the_one_that_runs() {
    let world = small_world();
    let version = world.copal(&["--version"]);
    let running = world.copal(&["rclone", "core/version"]).json();
    let running = running["version"].as_str().unwrap();
    assert_eq!(
        version.stdout(),
        format!("copal {} (rclone {running})\n", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(running, "v1.76.0");
}
