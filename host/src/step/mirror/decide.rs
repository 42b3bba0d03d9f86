//! What becomes of a mirror's surplus: decided when all has arrived and before the manifest is written, done
//! after it.

use std::collections::HashMap;

use copal_core::manifest::Manifest;
use copal_core::mirror::{Bound, Deletions, Mirror, Past, Refused};

use super::MirrorError;
use super::origin::{Origin, Present};
use super::surplus::Left;
use crate::edge::interrupt::Interrupt;
use crate::edge::remote::{Remote, RemoteError};
use crate::error::CopalError;
use crate::hooks::Hooks;
use crate::outcome::Mirrored;
use crate::step::stage::{StageError, Staged};
use crate::step::transfer::Transferred;

/// With what it is decided and deleted.
pub struct Deleting<'a> {
    /// The destination.
    pub remote: &'a dyn Remote,
    /// The mirror.
    pub mirror: &'a Mirror,
    /// What its last run wrote down.
    pub last: Option<&'a Manifest>,
    /// The filters: what they leave out stays.
    pub hooks: &'a Hooks,
    /// Whether the owner said that files may be gone.
    pub accept_missing: bool,
    /// Whether it can't be told what the mirror was at its last run: then nothing is deleted but logs of databases, and that the
    /// manifest is damaged is told already.
    pub is_unlisted: bool,
    /// Asks for an end.
    pub interrupt: &'a Interrupt,
}

/// What goes of a mirror, or why nothing does.
#[derive(Debug, Default)]
pub struct Decided {
    deletions: Deletions,
    /// What each of these is of.
    origins: HashMap<String, Origin>,
    /// How many files stay that the source does not have.
    kept: u64,
    why_kept: Option<CopalError>,
    /// How many were deleted already, as they were in the way.
    cleared: u64,
    /// For the manifest, where nothing may be deleted of what there is to delete: how many files there were
    /// when that was so for the first time.
    pub there_when_refused: Option<u64>,
    /// For the manifest: that no run knows whether what is kept belongs to the mirror.
    pub unaccounted: bool,
}

impl Deleting<'_> {
    /// Whether a share is one of all that is there and in the source: where a run was refused, the number of
    /// then keeps what was sent since from counting, and what the source has again counts.
    pub(super) fn counts_all(&self) -> bool {
        let last = self.last;
        last.is_some_and(|last| last.there_when_refused.is_some())
    }

    fn past(&self) -> Past {
        match self.last {
            _ if self.is_unlisted => Past::Lost,
            None => Past::None,
            Some(last) if last.unaccounted => Past::Lost,
            Some(_) => Past::Known,
        }
    }

    /// That nothing goes.
    pub(super) fn kept(&self, source: Refused) -> CopalError {
        let place = self.remote.shown();
        MirrorError::Kept { place, source }.into()
    }

    pub(super) fn bound(&self) -> Bound {
        if self.accept_missing {
            return self.unaccepted().accepting_missing();
        }
        self.unaccepted()
    }

    fn unaccepted(&self) -> Bound {
        Bound {
            most: self.mirror.max_delete,
            there_when_refused: self.last.and_then(|last| last.there_when_refused),
            past: self.past(),
        }
    }
}

impl Transferred<'_> {
    /// Decides what goes when the manifest is written. Nothing does that came or changed there while the run
    /// went on.
    pub(in crate::step) fn decide(&self, by: &Deleting<'_>) -> Decided {
        let left = self.left(by, |name| self.besides.contains(name));
        Decided {
            cleared: self.cleared,
            ..left.map(|left| left.decide(by)).unwrap_or_default()
        }
    }
}

impl Left {
    fn decide(self, by: &Deleting<'_>) -> Decided {
        let bound = by.bound();
        let kept = |kept: u64, then: u64, why: Option<CopalError>| Decided {
            kept,
            why_kept: why,
            there_when_refused: (kept > 0).then_some(then),
            unaccounted: kept > 0 && by.unaccepted().is_blind(),
            ..Decided::default()
        };
        let surplus = match self.without_filtered(by) {
            Ok(surplus) => surplus,
            Err(failed) => {
                let why = StageError::from(failed).into();
                let then = self.surplus.there_when_untold(bound);
                return kept(self.surplus.count(), then, Some(why));
            }
        };
        let (count, then) = (surplus.count(), surplus.there_when_refused(bound));
        let logs = surplus.logs();
        let stays = count - logs.names().len() as u64;
        let (deletions, kept) = match surplus.bounded(bound) {
            Err(refused @ Refused::Copals(_)) => {
                let why = (!by.is_unlisted).then(|| by.kept(refused));
                (Deletions::default(), kept(count, then, why))
            }
            _ if by.is_unlisted => (logs, kept(stays, then, None)),
            Ok(deletions) => (deletions, Decided::default()),
            Err(refused) => (logs, kept(stays, then, Some(by.kept(refused)))),
        };
        Decided {
            deletions,
            origins: self.origins,
            ..kept
        }
    }
}

impl Decided {
    /// Deletes what the source does not have, as far as that was allowed. Everything else has arrived before:
    /// whatever fails here leaves too much there, and is told. What the source has again by now stays.
    pub fn delete(mut self, by: &Deleting<'_>, staged: &Staged) -> (Mirrored, Option<CopalError>) {
        let mut mirrored = Mirrored {
            deleted: self.cleared,
            surplus: self.kept,
            ..Mirrored::default()
        };
        let present = Present::of(staged);
        let origins = &self.origins;
        let is_back = |name: &str| origins.get(name).is_some_and(|it| present.has(&it.path));
        self.deletions.retain(|name| !is_back(name));
        let (names, kept) = (self.deletions.names(), self.kept);
        for (at, name) in names.iter().enumerate() {
            let deleted = by.interrupt.check().map_err(RemoteError::from);
            if let Err(source) = deleted.and_then(|()| by.remote.delete(name)) {
                let left = kept + (names.len() - at) as u64;
                mirrored.surplus = left;
                let error = MirrorError::NotDeleted {
                    place: by.remote.shown(),
                    left,
                    source: Box::new(source),
                };
                return (mirrored, Some(error.into()));
            }
            mirrored.deleted += 1;
        }
        (mirrored, self.why_kept)
    }
}
