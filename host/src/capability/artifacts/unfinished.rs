//! Copies of databases that are finished when the app goes on: its pause is not to grow with them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use copal_core::path::RelPath;

use super::Artifacts;
use crate::capability::sqlite::{Copy, SqliteError, View};
use crate::edge::interrupt::Interrupt;

/// What is left to be done.
pub(in crate::capability) enum Unfinished {
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
    left: Mutex<Vec<(RelPath, Unfinished)>>,
    /// Set where a transaction can't be relied on to last.
    at_once: AtomicBool,
}

impl std::fmt::Debug for List {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("unfinished")
    }
}

impl Unfinished {
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
    pub(in crate::capability) fn put_off(&self, database: &RelPath, left: Unfinished) {
        let mut list = self
            .unfinished
            .left
            .lock()
            .expect("no holder of this lock panics");
        list.push((database.clone(), left));
    }

    /// Whether a copy may be put off.
    pub(in crate::capability) fn may_put_off(&self) -> bool {
        !self.unfinished.at_once.load(Ordering::Relaxed)
    }

    /// From now on copies are finished as they are made, and those that were put off are finished now:
    /// what is about to read the live files in this process ends the locks of transactions on them when
    /// it closes them (POSIX).
    pub(in crate::capability) fn finish_all_at_once(
        &self,
        interrupt: &Interrupt,
    ) -> Result<(), NotFinished> {
        self.unfinished.at_once.store(true, Ordering::Relaxed);
        self.finish(interrupt)
    }

    /// Asks the moment that a copy will be of, where it is still held.
    pub(in crate::capability) fn of_view<T>(
        &self,
        database: &RelPath,
        ask: impl FnOnce(&mut View) -> T,
    ) -> Option<T> {
        let mut list = self
            .unfinished
            .left
            .lock()
            .expect("no holder of this lock panics");
        let mut views = list.iter_mut().filter_map(|(other, left)| match left {
            Unfinished::View(view) if other == database => Some(view),
            Unfinished::View(_) | Unfinished::Copy(_) | Unfinished::Broken(_) => None,
        });
        views.next().map(|view| ask(view))
    }

    /// Finishes one copy now, if it is not: somebody wants to read it.
    pub(in crate::capability) fn finish_one(
        &self,
        database: &RelPath,
        interrupt: &Interrupt,
    ) -> Result<(), SqliteError> {
        let mut list = self
            .unfinished
            .left
            .lock()
            .expect("no holder of this lock panics");
        let at = list.iter().position(|(other, _)| other == database);
        let left = at.map(|at| list.remove(at).1);
        drop(list);
        let finished = left.map_or(Ok(()), |left| left.finish(interrupt));
        if let Err(error) = &finished {
            // Whoever asked may do without; the snapshot may not.
            self.put_off(database, Unfinished::Broken(error.to_string()));
        }
        finished
    }

    /// Finishes all copies, now that the app goes on. The first that fails ends it.
    pub fn finish(&self, interrupt: &Interrupt) -> Result<(), NotFinished> {
        let mut list = self
            .unfinished
            .left
            .lock()
            .expect("no holder of this lock panics");
        let all = std::mem::take(&mut *list);
        drop(list);
        for (database, left) in all {
            left.finish(interrupt)
                .map_err(|source| NotFinished { database, source })?;
        }
        Ok(())
    }
}
