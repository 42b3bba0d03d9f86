//! The manifests of those that would stay: what is damaged takes nobody's place, so that the newest which can be
//! restored always stays.

use std::collections::{HashMap, HashSet};

use copal_core::retention::{Candidate, keep};
use copal_core::snapshot::SnapshotId;
use copal_core::units::ByteCount;

use super::{PruneError, Pruning, Rules, Warrant};
use crate::step::snapshots::{Inventory, Store};

/// So much of the manifests that stay is read after a seal where they have to be fetched, from the newest on.
const AFTER_A_SEAL: ByteCount = ByteCount::mebibytes(64);

/// Which manifests were read, and how much more may be; of all of them where nothing bounds it.
#[derive(Default)]
pub(super) struct Reading {
    read: HashSet<SnapshotId>,
    left: Option<ByteCount>,
}

impl Reading {
    /// What is read before anything goes by this right.
    pub(super) fn by(warrant: Warrant<'_>, store: &Store<'_>) -> Result<Self, PruneError> {
        Ok(match warrant {
            // What was just sealed, this run wrote. All others may be gigabytes, night after night.
            Warrant::Sealed(seal) => Self {
                read: HashSet::from([seal.id()]),
                left: (!store.is_in_folder()?).then_some(AFTER_A_SEAL),
            },
            Warrant::Locked(_) | Warrant::None => Self::default(),
        })
    }

    /// Those of them that are to be read.
    fn take(
        &mut self,
        newest_first: Vec<SnapshotId>,
        sizes: &HashMap<SnapshotId, ByteCount>,
    ) -> Vec<SnapshotId> {
        self.read.extend(&newest_first);
        let size = |id: &SnapshotId| sizes.get(id).map_or(0, |size| size.0);
        let fits = |id: &SnapshotId| match &mut self.left {
            None => true,
            Some(left) => {
                let rest = left.0.checked_sub(size(id));
                *left = ByteCount(rest.unwrap_or(0));
                rest.is_some()
            }
        };
        newest_first.into_iter().filter(fits).collect()
    }
}

impl Pruning<'_> {
    /// Reads the manifests of those that would stay where another goes: what is damaged takes nobody's place,
    /// so that the newest which can be restored always stays.
    pub(super) fn read_staying(
        &mut self,
        inventory: &mut Inventory,
        rules: Rules<'_>,
        mut reading: Reading,
    ) -> Result<(), PruneError> {
        loop {
            let verdicts = keep(rules.policy, &inventory.sealed, rules.now, rules.zone);
            let staying: HashSet<SnapshotId> = verdicts.staying().collect();
            if staying.len() == verdicts.all().len() {
                return Ok(());
            }
            let is_unread = |one: &&Candidate| {
                staying.contains(&one.id) && !one.damaged && !reading.read.contains(&one.id)
            };
            let unread = inventory.sealed.iter().rev().filter(is_unread);
            let unread: Vec<SnapshotId> = unread.map(|one| one.id).collect();
            let unread = reading.take(unread, &inventory.manifests);
            if unread.is_empty() {
                return Ok(());
            }
            // Others come to stay in the place of those that can't be read.
            for (id, source) in self.store.unreadable(&unread)? {
                let one = inventory.sealed.iter_mut().find(|one| one.id == id);
                one.expect("it was there").damaged = true;
                self.damaged(id, source);
            }
        }
    }
}
