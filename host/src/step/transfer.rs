//! Transfer: everything staged goes up, and what moved under the transfer goes up again.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use copal_core::config::Proof;
use copal_core::manifest::{Entry, Manifest, Totals};
use copal_core::path::RelPath;
use copal_core::units::ByteCount;

use super::batches::Batches;
use super::compare::{Difference, list_some};
use super::files::{Content, StagedFile};
use super::mirror::{Deleting, MirrorError, Origin};
use super::place::Place;
use super::prove::Prover;
use super::read::Read;
use super::reuse::Reused;
use super::stage::StageError;
use crate::edge::hash::Wanted;
use crate::edge::interrupt::{Interrupt, Interrupted};
use crate::edge::remote::{Abilities, Listed, Progress, Remote, RemoteError};
use crate::edge::walk::Found;

/// A snapshot or mirror whose files are all at the destination, each with the expected size (and hash, where
/// the remote tells it without reading the file back). Not sealed yet, so not a snapshot yet.
#[derive(Debug)]
pub struct Transferred<'a> {
    /// What was staged and read.
    pub read: &'a Read,
    /// Directories and links, as they stood when the transfer ended.
    pub others: Vec<Entry>,
    /// The files that arrived.
    pub files: Vec<StagedFile>,
    /// Where they lie at the destination.
    pub place: Place<'a>,
    /// What a mirror had before anything was sent.
    pub(super) before: Vec<Listed>,
    /// What each file is of that a mirror's last run wrote down, by its name there.
    pub(super) written: HashMap<String, Origin>,
    /// The names of what it has besides, as it was before, when all has arrived.
    pub(super) besides: HashSet<String>,
    /// How many files of a mirror were deleted, as they were in the way of others.
    pub(super) cleared: u64,
    /// Files that the app deleted while the run went on: they are in no snapshot.
    pub vanished: Vec<RelPath>,
    /// Files that changed under the transfer and were sent again from a private copy.
    pub moved: Vec<RelPath>,
    /// Live files that were gone when they were to be sent.
    pub(super) missed: Vec<RelPath>,
    /// Files that the remote copied from the last snapshot, or that a mirror has already.
    pub reused: Reused,
    /// What was uploaded, those that had to be sent again as often as they were.
    pub sent: Totals,
}

impl Transferred<'_> {
    /// Files that were written to although they were frozen by links: these are of a later moment.
    pub fn outrun(&self) -> Vec<RelPath> {
        let files = self.files.iter().filter(|file| file.outran);
        files.map(|file| file.path.clone()).collect()
    }
}

/// Why the transfer failed.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The remote, or the way to it.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// A file that had to be copied again can't be.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// rclone reported success, and the remote lists something else.
    #[error("the remote does not hold what was sent: {}", list_some(.0))]
    Mismatch(Vec<Difference>),
    /// The owner lets less be uploaded.
    #[error("{needed} have to be uploaded, and `max_transfer` is {allowed}")]
    TooMuch {
        /// What is to be sent, with what was sent already.
        needed: ByteCount,
        /// What may be.
        allowed: ByteCount,
    },
    /// The mirror can't follow the source.
    #[error(transparent)]
    Mirror(Box<MirrorError>),
    /// A signal came.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

fn within(allowed: Option<ByteCount>, needed: ByteCount) -> Result<ByteCount, TransferError> {
    match allowed {
        Some(allowed) if needed > allowed => Err(TransferError::TooMuch { needed, allowed }),
        Some(_) | None => Ok(needed),
    }
}

/// What the transfer needs beside what was staged.
pub struct Transfer<'a> {
    /// The destination.
    pub remote: &'a dyn Remote,
    /// What it can do.
    pub abilities: &'a Abilities,
    /// Checksums that the destinations' remotes keep.
    pub wanted: Wanted,
    /// How it is proven that it has what was sent.
    pub proof: Proof,
    /// The most that may be uploaded.
    pub max_transfer: Option<ByteCount>,
    /// The last snapshot at the destination: what did not change since need not be sent.
    pub last: Option<&'a Manifest>,
    /// How it is decided what a mirror loses, where it is one.
    pub deleting: Option<&'a Deleting<'a>>,
    /// Walks the source again: for files that came while others went.
    pub walk_again: &'a mut dyn FnMut() -> Result<Vec<Found>, StageError>,
    /// Told how far it has come.
    pub watch: &'a mut dyn FnMut(Progress),
    /// Asks for an end.
    pub interrupt: &'a Interrupt,
}

impl Transfer<'_> {
    pub(super) fn prover(&self) -> Prover<'_> {
        Prover {
            remote: self.remote,
            abilities: self.abilities,
            proof: self.proof,
            interrupt: self.interrupt,
        }
    }
}

