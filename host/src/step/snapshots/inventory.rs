//! What lies where the snapshots of a name lie, as far as the names of Copal's own files tell. The manifests and the
//! notes beside them are asked for by these names, all of them at once; what has no manifest is listed.

use std::collections::HashMap;

use copal_core::manifest::{
    AFTER_THE_SEAL, CLAIM, DAMAGED, DRILLED, MANIFEST, PIN, PRUNING, VERIFIED,
};
use copal_core::retention::{Candidate, Mark};
use copal_core::snapshot::SnapshotId;

use super::folder::Beside;
use super::{Store, StoreError, has, is_looked_at};
use crate::edge::own::OwnFolder;
use crate::edge::remote::Listed;

/// What lies under the name of a job, as far as the names of Copal's own files tell.
#[derive(Debug, Default)]
pub struct Inventory {
    /// The sealed snapshots, oldest first.
    pub sealed: Vec<Candidate>,
    /// The directories without a manifest, oldest first.
    pub left: Vec<(SnapshotId, Mark)>,
    /// Sealed snapshots that a prune had condemned, and had not begun to remove.
    pub spared: Vec<SnapshotId>,
    /// What stays since nobody can tell what lies under a name of Copal's own there, and why.
    pub odd: Vec<(SnapshotId, StoreError)>,
}

impl Inventory {
    /// Takes in a directory with these files of Copal's own.
    fn take(&mut self, id: SnapshotId, own: &[Listed]) {
        let manifest = own.iter().find(|file| file.path == MANIFEST);
        let Some(manifest) = manifest else {
            let claimed = own.iter().any(|file| file.path.starts_with(CLAIM));
            let mark = match (has(own, PRUNING), claimed) {
                (true, _) => Mark::BeingPruned,
                (false, true) => Mark::Claimed,
                (false, false) => Mark::None,
            };
            self.left.push((id, mark));
            return;
        };
        self.sealed.push(Candidate {
            id,
            pinned: has(own, PIN),
            verified: has(own, VERIFIED),
            drilled: has(own, DRILLED),
            // Whether another can be read, nobody knows who has not read it.
            damaged: manifest.size.0 == 0,
            found_damaged: has(own, DAMAGED),
            unclear: false,
        });
        if has(own, PRUNING) {
            self.spared.push(id);
        }
    }
}

impl Store<'_> {
    /// What there is, sealed or not.
    pub fn inventory(&self) -> Result<Inventory, StoreError> {
        let started = self.started()?;
        if let Some(folder) = self.folder()? {
            return Ok(self.inventory_there(folder, started));
        }
        let of_the_sealed = [&[MANIFEST], &AFTER_THE_SEAL[..]].concat();
        let mut marks = self.own_files_named(&started, &of_the_sealed)?;
        let mut inventory = Inventory::default();
        for id in started {
            let own = marks.remove(&id).unwrap_or_default();
            let manifest = own.iter().find(|file| file.path == MANIFEST);
            if manifest.is_some_and(is_looked_at) {
                inventory.take(id, &own);
            } else {
                // Whose it is, a claim tells, and that has the name of its run. Nothing is taken for unsealed
                // either that no listing shows to be so.
                inventory.take(id, &self.own_files(id)?);
            }
        }
        Ok(inventory)
    }

    /// The same in a folder, where what can't be told of one concerns no other.
    fn inventory_there(&self, folder: &OwnFolder, started: Vec<SnapshotId>) -> Inventory {
        let mut inventory = Inventory::default();
        for id in started {
            let Beside { own, odd } = match self.beside(folder, id) {
                Ok(beside) => beside,
                Err(error) => {
                    inventory.sealed.push(Candidate {
                        damaged: true,
                        ..Candidate::of(id)
                    });
                    inventory.odd.push((id, error));
                    continue;
                }
            };
            inventory.take(id, &own);
            let counts = |(name, _): &(String, String)| {
                name == MANIFEST || AFTER_THE_SEAL.contains(&name.as_str())
            };
            let Some((name, why)) = odd.into_iter().find(counts) else {
                continue;
            };
            let path = format!("{}/{name}", self.dir(id));
            inventory.odd.push((id, self.odd(&path, why)));
            // A snapshot that is none any more has no notes that count.
            let last = inventory.sealed.last_mut();
            if let Some(one) = last.filter(|one| one.id == id) {
                one.unclear = true;
                one.verified = false;
                one.drilled = false;
                inventory.spared.retain(|spared| *spared != id);
            }
        }
        inventory
    }

    /// Which of the files that are named so these have, all of them asked for at once; by their paths in them.
    pub(super) fn own_files_named(
        &self,
        ids: &[SnapshotId],
        names: &[&str],
    ) -> Result<HashMap<SnapshotId, Vec<Listed>>, StoreError> {
        let names_in = |id| names.iter().map(move |name| format!("{id}/{name}"));
        let names: Vec<String> = ids.iter().flat_map(names_in).collect();
        let mut own = HashMap::<_, Vec<Listed>>::new();
        for mut file in self.remote.files_named(&self.name, &names)? {
            let Some((id, name)) = file.path.split_once('/') else {
                continue;
            };
            let (Ok(id), name) = (id.parse::<SnapshotId>(), name.to_owned()) else {
                continue;
            };
            file.path = name;
            own.entry(id).or_default().push(file);
        }
        Ok(own)
    }
}
