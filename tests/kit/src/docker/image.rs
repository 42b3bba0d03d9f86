//! The image of all containers: busybox, made here, since a test pulls nothing.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::DockerEngine;

/// Its name.
pub const IMAGE: &str = "copal-test/busybox:1";

/// Programs that its shell looks for.
const LINKS: &[&str] = &[
    "cat", "cp", "date", "dd", "echo", "env", "false", "kill", "ls", "mkdir", "mv", "nc", "rm",
    "sh", "sleep", "stat", "sync", "test", "touch", "true", "usleep", "wc",
];

pub(super) fn import(engine: &DockerEngine) -> Result<()> {
    let root = tempfile::tempdir()?;
    let tree = root.path().join("tree");
    fs::create_dir_all(tree.join("bin"))?;
    fs::create_dir(tree.join("tmp"))?;
    fs::copy(busybox()?, tree.join("bin/busybox"))?;
    for link in LINKS {
        symlink("busybox", tree.join("bin").join(link))?;
    }
    let archive = root.path().join("image.tar");
    let tar = Command::new("tar")
        .arg("-cf")
        .arg(&archive)
        .arg("-C")
        .arg(&tree)
        .arg(".")
        .status()?;
    ensure!(tar.success(), "`tar` failed");
    let import = ["import", "-c", r#"CMD ["/bin/sh"]"#, "-", IMAGE];
    engine.docker_with(&import, Stdio::from(File::open(&archive)?))?;
    Ok(())
}

/// The one that needs no library: that of Debian's package `busybox-static`.
fn busybox() -> Result<PathBuf> {
    let places = ["/bin/busybox", "/usr/bin/busybox", "/bin/busybox.static"].map(PathBuf::from);
    let found = places.into_iter().find(|place| place.is_file());
    found.context("`busybox` is not installed")
}
