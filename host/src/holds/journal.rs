//! The journal of a run: JSON lines, each on the disk before what it speaks of happens.
//!
//! The run has its file locked as long as it lives, and the kernel unlocks it when the run is gone,
//! however it went. Whoever may then lock it may release what it lists.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};

use super::ledger::{Begun, Entry, Ledger, Line};
use super::trial::{self, Moment};
use crate::edge::state::{StateDir, make_private};

/// How the names of journals end.
const ENDING: &str = "jsonl";

/// How long others may take to look at all journals and to add a line to theirs.
const ALONE: Duration = Duration::from_secs(10);

/// Between two tries to be alone.
const AGAIN: Duration = Duration::from_millis(5);

/// A journal that is open, and perhaps locked.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    whose: &'static str,
}

/// What went wrong with a journal.
#[derive(Debug, thiserror::Error)]
#[error("can't {deed} the journal `{}`", .path.display())]
pub struct JournalError {
    deed: &'static str,
    /// The file or its directory.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl Journal {
    /// Begins the journal of a run, and locks it.
    pub fn begin(state: &StateDir, begun: Begun) -> Result<Self, JournalError> {
        let directory = state.journals();
        let path = directory.join(format!("{}.{ENDING}", begun.run));
        let failed = |deed| {
            let path = path.clone();
            move |source| JournalError { deed, path, source }
        };
        make_private(&directory).map_err(failed("make"))?;
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed("make"))?;
        let lock = flock(&file, FlockOperation::NonBlockingLockExclusive);
        lock.map_err(|errno| failed("lock")(errno.into()))?;
        let journal = Self {
            path: path.clone(),
            file,
            whose: "run",
        };
        journal.write(Entry::Begun(begun))?;
        // So that its name is on the disk, too.
        let directory = File::open(&directory).and_then(|directory| directory.sync_all());
        directory.map_err(failed("keep"))?;
        Ok(journal)
    }

    /// Opens one that there is, for `whose` purposes; none where it is gone.
    pub fn open(path: &Path, whose: &'static str) -> Result<Option<Self>, JournalError> {
        match OpenOptions::new().read(true).append(true).open(path) {
            Ok(file) => Ok(Some(Self {
                path: path.to_owned(),
                file,
                whose,
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(JournalError {
                deed: "open",
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// All journals of a state directory, the oldest first.
    pub fn all(state: &StateDir) -> Result<Vec<PathBuf>, JournalError> {
        let directory = state.journals();
        let failed = |source| JournalError {
            deed: "look for",
            path: directory.clone(),
            source,
        };
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|ending| ending == ENDING) {
                found.push(path);
            }
        }
        // A run's id begins with its time.
        found.sort();
        Ok(found)
    }

    /// Waits until nobody else is between a look at all journals and a line in theirs. That lasts as long
    /// as what is returned.
    pub fn alone(state: &StateDir) -> Result<File, JournalError> {
        let path = state.journals();
        let failed = |source| JournalError {
            deed: "lock",
            path: path.clone(),
            source,
        };
        let directory = File::open(&path).map_err(failed)?;
        let by = Instant::now() + ALONE;
        loop {
            match flock(&directory, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(directory),
                Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < by => thread::sleep(AGAIN),
                Err(errno) => return Err(failed(errno.into())),
            }
        }
    }

    /// Locks it, unless somebody else has. False as well where somebody has just settled it.
    pub fn try_lock(&self) -> Result<bool, JournalError> {
        match flock(&self.file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(self.path.exists()),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
            Err(errno) => Err(self.failed("lock", errno.into())),
        }
    }

    /// Unlocks it. What can't be unlocked is when the process ends.
    pub fn unlock(&self) {
        if let Err(error) = flock(&self.file, FlockOperation::Unlock) {
            tracing::debug!(%error, "the journal's lock goes with its last holder");
        }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where this file can be opened even if its name is gone, as long as this process has it.
    pub fn place(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.file.as_raw_fd()).into()
    }

    /// What it says so far, whoever wrote it.
    pub fn read(&self) -> Result<Ledger, JournalError> {
        let text = self.text().map_err(|error| self.failed("read", error))?;
        Ok(Ledger::read(&text))
    }

    fn text(&self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        let mut part = [0; 8 * 1024];
        loop {
            match self.file.read_at(&mut part, text.len() as u64) {
                Ok(0) => return Ok(text),
                Ok(length) => text.extend_from_slice(&part[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Adds a line. It is on the disk when this returns.
    pub fn write(&self, entry: Entry) -> Result<(), JournalError> {
        let name = self.add(entry)?;
        let synced = self.file.sync_data();
        synced.map_err(|error| self.failed("write", error))?;
        trial::pass(self.whose, Moment::After, name);
        Ok(())
    }

    /// Adds a line for those who read it meanwhile. After a loss of power it may be missing: so it is of
    /// something that only counts as long as the machine is up, and that must not wait for a slow disk.
    pub fn announce(&self, entry: Entry) -> Result<(), JournalError> {
        let name = self.add(entry)?;
        trial::pass(self.whose, Moment::After, name);
        Ok(())
    }

    fn add(&self, entry: Entry) -> Result<&'static str, JournalError> {
        let name = name(&entry);
        trial::pass(self.whose, Moment::Before, name);
        let at = Timestamp::now();
        let mut text = serde_json::to_string(&Line { at, entry }).map_err(|error| {
            let error = io::Error::other(error);
            self.failed("write", error)
        })?;
        text.push('\n');
        let written = self.append(&text);
        written.map_err(|error| self.failed("write", error))?;
        Ok(name)
    }

    fn append(&self, line: &str) -> io::Result<()> {
        // After a line that was cut short, by a full disk for example, a new one begins.
        let mut text = String::new();
        let length = self.file.metadata()?.len();
        if length > 0 {
            let mut last = [0];
            self.file.read_exact_at(&mut last, length - 1)?;
            if last != *b"\n" {
                text.push('\n');
            }
        }
        text.push_str(line);
        (&self.file).write_all(text.as_bytes())
    }

    /// Removes it: all is settled.
    pub fn remove(&self) -> Result<(), JournalError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(self.failed("remove", error))
            }
            _ => Ok(()),
        }
    }

    fn failed(&self, deed: &'static str, source: io::Error) -> JournalError {
        JournalError {
            deed,
            path: self.path.clone(),
            source,
        }
    }
}

fn name(entry: &Entry) -> &'static str {
    match entry {
        Entry::Begun(_) => "begun",
        Entry::Holding { .. } => "holding",
        Entry::Held { .. } => "held",
        Entry::GivenUp { .. } => "given-up",
        Entry::Spared { .. } => "spared",
        Entry::Releasing { .. } => "releasing",
        Entry::Released { .. } => "released",
        Entry::Failed { .. } => "failed",
        Entry::Exchanging(_) => "exchanging",
        Entry::Exchanged => "exchanged",
        Entry::PutBack => "put-back",
        Entry::Ended => "ended",
    }
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
