//! The manifests of those that would stay: what is damaged takes nobody's place, so that the newest which can be
//! restored always stays.

use std::collections::HashSet;

use copal_core::retention::{Candidate, keep};
use copal_core::snapshot::SnapshotId;

use super::{PruneError, Pruning, Rules};
use crate::step::snapshots::Inventory;

impl Pruning<'_> {
    /// Reads them, as long as another would go.
    pub(super) fn read_staying(
        &mut self,
        inventory: &mut Inventory,
        rules: Rules<'_>,
    ) -> Result<(), PruneError> {
        let mut read = HashSet::new();
        loop {
            let verdicts = keep(rules.policy, &inventory.sealed, rules.now, rules.zone);
            let staying: HashSet<SnapshotId> = verdicts.staying().collect();
            if staying.len() == verdicts.all().len() {
                return Ok(());
            }
            let is_unread = |one: &&Candidate| {
                staying.contains(&one.id) && !one.damaged && !read.contains(&one.id)
            };
            let unread = inventory.sealed.iter().rev().filter(is_unread);
            let unread: Vec<SnapshotId> = unread.map(|one| one.id).collect();
            if unread.is_empty() {
                return Ok(());
            }
            // Others come to stay in the place of those that can't be read.
            for (id, source) in self.store.unreadable(&unread)? {
                let one = inventory.sealed.iter_mut().find(|one| one.id == id);
                one.expect("it was there").damaged = true;
                self.damaged(id, source);
            }
            read.extend(unread);
        }
    }
}
