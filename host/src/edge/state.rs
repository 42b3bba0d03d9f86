//! Where Copal keeps what is its own on this machine: locks and staging directories.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The directory of Copal's own state.
#[derive(Debug, Clone)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// `COPAL_STATE_DIR`, else `$XDG_STATE_HOME/copal`, else `/var/lib/copal` for root and
    /// `~/.local/state/copal` for anybody else; `None` where there is not even a home.
    pub fn from_environment() -> Option<Self> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        if let Some(own) = variable("COPAL_STATE_DIR") {
            return Some(Self(own.into()));
        }
        if let Some(xdg) = variable("XDG_STATE_HOME") {
            return Some(Self(PathBuf::from(xdg).join("copal")));
        }
        if rustix::process::geteuid().is_root() {
            return Some(Self("/var/lib/copal".into()));
        }
        Some(Self(
            PathBuf::from(variable("HOME")?).join(".local/state/copal"),
        ))
    }

    /// A state directory at a place of the caller's choice.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The lock file of the job called `name`.
    pub fn lock_file(&self, name: &str) -> PathBuf {
        self.0.join("lock").join(name)
    }

    /// The lock file of drills of the job called `name`: they don't disturb its backups.
    pub fn drill_lock(&self, name: &str) -> PathBuf {
        self.0.join("lock-drill").join(name)
    }

    /// Where copies of the job called `name` are tried, unless the owner says otherwise.
    pub fn drills(&self, name: &str) -> PathBuf {
        self.0.join("drill").join(name)
    }

    /// Where the job called `name` stages, unless its configuration says otherwise.
    pub fn staging(&self, name: &str) -> PathBuf {
        self.0.join("staging").join(name)
    }
}

/// Makes a directory that only its owner may enter, with all above it.
///
/// What is staged is the app's data: nobody else on the machine has any business there.
pub fn make_private(dir: &Path) -> io::Result<()> {
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
        other => other,
    }
}