/// Uploads everything, and proves by the remote's listing that it is there.
pub fn transfer<'a>(
    read: &'a Read,
    place: Place<'a>,
    mut by: Transfer<'_>,
) -> Result<Transferred<'a>, TransferError> {
    let (others, files) = (read.staged.others.iter(), read.files.iter());
    let mut done = Transferred {
        read,
        others: others.filter(|it| place.takes_other(it)).cloned().collect(),
        files: files
            .filter(|it| place.takes(&it.path, it.taken))
            .cloned()
            .collect(),
        place,
        before: Vec::new(),
        written: HashMap::new(),
        besides: HashSet::new(),
        cleared: 0,
        vanished: read.staged.vanished.clone(),
        moved: Vec::new(),
        missed: Vec::new(),
        reused: Reused::default(),
        sent: Totals::default(),
    };
    done.reuse(&mut by)?;
    let mut sent = done.send(&mut by, |_| true, false);
    let mut last_seen = Vec::new();
    let mut rounds = 0;
    while rounds < ROUNDS {
        let mut changed = done.changed_since_staging()?;
        changed.append(&mut done.missed);
        if changed.is_empty() {
            // An error with nothing changed is the remote's, and final.
            std::mem::replace(&mut sent, Ok(()))?;
            done.forget_what_came_back();
            done.remove_vanished(&by)?;
            let differences = done.differences(&by)?;
            let spoiled = done.reused.spoiled(&differences);
            done.reused.note_damaged(&spoiled);
            if !spoiled.is_empty() {
                let is_spoiled = |file: &StagedFile| spoiled.contains(&*place.name(file));
                sent = done.send(&mut by, is_spoiled, true);
                continue;
            }
            changed = done.changed_in_silence(&differences);
            if changed.len() < differences.len() {
                return Err(TransferError::Mismatch(differences));
            }
            if differences.is_empty() {
                changed = done.changed_in_parts(&by)?;
                if changed.is_empty() {
                    return Ok(done);
                }
            }
            last_seen = differences;
        }
        // rclone refuses a file that changes while it is read: the next round sends a private copy.
        by.interrupt.check()?;
        // A link is outrun once, and has a private copy from then on: that comes to an end by itself.
        if !done.is_any_linked(&changed) {
            rounds += 1;
        }
        let settled = done.settle(changed, &mut by)?;
        if sent.is_err() {
            sent = done.send(&mut by, |file| !settled.contains(&file.path), false);
        }
        sent = sent.and(done.send(&mut by, |file| settled.contains(&file.path), true));
    }
    let moving = done.changed_since_staging()?.into_iter().next();
    Err(match moving {
        Some(path) => StageError::NeverStill(path).into(),
        None => TransferError::Mismatch(last_seen),
    })
}

/// Each round sends private copies of what the last one saw change, so that little is left to move.
const ROUNDS: usize = 6;

impl Transferred<'_> {
    /// Sends those of `which` that the remote did not copy; with `again` also those.
    fn send(
        &mut self,
        by: &mut Transfer<'_>,
        which: impl Fn(&StagedFile) -> bool,
        again: bool,
    ) -> Result<(), TransferError> {
        by.interrupt.check()?;
        let asked = |file: &StagedFile| file.content != Content::Sent && which(file);
        if again {
            for file in self.files.iter().filter(|file| asked(file)) {
                let name = self.place.name(file);
                if self.reused.forget(&name) {
                    by.remote.delete(&self.place.below(&name))?;
                }
            }
        }
        let to_send: Vec<usize> = (0..self.files.len())
            .filter(|&index| asked(&self.files[index]) && !self.has(&self.files[index]))
            .collect();
        let bytes = to_send.iter().map(|&index| self.files[index].digests.size);
        self.sent = Totals {
            files: self.sent.files + to_send.len() as u64,
            bytes: within(by.max_transfer, self.sent.bytes + bytes.sum::<ByteCount>())?,
        };
        let is_unproven = |index: &usize| {
            let is_live = matches!(self.files[*index].content, Content::Live(_));
            is_live && !by.abilities.tells_hashes()
        };
        let (unproven, proven): (Vec<_>, Vec<_>) = to_send.into_iter().partition(is_unproven);
        self.upload(by, &proven, again, Progress::default())?;
        let bytes = proven.iter().map(|&index| self.files[index].digests.size);
        let sent = Progress {
            files: proven.len() as u64,
            bytes: bytes.sum(),
            bytes_per_second: 0.0,
        };
        self.send_copies(by, unproven, (again, sent))
    }

    /// Uploads these files, after so many others.
    pub(super) fn upload(
        &self,
        by: &mut Transfer<'_>,
        files: &[usize],
        again: bool,
        before: Progress,
    ) -> Result<(), TransferError> {
        by.interrupt.check()?;
        let there: HashSet<&str> = self.before.iter().map(|it| it.path.as_str()).collect();
        let files = files.iter().map(|&index| {
            let file = &self.files[index];
            (file, again || there.contains(&*self.place.name(file)))
        });
        let batches = Batches::of(&self.read.staged, self.place, files);
        let before = self.copied_so_far() + before;
        let watch = &mut |done: Progress| (by.watch)(before + done);
        Ok(by.remote.upload(&batches.all(), watch)?)
    }

    /// Where the run's own files lie on this machine until they are sealed.
    pub fn seal_dir(&self) -> PathBuf {
        self.read.staged.staging.seal()
    }
}
