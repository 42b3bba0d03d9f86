//! Who has a database open in a way that a copy may miss what they wrote: as far as `/proc` shows it.
//!
//! In WAL mode each connection keeps a lock on the database from its first statement to its end. A
//! process that has it open and holds none has lost its locks: it closed another descriptor of the
//! same file (POSIX), as Open WebUI does after its "Download database" button. The next to close the
//! database elsewhere takes itself for the last, and deletes the log under it.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::processes::{self, Process};

/// A process that does not hold what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its number.
    pub pid: u32,
    /// Its program, as the system names it.
    pub program: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What can be wrong with a process that has a database open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It writes to a log that was deleted.
    DeletedLog,
    /// It holds no lock on a database in WAL mode.
    NoLock,
}

/// What to look at.
#[derive(Debug, Clone, Copy)]
pub struct Database<'a> {
    /// Where the file lies.
    pub file: &'a Path,
    /// Whether it is in WAL mode, in which locks are kept.
    pub keeps_locks: bool,
}

/// The processes at fault, by their numbers. Those of other users are seen by root alone.
pub fn at_fault(database: Database<'_>) -> io::Result<Vec<Holder>> {
    let file = fs::metadata(database.file)?;
    let locked = Locks::now()?;
    let mut found = Vec::new();
    for process in processes::all()? {
        // Its own locks end with this process, and it looks at nothing that it has open.
        if process.pid == std::process::id() {
            continue;
        }
        let opened = Opened::by(&process, (file.dev(), file.ino()), database.file);
        let fault = if opened.deleted_log {
            Fault::DeletedLog
        } else if opened.database && database.keeps_locks && !locked.by(process.pid, &file) {
            Fault::NoLock
        } else {
            continue;
        };
        found.push(Holder {
            pid: process.pid,
            program: process.program(),
            fault,
        });
    }
    found.sort_by_key(|holder| holder.pid);
    Ok(found)
}

/// What of a database a process has open.
#[derive(Default)]
struct Opened {
    database: bool,
    deleted_log: bool,
}

impl Opened {
    fn by(process: &Process, file: (u64, u64), path: &Path) -> Self {
        let mut log = path.file_name().unwrap_or_default().to_owned();
        log.push("-wal (deleted)");
        let mut opened = Self::default();
        let mut deleted_log = false;
        for descriptor in process.descriptors() {
            let same = |found: fs::Metadata| (found.dev(), found.ino()) == file;
            if descriptor.file().is_ok_and(same) {
                opened.database = true;
            } else if descriptor.name().is_ok_and(|name| is_named(&name, &log)) {
                deleted_log = true;
            }
        }
        // One of the same name may be another database's.
        opened.deleted_log = deleted_log && opened.database;
        opened
    }
}

fn is_named(path: &Path, name: &OsString) -> bool {
    let bytes = path.as_os_str().as_bytes();
    let last = bytes.rsplit(|&byte| byte == b'/').next().unwrap_or(bytes);
    OsString::from_vec(last.to_vec()) == *name
}

/// All POSIX locks, by process, and by file as `/proc/locks` names it.
struct Locks(HashSet<(u32, u64)>);

impl Locks {
    fn now() -> io::Result<Self> {
        Ok(Self::read(&fs::read_to_string("/proc/locks")?))
    }

    /// Lines such as `1: POSIX  ADVISORY  READ 4711 08:01:2752519 1073741826 1073742335`.
    fn read(text: &str) -> Self {
        let lock = |line: &str| {
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            let [_, "POSIX", _, _, pid, file, ..] = words[..] else {
                return None;
            };
            // Devices of some file systems have other numbers here than in stat (btrfs).
            let inode = file.rsplit(':').next()?;
            Some((pid.parse().ok()?, inode.parse().ok()?))
        };
        Self(text.lines().filter_map(lock).collect())
    }

    fn by(&self, pid: u32, file: &fs::Metadata) -> bool {
        self.0.contains(&(pid, file.ino()))
    }
}

#[cfg(test)]
#[path = "holders_tests.rs"]
mod tests;
