//! File systems of a test's own, on a loop device or in memory.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

/// A file system that is there until this value is dropped.
#[derive(Debug)]
pub struct Mount {
    at: PathBuf,
    _dir: Option<TempDir>,
}

/// Kinds of file systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileSystem {
    /// Links, and no clones.
    Ext4,
    /// Clones. 512 MB, since it wants 300.
    Xfs,
    /// Clones.
    Btrfs,
    /// In memory; links, and no clones.
    Tmpfs,
}

impl FileSystem {
    fn name(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
            Self::Tmpfs => "tmpfs",
        }
    }
}

impl Mount {
    /// Makes and mounts an empty file system of so many MiB.
    ///
    /// None where that can't be done: then the test says so and passes, but fails where `CI=true`.
    pub fn new(kind: FileSystem, mebibytes: u32) -> Option<Self> {
        match Self::make(kind, mebibytes) {
            Ok(mount) => Some(mount),
            Err(error) => {
                skip(kind.name(), &format!("{error:#}"));
                None
            }
        }
    }

    /// Shows the directory `of` in the empty directory `at` as well.
    ///
    /// None where that can't be done, as above.
    pub fn bind(of: &Path, at: &Path) -> Option<Self> {
        let bound = || {
            ensure!(rustix::process::geteuid().is_root(), "mounting takes root");
            run(Command::new("mount").arg("--bind").arg(of).arg(at))
        };
        match bound() {
            Ok(()) => Some(Self {
                at: at.to_owned(),
                _dir: None,
            }),
            Err(error) => {
                skip("bind mount", &format!("{error:#}"));
                None
            }
        }
    }

    fn make(kind: FileSystem, mebibytes: u32) -> Result<Self> {
        ensure!(rustix::process::geteuid().is_root(), "mounting takes root");
        let dir = tempfile::tempdir()?;
        let (image, at) = (dir.path().join("image"), dir.path().join("mount"));
        std::fs::create_dir(&at)?;
        if kind == FileSystem::Tmpfs {
            let size = format!("size={mebibytes}m");
            run(Command::new("mount")
                .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
                .arg(&at))?;
        } else {
            let size = u64::from(mebibytes) * 1024 * 1024;
            std::fs::File::create(&image)?.set_len(size)?;
            run(Command::new(format!("mkfs.{}", kind.name()))
                .arg("-q")
                .arg(&image))?;
            run(Command::new("mount")
                .args(["-o", "loop"])
                .arg(&image)
                .arg(&at))?;
        }
        Ok(Self {
            at,
            _dir: Some(dir),
        })
    }

    /// Its top.
    pub fn path(&self) -> &Path {
        &self.at
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: what a failing test still has open must not keep it.
        let gone = run(Command::new("umount").arg("-l").arg(&self.at));
        if !std::thread::panicking() {
            gone.expect("what was mounted can be unmounted");
        }
    }
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().context(program.clone())?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program}: {}", said.trim());
    Ok(())
}

#[expect(clippy::print_stderr, reason = "a test that is not done has to say so")]
fn skip(kind: &str, why: &str) {
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "there is no {kind} to test with: {why}"
    );
    eprintln!("SKIPPED, since {kind} can't be mounted (root, and `scripts/setup`): {why}");
}
