//! Copies of databases that are finished when the app goes on: its pause is not to grow with them.

use std::sync::Mutex;

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
pub(super) struct List(Mutex<Vec<(RelPath, Unfinished)>>);

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
        };
        copy.check(interrupt).map(drop)
    }
}

impl Artifacts {
    /// Puts off what is left to be done for the copy of a database.
    pub(in crate::capability) fn put_off(&self, database: &RelPath, left: Unfinished) {
        let mut list = self
            .unfinished
            .0
            .lock()
            .expect("no holder of this lock panics");
        list.push((database.clone(), left));
    }

    /// Gives an unfinished copy up: another takes its place.
    pub(in crate::capability) fn give_up(&self, database: &RelPath) {
        let mut list = self
            .unfinished
            .0
            .lock()
            .expect("no holder of this lock panics");
        list.retain(|(other, _)| other != database);
    }

    /// Asks the moment that a copy will be of, where it is still held.
    pub(in crate::capability) fn of_view<T>(
        &self,
        database: &RelPath,
        ask: impl FnOnce(&mut View) -> T,
    ) -> Option<T> {
        let mut list = self
            .unfinished
            .0
            .lock()
            .expect("no holder of this lock panics");
        let mut views = list.iter_mut().filter_map(|(other, left)| match left {
            Unfinished::View(view) if other == database => Some(view),
            Unfinished::View(_) | Unfinished::Copy(_) => None,
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
            .0
            .lock()
            .expect("no holder of this lock panics");
        let at = list.iter().position(|(other, _)| other == database);
        let left = at.map(|at| list.remove(at).1);
        drop(list);
        left.map_or(Ok(()), |left| left.finish(interrupt))
    }

    /// Finishes all copies, now that the app goes on. The first that fails ends it.
    pub fn finish(&self, interrupt: &Interrupt) -> Result<(), NotFinished> {
        let mut list = self
            .unfinished
            .0
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
