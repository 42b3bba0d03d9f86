//! One run at a time for each name.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};

use super::interrupt::{Interrupt, Interrupted};

/// Held as long as this value lives; the kernel releases it when the process dies, however it dies.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// How long somebody waits for a lock that another run holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Patience {
    /// Not at all.
    #[default]
    None,
    /// So long.
    For(Duration),
    /// Until it is free.
    Endless,
}

/// Who holds a lock, as the lock file tells. A hint for people: a holder may not have written yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// Its process id.
    pub process: u32,
    /// Since when it holds it.
    pub since: Option<Timestamp>,
}

/// Why the lock could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("another run of `{name}` holds the lock{}", .holder.map(|holder| format!(" ({holder})")).unwrap_or_default())]
    Held {
        /// The job.
        name: String,
        /// Who it is, where the lock file tells.
        holder: Option<Holder>,
    },
    /// The lock file can't be made or locked.
    #[error("can't lock `{}`", .path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A signal came while it was waited for.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.process)?;
        match self.since {
            Some(since) => write!(f, ", since {since}"),
            None => Ok(()),
        }
    }
}

/// Who holds the lock, as far as the kernel tells this process. It is not tried: a run that begins in that
/// moment would take the one who tries for another run.
pub fn look(path: &Path, name: &str) -> Result<(), LockError> {
    let failed = |source| LockError::Io {
        path: path.to_owned(),
        source,
    };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let inode = file.metadata().map_err(failed)?.ino();
    let locks = fs::read_to_string("/proc/locks").map_err(failed)?;
    let holder = holder(&mut file);
    if !is_locked(&locks, inode, holder.map(|it| it.process)) {
        return Ok(());
    }
    Err(LockError::Held {
        name: name.to_owned(),
        holder,
    })
}

/// Lines such as `1: FLOCK  ADVISORY  WRITE 4711 08:01:2752519 0 EOF`. Devices of some file systems have other
/// numbers here than elsewhere (btrfs), so that the process has to be the file's.
fn is_locked(locks: &str, inode: u64, process: Option<u32>) -> bool {
    locks.lines().any(|line| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [_, "FLOCK", _, _, pid, file, ..] = words[..] else {
            return false;
        };
        let is_it = file.rsplit(':').next().and_then(|it| it.parse().ok()) == Some(inode);
        is_it && pid.parse().ok() == process
    })
}

/// How often a lock that is waited for is tried.
const TRY: Duration = Duration::from_millis(100);

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
                return Err(LockError::Held {
                    name: name.to_owned(),
                    holder: holder(&mut file),
                });
            }
            Err(errno) => return Err(failed(errno.into())),
        }
        file.set_len(0).map_err(failed)?;
        file.rewind().map_err(failed)?;
        let (process, since) = (std::process::id(), Timestamp::now());
        writeln!(file, "{process} {since:.0}").map_err(failed)?;
        Ok(Self { file })
    }

    /// Takes the lock as soon as it is free, or tells who still holds it when patience is at its end.
    /// Who waits longest is not served first.
    pub fn wait(
        path: &Path,
        name: &str,
        patience: Patience,
        interrupt: &Interrupt,
    ) -> Result<Self, LockError> {
        let began = Instant::now();
        let mut is_told = false;
        loop {
            interrupt.check()?;
            let held = match Self::take(path, name) {
                Err(held @ LockError::Held { .. }) => held,
                done => return done,
            };
            let left = match patience {
                Patience::None => Duration::ZERO,
                Patience::For(longest) => longest.saturating_sub(began.elapsed()),
                Patience::Endless => TRY,
            };
            if left.is_zero() {
                return Err(held);
            }
            if !is_told {
                tracing::info!("{held}: waiting for it to end");
                is_told = true;
            }
            thread::sleep(left.min(TRY));
        }
    }
}

/// Who wrote the lock file.
fn holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    let mut words = text.split_whitespace();
    Some(Holder {
        process: words.next()?.parse().ok()?,
        since: words.next().and_then(|since| since.parse().ok()),
    })
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
            Err(LockError::Held { holder, .. }) => {
                let holder = holder.unwrap();
                assert_eq!(holder.process, std::process::id());
                assert!(holder.since.unwrap() <= Timestamp::now());
            }
            other => panic!("{other:?}"),
        }
        drop(first);
        Lock::take(&path, "app").unwrap();
    }

    #[test]
    fn a_look_tells_who_holds_the_lock_and_takes_it_from_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app");
        look(&path, "app").unwrap();
        assert!(!path.exists());
        let lock = Lock::take(&path, "app").unwrap();
        let held = look(&path, "app").unwrap_err().to_string();
        let me = std::process::id();
        assert!(held.contains(&format!("(process {me}, since 2")), "{held}");
        drop(lock);
        look(&path, "app").unwrap();
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

    fn wait(path: &Path, patience: Patience, interrupt: &Interrupt) -> Result<Lock, LockError> {
        Lock::wait(path, "app", patience, interrupt)
    }

    #[test]
    fn who_waits_gets_the_lock_when_it_is_free() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app");
        let first = Lock::take(&path, "app").unwrap();
        let waiting = thread::spawn({
            let path = path.clone();
            move || wait(&path, Patience::Endless, &Interrupt::default()).map(drop)
        });
        assert!(!waiting.is_finished());
        drop(first);
        waiting.join().unwrap().unwrap();
    }

    #[test]
    fn patience_ends_with_the_same_words_as_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app");
        let _first = Lock::take(&path, "app").unwrap();
        let short = Patience::For(Duration::from_millis(50));
        for patience in [Patience::None, short] {
            let held = wait(&path, patience, &Interrupt::default()).unwrap_err();
            let told = held.to_string();
            let me = std::process::id();
            assert!(told.contains(&format!("(process {me}, since 2")), "{told}");
        }
    }

    #[test]
    fn a_signal_ends_the_wait() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app");
        let _first = Lock::take(&path, "app").unwrap();
        let interrupt = Interrupt::default();
        interrupt.raise(super::super::interrupt::Signal::Terminate);
        let ended = wait(&path, Patience::Endless, &interrupt);
        assert!(matches!(ended, Err(LockError::Interrupted(_))), "{ended:?}");
    }
}
