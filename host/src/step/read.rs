//! Read: the checksum of every staged file, after the app goes on: this takes as long as it takes.

use std::sync::Mutex;

use copal_core::path::RelPath;
use copal_core::units::ByteCount;

use super::cores::on_every_core;
use super::files::StagedFile;
use super::resume::{Bracketed, Lasted};
use super::stage::{StageError, Staged};
use crate::edge::hash::Wanted;
use crate::edge::interrupt::Interrupt;
use crate::holds::{Holds, HoldsError};

/// Everything that belongs to the snapshot, with its checksums.
#[derive(Debug)]
pub struct Read {
    /// What was staged; its files have been read.
    pub staged: Staged,
    /// The files, sorted by path.
    pub files: Vec<StagedFile>,
    /// What is held until all is delivered.
    held: Option<Holds>,
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

/// Reads everything that was staged, now that the app goes on, or is held until it is delivered.
pub fn read(bracketed: Bracketed, by: Reading<'_>) -> Result<Read, StageError> {
    let (staged, held) = match bracketed {
        Bracketed::Released(staged) => (staged, None),
        Bracketed::Held(staged, holds) => (staged, Some(holds)),
    };
    let read = staged.read(by)?;
    Ok(Read { held, ..read })
}

impl Staged {
    /// On every core: reading and hashing is all the work there is.
    pub(super) fn read(mut self, by: Reading<'_>) -> Result<Read, StageError> {
        self.made.finish(by.interrupt)?;
        let unread = std::mem::take(&mut self.files);
        let gone = Mutex::new(std::mem::take(&mut self.vanished));
        let mut files = on_every_core(unread, 1, |file| {
            by.interrupt.check()?;
            let taken = self.take(&file, by)?;
            if taken.is_none() {
                gone.lock()
                    .expect("no holder of this lock panics")
                    .push(file.path);
            }
            Ok::<_, StageError>(taken)
        })?;
        let mut vanished = gone.into_inner().expect("no holder of this lock panics");
        vanished.sort_unstable();
        if !vanished.is_empty() {
            self.tops.check()?;
        }
        self.vanished = vanished;
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        let staged = self;
        let held = None;
        Ok(Read {
            staged,
            files,
            held,
        })
    }
}

impl Read {
    /// Proof that it is of one moment, as far as that was to be.
    pub fn lasted(&self) -> Result<Lasted, HoldsError> {
        Lasted::until_now(self.held.as_ref())
    }

    /// Sum of the files' sizes.
    pub fn bytes(&self) -> ByteCount {
        self.files.iter().map(|file| file.digests.size).sum()
    }
}
