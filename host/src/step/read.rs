//! Read: the checksum of every staged file, after the app goes on: this takes as long as it takes.

use std::sync::Mutex;
use std::thread;

use copal_core::path::RelPath;
use copal_core::units::ByteCount;

use super::resume::Resumed;
use super::stage::{StageError, Staged};
use super::take::StagedFile;
use crate::edge::hash::Wanted;
use crate::edge::interrupt::Interrupt;

/// Everything that belongs to the snapshot, with its checksums.
#[derive(Debug)]
pub struct Read {
    /// What was staged; its files have been read.
    pub staged: Staged,
    /// The files, sorted by path.
    pub files: Vec<StagedFile>,
}

/// How files are read.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// Databases that the owner lets be copied live.
    pub live_allowed: &'a (dyn Fn(&RelPath) -> bool + Sync),
    /// Checksums that the destinations' remotes keep.
    pub wanted: Wanted,
    /// Asks for an end.
    pub interrupt: &'a Interrupt,
}

/// Reads everything that was staged, now that the app goes on.
pub fn read(resumed: Resumed, by: Reading<'_>) -> Result<Read, StageError> {
    resumed.staged.read(by)
}

impl Staged {
    /// On every core: reading and hashing is all the work there is.
    pub(super) fn read(mut self, by: Reading<'_>) -> Result<Read, StageError> {
        self.made.finish(by.interrupt)?;
        let unread = Mutex::new(std::mem::take(&mut self.files).into_iter());
        let next = || unread.lock().expect("no holder of this lock panics").next();
        let work = || {
            let mut taken = Vec::new();
            while let Some(file) = next() {
                by.interrupt.check()?;
                taken.extend(self.take(file, by)?);
            }
            Ok(taken)
        };
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let parts: Result<Vec<Vec<StagedFile>>, StageError> = thread::scope(|scope| {
            let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
            let workers = workers.into_iter();
            workers
                .map(|worker| worker.join().expect("reading does not panic"))
                .collect()
        });
        let mut files: Vec<StagedFile> = parts?.into_iter().flatten().collect();
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        let staged = self;
        Ok(Read { staged, files })
    }
}

impl Read {
    /// Sum of the files' sizes.
    pub fn bytes(&self) -> ByteCount {
        self.files.iter().map(|file| file.digests.size).sum()
    }
}
