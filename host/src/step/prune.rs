//! Prune: what no rule keeps is removed, by its manifest; what Copal does not know is never touched.

mod error;
mod pruned;
mod remove;
mod staying;

use copal_core::manifest::PRUNING;
use copal_core::retention::{
    Candidate, LeftOver, Policy, Stays, Verdict, Verdicts, keep, left_over,
};
use copal_core::snapshot::SnapshotId;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::seal::Seal;
use super::snapshots::{Inventory, Store, StoreError};
use crate::edge::interrupt::Interrupt;
use crate::edge::lock::Lock;
use crate::edge::remote::RemoteError;
use remove::{Gone, end_pruning, remove_claimed, remove_sealed};

pub use error::PruneError;
pub use pruned::{Fate, Judged, Left, Pruned};

/// By what right something may be removed.
#[derive(Debug, Clone, Copy)]
pub enum Warrant<'a> {
    /// This run has sealed a snapshot there, and holds the lock.
    Sealed(&'a Seal),
    /// Somebody asked for it, and the lock keeps runs of the job away.
    Locked(&'a Lock),
    /// By none: it is only told what would go.
    None,
}

/// What is asked of a destination's snapshots.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// How many of which are kept.
    pub policy: &'a Policy,
    /// Where hours and days begin.
    pub zone: &'a TimeZone,
    /// The time that it is.
    pub now: Timestamp,
}

/// Judges all snapshots of the store's name, and removes what goes: what was never sealed first, then the
/// oldest. What fails keeps nothing else from going, and is told beside what was done.
pub fn prune(
    store: &Store<'_>,
    rules: Rules<'_>,
    warrant: Warrant<'_>,
    interrupt: &Interrupt,
) -> Result<(Pruned, Vec<PruneError>), PruneError> {
    let may_share = store.remote().abilities().map_err(StoreError::from)?.links;
    let mut inventory = store.inventory()?;
    let mut pruning = Pruning {
        store,
        rehearsed: matches!(warrant, Warrant::None),
        errors: Vec::new(),
    };
    for (id, source) in inventory.odd.drain(..) {
        pruning.damaged(id, source);
    }
    // Elsewhere each is a download, of gigabytes in all perhaps, night after night.
    if store.is_in_folder()? || !matches!(warrant, Warrant::Sealed(_)) {
        pruning.read_staying(&mut inventory, rules)?;
    }
    let verdicts = keep(rules.policy, &inventory.sealed, rules.now, rules.zone);
    if let Warrant::Sealed(seal) = warrant {
        let (place, id) = (store.remote().shown(), seal.id());
        match verdicts.of(id) {
            Some(verdict) if verdict.stays() => {}
            Some(_) => return Err(PruneError::Passed { place, id }),
            None => return Err(PruneError::NotListed { place, id }),
        }
    }
    let left = pruning.left_overs(&inventory, rules.now, interrupt);
    let snapshots = pruning.snapshots(&verdicts, interrupt);
    pruning.spare(&inventory, &snapshots);
    let sound = |one: &Candidate| one.verified && one.is_sound();
    let pruned = Pruned {
        place: store.remote().shown(),
        name: store.name().to_owned(),
        rehearsed: pruning.rehearsed,
        may_share,
        snapshots,
        left,
        any_verified: inventory.sealed.iter().any(sound),
    };
    Ok((pruned, pruning.errors))
}

/// A prune that goes on.
struct Pruning<'a> {
    store: &'a Store<'a>,
    rehearsed: bool,
    errors: Vec<PruneError>,
}

