//! The rclone of the system's packages, which knows nothing of Copal.

use std::io::Write;
use std::process::Command;

/// Whether there is one. Where it has to be there, under `CI=true`, it is.
///
/// # Panics
/// Under `CI=true`, where there is none.
pub fn stock_rclone() -> bool {
    let found = Command::new("rclone").arg("version").output();
    let is_there = found.is_ok_and(|output| output.status.success());
    let why = "there is no rclone to try it with; scripts/setup installs it";
    assert!(
        is_there || std::env::var("CI").as_deref() != Ok("true"),
        "{why}"
    );
    if !is_there {
        writeln!(std::io::stderr(), "left out: {why}").expect("standard error");
    }
    is_there
}
