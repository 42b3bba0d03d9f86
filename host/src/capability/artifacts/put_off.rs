//! Copies of databases that are finished when the app goes on: its pause is not to grow with them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use copal_core::path::RelPath;

use super::Artifacts;
use crate::capability::sqlite::{Copy, SqliteError, View};
use crate::edge::interrupt::Interrupt;

/// What is left to be done.
pub(in crate::capability) enum PutOff {
    /// The moment is held by a transaction, and nothing is copied.
    View(Box<View>),
    /// It is copied, and not checked.
    Copy(Copy),
    /// It could not be finished; why. What there is of it is no copy.
    Broken(String),
}

/// A copy that could not be finished.
#[derive(Debug, thiserror::Error)]
#[error("the copy of the database `{database}` could not be finished: {source}")]
pub struct NotFinished {
    /// Which.
    pub database: RelPath,
    /// Why not.
    pub source: SqliteError,
}

#[derive(Default)]
pub(super) struct List {
    left: Mutex<Vec<(RelPath, PutOff)>>,
    /// Set where a transaction can't be relied on to last.
    at_once: AtomicBool,
}

impl std::fmt::Debug for List {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("what is put off")
    }
}

impl PutOff {
    fn finish(self, interrupt: &Interrupt) -> Result<(), SqliteError> {
        let copy = match self {
            Self::View(view) => view.copy(interrupt)?,
            Self::Copy(copy) => copy,
            Self::Broken(why) => return Err(SqliteError::Damaged(why)),
        };
        copy.check(interrupt).map(drop)
    }
}

impl Artifacts {
    /// Puts off what is left to be done for the copy of a database.
    pub(in crate::capability) fn put_off(&self, database: &RelPath, left: PutOff) {
        self.left().push((database.clone(), left));
    }

    /// Whether moments stand by transactions, which may lock their databases.
    pub fn has_views(&self) -> bool {
        let mut left = self.left();
        left.iter_mut()
            .any(|(_, left)| matches!(left, PutOff::View(_)))
    }

    /// Whether a copy may be put off.
    pub(in crate::capability) fn may_put_off(&self) -> bool {
        !self.left.at_once.load(Ordering::Relaxed)
    }

    /// From now on copies are finished as they are made, and those that were put off are finished now:
    /// what is about to read the live files in this process ends the locks of transactions on them when
    /// it closes them (POSIX).
    pub(in crate::capability) fn finish_all_at_once(
        &self,
        interrupt: &Interrupt,
    ) -> Result<(), NotFinished> {
        self.left.at_once.store(true, Ordering::Relaxed);
        self.finish(interrupt)
    }

    /// Asks the moment that a copy will be of, where it is still held.
    pub(in crate::capability) fn of_view<T>(
        &self,
        database: &RelPath,
        ask: impl FnOnce(&mut View) -> T,
    ) -> Option<T> {
        let mut list = self.left();
        let mut views = list.iter_mut().filter_map(|(other, left)| match left {
            PutOff::View(view) if other == database => Some(view),
            PutOff::View(_) | PutOff::Copy(_) | PutOff::Broken(_) => None,
        });
        views.next().map(|view| ask(view))
    }

    /// Finishes one copy now, if it is not: somebody wants to read it.
    pub(in crate::capability) fn finish_one(
        &self,
        database: &RelPath,
        interrupt: &Interrupt,
    ) -> Result<(), SqliteError> {
        let left = {
            let mut list = self.left();
            let at = list.iter().position(|(other, _)| other == database);
            at.map(|at| list.remove(at).1)
        };
        let finished = left.map_or(Ok(()), |left| left.finish(interrupt));
        if let Err(error) = &finished {
            // Whoever asked may do without; the snapshot may not.
            self.put_off(database, PutOff::Broken(error.to_string()));
        }
        finished
    }

    /// Copies what is held by transactions that read this file (device and inode), by whatever name: opening
    /// and closing it again would end their locks.
    pub(in crate::capability) fn end_views_of_file(
        &self,
        file: (u64, u64),
        interrupt: &Interrupt,
    ) -> Result<(), NotFinished> {
        let reads = |left: &PutOff| matches!(left, PutOff::View(view) if view.file() == file);
        let left = self
            .left()
            .extract_if(.., |(_, left)| reads(left))
            .collect();
        self.end_views_of(left, interrupt)
    }

    /// Copies what is held by transactions alone, and ends those: until then the app's logs grow.
    pub fn end_views(&self, interrupt: &Interrupt) -> Result<(), NotFinished> {
        self.end_views_of(self.take_all(), interrupt)
    }

    fn end_views_of(
        &self,
        all: Vec<(RelPath, PutOff)>,
        interrupt: &Interrupt,
    ) -> Result<(), NotFinished> {
        self.each(all, |left| match left {
            PutOff::View(view) => Ok(Some(PutOff::Copy(view.copy(interrupt)?))),
            other => Ok(Some(other)),
        })
    }

    /// Finishes all copies, now that the app goes on. The first that fails ends it.
    pub fn finish(&self, interrupt: &Interrupt) -> Result<(), NotFinished> {
        self.each(self.take_all(), |left| {
            left.finish(interrupt).map(|()| None)
        })
    }

    /// Does this for each, and puts off what is left of it then. After the first that fails nothing is done:
    /// what there is of that one is no copy, whoever asks next.
    fn each(
        &self,
        all: Vec<(RelPath, PutOff)>,
        deed: impl Fn(PutOff) -> Result<Option<PutOff>, SqliteError>,
    ) -> Result<(), NotFinished> {
        let mut failed = None;
        for (database, left) in all {
            let left = match (&failed, left) {
                (Some(_), left) => Some(left),
                (None, left) => deed(left).unwrap_or_else(|source| {
                    let broken = PutOff::Broken(source.to_string());
                    let database = database.clone();
                    failed = Some(NotFinished { database, source });
                    Some(broken)
                }),
            };
            if let Some(left) = left {
                self.put_off(&database, left);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn take_all(&self) -> Vec<(RelPath, PutOff)> {
        std::mem::take(&mut *self.left())
    }

    fn left(&self) -> MutexGuard<'_, Vec<(RelPath, PutOff)>> {
        let list = self.left.left.lock();
        list.expect("no holder of this lock panics")
    }
}
