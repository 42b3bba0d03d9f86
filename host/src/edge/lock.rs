//! One run at a time for each name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// Held as long as this value lives; the kernel releases it when the process dies, however it dies.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// Why the lock could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("another run of `{name}` holds the lock{}", .holder.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Held {
        /// The job.
        name: String,
        /// The holder's process id, where the lock file tells.
        holder: Option<u32>,
    },
    /// The lock file can't be made or locked.
    #[error("can't lock `{}`", .path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Lock {
    /// Takes the lock of the job called `name`, at once or not at all.
    pub fn take(path: &Path, name: &str) -> Result<Self, LockError> {
        let failed = |source| LockError::Io {
            path: path.to_owned(),
            source,
        };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut text = String::new();
                // Only a hint for the message: a holder that has not written yet is no failure.
                let holder = file
                    .read_to_string(&mut text)
                    .ok()
                    .and_then(|_| text.trim().parse().ok());
                return Err(LockError::Held {
                    name: name.to_owned(),
                    holder,
                });
            }
            Err(errno) => return Err(failed(errno.into())),
        }
        file.set_len(0).map_err(failed)?;
        file.rewind().map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing it would do, but for a process that is just being started and has it too.
        if let Err(error) = flock(&self.file, FlockOperation::Unlock) {
            tracing::debug!(%error, "the lock goes with its last holder");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_is_told_who_holds_the_lock_until_the_first_ends() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock/app");
        let first = Lock::take(&path, "app").unwrap();
        match Lock::take(&path, "app") {
            Err(LockError::Held { holder, .. }) => assert_eq!(holder, Some(std::process::id())),
            other => panic!("{other:?}"),
        }
        drop(first);
        Lock::take(&path, "app").unwrap();
    }

    #[test]
    fn the_lock_is_free_although_a_process_that_starts_has_the_file_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock/app");
        let lock = Lock::take(&path, "app").unwrap();
        let inherited = lock.file.try_clone().unwrap();
        drop(lock);
        Lock::take(&path, "app").unwrap();
        drop(inherited);
    }
}
