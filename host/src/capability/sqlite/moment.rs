//! A database and files beside it, as one moment.
//!
//! An app that keeps an index of its rows in files (`ChromaDB` does) writes both, one after the other.
//! While somebody else has the lock for writing (`BEGIN IMMEDIATE`), no transaction of it can end, so
//! that it does not come to the next write; and whether one was still going on is seen by looking at
//! the files before and after.
//!
//! That lock needs a connection that may write. It writes nothing: such a transaction begins no
//! journal before its first change, and there is none. A journal that a crash left is found by a
//! reading connection first, and is left to the application. With a log, closing last would copy the
//! log into the file and delete it, even under an application that has lost its own locks:
//! `SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE` keeps SQLite from it.
//!
//! Writers wait meanwhile, so that little is done under the lock: the files are copied before it, and
//! under it only those again that changed since.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use copal_core::path::RelPath;
use jiff::{SignedDuration, Timestamp};

use super::copy::{Copied, Copy, View};
use super::error::SqliteError;
use super::source::Source;
use crate::edge::beneath::Beneath;
use crate::edge::content::Failed;
use crate::edge::duplicate::{self, Duplicate};
use crate::edge::interrupt::Interrupt;
use crate::edge::stat::Version;
use crate::edge::top::Top;
use crate::edge::walk::{Found, FoundKind};

/// How long the files may take to stand still.
const PATIENCE: Duration = Duration::from_mins(1);

/// Between two tries: a write that is going on wants to come to its end.
const REST: Duration = Duration::from_millis(250);

/// How long the files must not have been written to. An index is saved file by file, with pauses longer
/// than a small copy takes; and times of files are as coarse as the system's clock ticks.
const QUIET: SignedDuration = SignedDuration::from_millis(300);

/// What is to be copied together.
pub(super) struct Together<'a> {
    /// The source.
    pub(super) source: &'a Top,
    /// The database.
    pub(super) database: &'a RelPath,
    /// Where its copy goes.
    pub(super) to: &'a Path,
    /// What is in the directories beside it now.
    pub(super) look: &'a dyn Fn() -> Result<Vec<Found>, SqliteError>,
    /// Whether a file is copied with it.
    pub(super) belongs: &'a dyn Fn(&RelPath) -> bool,
    /// Where the next file goes.
    pub(super) next_file: &'a dyn Fn() -> PathBuf,
    /// How long a writer is waited for.
    pub(super) patience: Duration,
    /// Asks for an end.
    pub(super) interrupt: &'a Interrupt,
}

/// One moment of all of it.
pub(super) struct Moment {
    /// The database's copy.
    pub(super) copy: Copy,
    /// What it turned out to be.
    pub(super) expected: Copied,
    /// What was in the directories.
    pub(super) found: Vec<Found>,
    /// Where the copies of the files lie.
    pub(super) files: BTreeMap<RelPath, PathBuf>,
    /// How long writers had to wait.
    pub(super) held: Duration,
}

/// The copy of a file, and of which version it is.
type Copies = BTreeMap<RelPath, (Version, PathBuf)>;

impl Together<'_> {
    pub(super) fn copy(&self) -> Result<Moment, SqliteError> {
        let mut copies = Copies::new();
        self.renew(&(self.look)()?, &mut copies)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.interrupt.check()?;
            if let Some(moment) = self.try_once(&mut copies)? {
                return Ok(moment);
            }
            if Instant::now() >= deadline {
                return Err(SqliteError::NeverStill(PATIENCE));
            }
            std::thread::sleep(REST);
        }
    }

    /// None where the files changed under the lock.
    fn try_once(&self, copies: &mut Copies) -> Result<Option<Moment>, SqliteError> {
        let live = Beneath::of(self.source, self.database);
        let source = match Source::lock(live, self.patience, self.interrupt) {
            Err(SqliteError::Replaced) => return Ok(None),
            other => other?,
        };
        let began = Instant::now();
        let found = (self.look)()?;
        if !self.is_quiet(&found) || !self.renew(&found, copies)? {
            source.close()?;
            return Ok(None);
        }
        let view = match View::of(source, live, self.to, self.interrupt) {
            Err(SqliteError::Replaced) => return Ok(None),
            other => other?,
        };
        let expected = view.expected()?;
        let read = view.read(self.interrupt);
        let still = self.is_still(&found)?;
        let closed = view.end();
        let held = began.elapsed();
        read?;
        let copy = match closed {
            // Somebody opened one that was at rest, and may have written.
            Err(SqliteError::Changed) => None,
            other => Some(other?),
        };
        let copy = copy.filter(|_| still);
        let Some(copy) = copy else {
            std::fs::remove_file(self.to).map_err(SqliteError::Unwritable)?;
            return Ok(None);
        };
        let files = found.iter().filter(|found| self.is_copied(found));
        let files = files
            .filter_map(|found| Some((found.path.clone(), copies.get(&found.path)?.1.clone())))
            .collect();
        Ok(Some(Moment {
            copy,
            expected,
            found,
            files,
            held,
        }))
    }

    /// Copies what has changed since it was copied; false where something would not stand still.
    fn renew(&self, found: &[Found], copies: &mut Copies) -> Result<bool, SqliteError> {
        let mut all = true;
        for file in found.iter().filter(|found| self.is_copied(found)) {
            self.interrupt.check()?;
            let known = copies.get(&file.path);
            if known.is_some_and(|(version, _)| *version == file.version) {
                continue;
            }
            let to = (self.next_file)();
            let live = Beneath::of(self.source, &file.path);
            match duplicate::copy(live, &to, self.interrupt) {
                Ok(Duplicate::Made(metadata)) => {
                    let version = Version::of(&metadata);
                    all &= version == file.version;
                    copies.insert(file.path.clone(), (version, to));
                }
                Ok(_) => all = false,
                Err(Failed::Reading(error)) => {
                    return Err(SqliteError::Beside(live.place(), error));
                }
                Err(failed) => return Err(failed.into()),
            }
        }
        Ok(all)
    }

    /// Whether nothing was being written just now: then the app also had the time to note in the
    /// database what it had saved.
    fn is_quiet(&self, found: &[Found]) -> bool {
        let now = Timestamp::now();
        let mut files = found.iter().filter(|found| self.is_copied(found));
        files.all(|file| now.duration_since(file.attributes.mtime).abs() >= QUIET)
    }

    fn is_still(&self, before: &[Found]) -> Result<bool, SqliteError> {
        let of = |found: &[Found]| -> Vec<(RelPath, Version)> {
            let files = found.iter().filter(|found| self.is_copied(found));
            files
                .map(|found| (found.path.clone(), found.version))
                .collect()
        };
        Ok(of(&(self.look)()?) == of(before))
    }

    fn is_copied(&self, found: &Found) -> bool {
        found.kind == FoundKind::File && (self.belongs)(&found.path)
    }
}
