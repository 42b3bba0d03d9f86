//! The staging directory: where artifacts wait for the transfer. Private, and gone after the run.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use copal_core::units::ByteCount;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::leftovers::Leftovers;
use super::scratch::Scratch;
use super::state::make_private;

/// What the names of runs' directories begin with.
pub(super) const RUN: &str = "run-";

/// A run's staging directory; removed when this value is dropped.
#[derive(Debug)]
pub struct StagingDir {
    root: RunDir,
}

/// A directory of a run's own, locked while it lasts: a run of the same name that knows nothing of this
/// one (another state directory has another job's lock) does not take it for a dead run's.
#[derive(Debug)]
pub(super) struct RunDir {
    scratch: Scratch,
    /// After the directory is gone.
    _lock: Option<File>,
}

impl RunDir {
    fn make(path: PathBuf, leftovers: &Leftovers) -> io::Result<Self> {
        let scratch = Scratch::make(path, leftovers)?;
        // Shared, as that alone is possible on NFS; whoever cleans up asks for it exclusively.
        let lock = File::open(scratch.path()).and_then(|directory| {
            flock(&directory, FlockOperation::NonBlockingLockShared)?;
            Ok(directory)
        });
        let lock = lock.inspect_err(|error| {
            // The job's own lock is enough unless state directories differ.
            tracing::debug!(path = %scratch.path().display(), %error, "it is not locked");
        });
        Ok(Self {
            scratch,
            _lock: lock.ok(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.scratch.path()
    }

    /// Whether a run that lives has locked it.
    fn is_in_use(path: &Path) -> bool {
        File::open(path).is_ok_and(|directory| {
            let locked = flock(directory, FlockOperation::NonBlockingLockExclusive);
            locked == Err(Errno::WOULDBLOCK)
        })
    }
}

/// What went wrong with the staging directory.
#[derive(Debug, thiserror::Error)]
#[error("can't {deed} the staging directory `{}`", .path.display())]
pub struct StagingError {
    deed: &'static str,
    /// The directory.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl StagingError {
    pub(super) fn making(path: &Path, source: io::Error) -> Self {
        failed("make", path)(source)
    }
}

fn failed(deed: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StagingError {
    let path = path.to_owned();
    move |source| StagingError { deed, path, source }
}

/// Removes what killed runs left below `base`: the caller holds the job's lock. What a run with another
/// state directory is using is left alone.
pub(super) fn clean_up(base: &Path) -> Result<(), StagingError> {
    make_private(base).map_err(failed("make", base))?;
    for entry in fs::read_dir(base).map_err(failed("read", base))? {
        let left = entry.map_err(failed("read", base))?.path();
        // Only what a run made: this may be a directory of the owner's choice.
        let ours = left
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(RUN.as_bytes()));
        if ours && RunDir::is_in_use(&left) {
            tracing::warn!("another run uses `{}`, which is left alone", left.display());
        } else if ours {
            fs::remove_dir_all(&left).map_err(failed("clean up", &left))?;
        }
    }
    Ok(())
}

/// Makes a directory of the run called `run` below `base`.
pub(super) fn make_for_run(
    base: &Path,
    run: &str,
    leftovers: &Leftovers,
) -> Result<RunDir, StagingError> {
    let root = base.join(format!("{RUN}{run}"));
    RunDir::make(root.clone(), leftovers).map_err(failed("make", &root))
}

impl StagingDir {
    /// Makes an empty staging directory for the run called `run` below `base`, and removes what
    /// killed runs left there.
    pub fn create(base: &Path, run: &str, leftovers: &Leftovers) -> Result<Self, StagingError> {
        clean_up(base)?;
        let staging = Self {
            root: make_for_run(base, run, leftovers)?,
        };
        for dir in [staging.made_by_hooks(), staging.artifacts(), staging.seal()] {
            make_private(&dir).map_err(failed("make", &dir))?;
        }
        Ok(staging)
    }

    /// Where hooks have their artifacts made, before those get their names.
    pub fn made_by_hooks(&self) -> PathBuf {
        self.root.path().join("made")
    }

    /// Where staged files lie, each under its name on the remote.
    pub fn artifacts(&self) -> PathBuf {
        self.root.path().join("artifacts")
    }

    /// Where the manifest and the checksums are written.
    pub fn seal(&self) -> PathBuf {
        self.root.path().join("seal")
    }
}

/// Room left for this user on the file system that holds `path`.
pub fn room(path: &Path) -> io::Result<ByteCount> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(ByteCount(stat.f_bavail.saturating_mul(stat.f_frsize)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn staging_is_private_and_gone_afterwards() {
        let base = tempfile::tempdir().unwrap();
        let base = base.path().join("staging/app");
        let staging = StagingDir::create(&base, "1", &Leftovers::default()).unwrap();
        let mode = fs::metadata(staging.artifacts())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700);
        drop(staging);
        assert_eq!(fs::read_dir(&base).unwrap().count(), 0);
    }

    #[test]
    fn what_a_run_that_lives_is_using_is_left_alone() {
        let base = tempfile::tempdir().unwrap();
        let lives = StagingDir::create(base.path(), "1", &Leftovers::default()).unwrap();
        let _other = StagingDir::create(base.path(), "2", &Leftovers::default()).unwrap();
        assert!(lives.artifacts().is_dir());
        drop(lives);
        assert!(!base.path().join("run-1").exists());
    }

    #[test]
    fn what_a_killed_run_left_is_removed_and_nothing_else() {
        let base = tempfile::tempdir().unwrap();
        fs::create_dir_all(base.path().join("run-killed/artifacts")).unwrap();
        fs::write(base.path().join("mine.txt"), "keep").unwrap();
        let _staging = StagingDir::create(base.path(), "2", &Leftovers::default()).unwrap();
        assert!(!base.path().join("run-killed").exists());
        assert!(base.path().join("mine.txt").exists());
    }
}
