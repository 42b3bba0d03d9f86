//! Processes: whether they live, who their children are, and running as an ordinary user.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, lchown};
use std::path::Path;

use copal_testkit::{Output, World};
use tempfile::TempDir;

use crate::common::is_root;

/// Whether a process runs; one that has ended and waits for its parent's notice does not.
pub(crate) fn is_alive(id: u32) -> bool {
    stat(id).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
}

/// The ids of the living children of a process.
pub(crate) fn children(of: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap();
    let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.filter(|id| stat(*id).is_some_and(|(_, parent)| parent == of))
        .filter(|id| is_alive(*id))
        .collect()
}

/// State and parent, from a line such as `12 (a name) S 1 …`.
fn stat(id: u32) -> Option<(char, u32)> {
    let line = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = line.rsplit(')').next()?.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.next()?.parse().ok()?))
}

const NOBODY: u32 = 65534;

/// A world in which `copal` runs as an ordinary user: as whoever runs the tests, or as nobody where
/// that is root.
pub(crate) struct Ordinary {
    world: World,
    _directory: TempDir,
}

impl Ordinary {
    pub(crate) fn new() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("copal-world-")
            .tempdir()
            .unwrap();
        let binary = Path::new(env!("CARGO_BIN_EXE_copal"));
        if !is_root() {
            let world = World::within(directory.path(), binary);
            return Self {
                world,
                _directory: directory,
            };
        }
        // Nobody may not be able to reach the binary where it was built.
        let reachable = directory.path().join("copal");
        if fs::hard_link(binary, &reachable).is_err() {
            fs::copy(binary, &reachable).unwrap();
        }
        let script = directory.path().join("as-nobody");
        let exec = format!(
            "#!/bin/sh\nexec setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups '{}' \"$@\"\n",
            reachable.display()
        );
        fs::write(&script, exec).unwrap();
        fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
        Self {
            world: World::within(directory.path(), script),
            _directory: directory,
        }
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// Runs `copal` in a world that belongs to the ordinary user.
    pub(crate) fn copal(&self, arguments: &[&str]) -> Output {
        if is_root() {
            for entry in fs::read_dir(self.world.root()).unwrap() {
                let entry = entry.unwrap();
                // The binary may be a second name of the one that was built.
                if entry.file_name() != "copal" {
                    give(&entry.path());
                }
            }
            lchown(self.world.root(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        self.world.copal(arguments)
    }
}

impl Drop for Ordinary {
    fn drop(&mut self) {
        open(self.world.root());
    }
}

fn give(path: &Path) {
    // A new owner clears the set-user-id bit, so the mode is put back.
    let metadata = fs::symlink_metadata(path).unwrap();
    lchown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if metadata.is_symlink() {
        return;
    }
    fs::set_permissions(path, metadata.permissions()).unwrap();
    if metadata.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path());
        }
    }
}

/// Lets whoever is not root delete directories without write permission.
pub(crate) fn open(directory: &Path) {
    let opened = fs::set_permissions(directory, Permissions::from_mode(0o700));
    let entries = fs::read_dir(directory).into_iter().flatten();
    for entry in entries.filter(|_| opened.is_ok()).flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open(&entry.path());
        }
    }
}
