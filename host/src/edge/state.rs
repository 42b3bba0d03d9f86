//! Where Copal keeps what is its own on this machine: locks, journals of holds, the history, logs, records of old
//! trees, and staging directories.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::environment::variable;

/// The directory of Copal's own state.
#[derive(Debug, Clone)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// `COPAL_STATE_DIR`, else `$XDG_STATE_HOME/copal`, else `/var/lib/copal` for root and
    /// `~/.local/state/copal` for anybody else; `None` where there is not even a home.
    pub fn from_environment() -> Option<Self> {
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

    /// The log of the job called `name`, unless its configuration says otherwise.
    pub fn log(&self, name: &str) -> PathBuf {
        self.0.join("log").join(format!("{name}.log"))
    }

    /// The lock file of drills of the job called `name`: they don't disturb its backups.
    pub fn drill_lock(&self, name: &str) -> PathBuf {
        self.0.join("lock-drill").join(name)
    }

    /// Where copies of the job called `name` are tried, unless the owner says otherwise.
    pub fn drills(&self, name: &str) -> PathBuf {
        self.0.join("drill").join(name)
    }

    /// The mark of a run of the job called `name` that has begun and not told how it ended.
    pub fn begun(&self, name: &str) -> PathBuf {
        self.0.join("begun").join(name)
    }

    /// What hooks could not tell of killed runs of the job called `name`.
    pub fn untold(&self, name: &str) -> PathBuf {
        self.0.join("untold").join(name)
    }

    /// Where runs keep the journals of their holds.
    pub fn journals(&self) -> PathBuf {
        self.0.join("holds")
    }

    /// Where there is a record of each old tree that a restore of the job called `name` has kept.
    pub fn old_trees(&self, name: &str) -> PathBuf {
        self.0.join("old-trees").join(name)
    }

    /// Where the job called `name` stages, unless its configuration says otherwise.
    pub fn staging(&self, name: &str) -> PathBuf {
        self.0.join("staging").join(name)
    }
}

/// Makes a directory that only this user may enter, with all above it. One that is there and lets
/// others in is closed to them; another user's is refused.
///
/// What is staged is the app's data: nobody else on the machine has any business there.
pub fn make_private(dir: &Path) -> io::Result<()> {
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => close(dir),
        other => other,
    }
}

fn close(dir: &Path) -> io::Result<()> {
    let metadata = fs::metadata(dir)?;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        let whose = format!("it belongs to another user ({})", metadata.uid());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, whose));
    }
    if metadata.mode() & 0o777 == 0o700 {
        return Ok(());
    }
    fs::set_permissions(dir, Permissions::from_mode(0o700))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_lets_others_in_is_closed_and_another_users_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let wide = dir.path().join("wide");
        fs::create_dir(&wide).unwrap();
        fs::set_permissions(&wide, Permissions::from_mode(0o777)).unwrap();
        make_private(&wide).unwrap();
        assert_eq!(fs::metadata(&wide).unwrap().mode() & 0o777, 0o700);

        let theirs = if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&wide, Some(65534), None).unwrap();
            &wide
        } else {
            Path::new("/")
        };
        let refused = make_private(theirs).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        assert!(refused.to_string().contains("another user"), "{refused}");
    }
}