impl Pruning<'_> {
    fn damaged(&mut self, id: SnapshotId, source: StoreError) {
        let (place, dir) = (self.store.remote().shown(), self.store.dir(id));
        let source = Box::new(source);
        self.errors.push(PruneError::Damaged { place, dir, source });
    }

    fn left_overs(
        &mut self,
        inventory: &Inventory,
        now: Timestamp,
        interrupt: &Interrupt,
    ) -> Vec<Left> {
        let mut all = Vec::new();
        for &(id, mark) in &inventory.left {
            let verdict = left_over(id, mark, now);
            let store = self.store;
            let fate = match verdict {
                LeftOver::Young | LeftOver::Unknown => None,
                LeftOver::Finish => self.fate(id, interrupt, || end_pruning(store, id)),
                LeftOver::Remove => self.fate(id, interrupt, || remove_claimed(store, id)),
            };
            all.push(Left { id, verdict, fate });
        }
        all
    }

    /// Newest first, as they were judged; the oldest goes first.
    fn snapshots(&mut self, verdicts: &Verdicts, interrupt: &Interrupt) -> Vec<Judged> {
        let mut all = Vec::new();
        for (id, verdict) in verdicts.all().iter().rev() {
            let (id, mut verdict) = (*id, verdict.clone());
            let fate = if verdict.stays() {
                None
            } else {
                self.snapshot(id, &mut verdict, interrupt)
            };
            all.push(Judged { id, verdict, fate });
        }
        all.reverse();
        all
    }

    /// One that goes, unless a closer look shows that it has to stay.
    fn snapshot(
        &mut self,
        id: SnapshotId,
        verdict: &mut Verdict,
        interrupt: &Interrupt,
    ) -> Option<Fate> {
        if self.rehearsed {
            let read = self.store.manifest(id);
            return match read.map_err(|error| error.of_manifest(id)) {
                Ok(manifest) => Some(Fate::Would(Some(manifest.totals.bytes))),
                Err(error) => self.not_gone(id, error.into(), verdict),
            };
        }
        if let Err(signal) = interrupt.check() {
            return self.not_gone(id, signal.into(), verdict);
        }
        match remove_sealed(self.store, id) {
            Ok(Gone::Removed { bytes, others }) => Some(Fate::Gone { bytes, others }),
            Ok(Gone::Stays) => {
                *verdict = Verdict::Stays(vec![Stays::Pinned]);
                None
            }
            Err(error) => self.not_gone(id, error, verdict),
        }
    }

    fn not_gone(
        &mut self,
        id: SnapshotId,
        error: PruneError,
        verdict: &mut Verdict,
    ) -> Option<Fate> {
        match error {
            PruneError::Store(source @ StoreError::Manifest { .. }) => {
                *verdict = Verdict::Stays(vec![Stays::Damaged]);
                self.damaged(id, source);
                None
            }
            error => {
                self.tell(error);
                Some(Fate::NotGone)
            }
        }
    }

    fn fate(
        &mut self,
        id: SnapshotId,
        interrupt: &Interrupt,
        remove: impl FnOnce() -> Result<Gone, PruneError>,
    ) -> Option<Fate> {
        if self.rehearsed {
            return Some(Fate::Would(None));
        }
        let removed = interrupt.check().map_err(PruneError::from);
        match removed.and_then(|()| remove()) {
            Ok(Gone::Removed { bytes, others }) => Some(Fate::Gone { bytes, others }),
            Ok(Gone::Stays) => None,
            Err(PruneError::Store(source @ StoreError::Manifest { .. })) => {
                self.damaged(id, source);
                Some(Fate::NotGone)
            }
            Err(error) => {
                self.tell(error);
                Some(Fate::NotGone)
            }
        }
    }

    /// A signal is told once, however many it kept from going.
    fn tell(&mut self, error: PruneError) {
        let is_signal = |error: &PruneError| {
            matches!(
                error,
                PruneError::Interrupted(_) | PruneError::Remote(RemoteError::Interrupted(_))
            )
        };
        if !is_signal(&error) || !self.errors.iter().any(is_signal) {
            self.errors.push(error);
        }
    }

    /// Takes the mark of a prune from snapshots that it never came to, and that stay.
    fn spare(&mut self, inventory: &Inventory, snapshots: &[Judged]) {
        if self.rehearsed {
            return;
        }
        for id in &inventory.spared {
            let stays = |one: &Judged| one.id == *id && one.verdict.stays();
            if snapshots.iter().any(stays)
                && let Err(error) = self.store.take_away(*id, PRUNING)
            {
                self.tell(error.into());
            }
        }
    }
}

#[cfg(test)]
#[path = "prune_tests.rs"]
mod tests;
