//! A store in a folder of this machine. It is looked at without rclone: that follows links on the way to what it is
//! asked for, and no link below a destination leads to a snapshot.

use std::collections::BTreeSet;

use copal_core::manifest::{COPAL_DIR, MANIFEST, ManifestError};
use copal_core::snapshot::SnapshotId;
use copal_core::units::ByteCount;

use super::{Store, StoreError};
use crate::edge::own::{Own, OwnFolder};
use crate::edge::remote::Listed;

/// What Copal has beside a snapshot, as it lies there.
pub(super) struct Beside {
    /// What is there by the names of files, whatever it is.
    pub(super) own: Vec<Listed>,
    /// What of it is no file, by its name, and why.
    pub(super) odd: Vec<(String, String)>,
}

impl Store<'_> {
    /// The folder of this machine that it is, where it is one.
    pub(super) fn folder(&self) -> Result<Option<&OwnFolder>, StoreError> {
        if let Some(known) = self.folder.get() {
            return Ok(known.as_ref());
        }
        let folder = self.remote.abilities()?.folder().map(OwnFolder::at);
        Ok(self.folder.get_or_init(|| folder).as_ref())
    }

    /// Whether what it has is read as quickly as any file.
    pub fn is_in_folder(&self) -> Result<bool, StoreError> {
        Ok(self.folder()?.is_some())
    }

    /// Every id by which there is a directory, or a link, which nothing may be written through.
    pub(super) fn started_in(&self, folder: &OwnFolder) -> Result<Vec<SnapshotId>, StoreError> {
        let listed = match folder.list(&self.name) {
            Own::Is(listed) => listed,
            Own::Nothing => Vec::new(),
            Own::Odd(why) => return Err(self.odd(&self.name, why)),
        };
        let no_file = |(_, found): &(String, Own<ByteCount>)| !matches!(found, Own::Is(_));
        let ids = listed.iter().filter(|it| no_file(it));
        let mut ids: Vec<SnapshotId> = ids.filter_map(|(id, _)| id.parse().ok()).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// Those of them that have a manifest, or may have: what nobody can look at is not taken for unsealed.
    pub(super) fn sealed_in(&self, folder: &OwnFolder, ids: Vec<SnapshotId>) -> Vec<SnapshotId> {
        let manifest = |id: &SnapshotId| folder.look(&format!("{}/{MANIFEST}", self.dir(*id)));
        let is_sealed = |id: &SnapshotId| !matches!(manifest(id), Own::Nothing);
        ids.into_iter().filter(is_sealed).collect()
    }

    /// All that lies in Copal's own directory of a snapshot, or why that can't be looked at.
    pub(super) fn beside(&self, folder: &OwnFolder, id: SnapshotId) -> Result<Beside, StoreError> {
        let dir = format!("{}/{COPAL_DIR}", self.dir(id));
        let listed = match folder.list(&dir) {
            Own::Is(listed) => listed,
            Own::Nothing => Vec::new(),
            Own::Odd(why) => return Err(self.odd(&dir, why)),
        };
        let (mut own, mut odd) = (Vec::new(), Vec::new());
        for (name, found) in listed {
            let path = format!("{COPAL_DIR}/{name}");
            let size = match found {
                Own::Is(size) => size,
                Own::Nothing => continue,
                Own::Odd(why) => {
                    odd.push((path.clone(), why));
                    ByteCount::ZERO
                }
            };
            own.push(Listed {
                path,
                size,
                hash: None,
            });
        }
        Ok(Beside { own, odd })
    }

    pub(super) fn own_files_there(
        &self,
        folder: &OwnFolder,
        id: SnapshotId,
    ) -> Result<Vec<Listed>, StoreError> {
        Ok(self.beside(folder, id)?.own)
    }

    /// Whether nothing is written or removed through a link by this path.
    pub(super) fn refuse_link(&self, path: &str) -> Result<(), StoreError> {
        let Some(folder) = self.folder()? else {
            return Ok(());
        };
        match folder.link_on_the_way(path) {
            None => Ok(()),
            Some(link) => Err(self.odd(&link, "it is a symbolic link".to_owned())),
        }
    }

    /// Whether none of these files of a snapshot lies behind a link.
    pub fn refuse_links<'n>(
        &self,
        id: SnapshotId,
        names: impl Iterator<Item = &'n String>,
    ) -> Result<(), StoreError> {
        let dir = self.dir(id);
        self.refuse_link(&dir)?;
        let above = names.filter_map(|name| name.rsplit_once('/'));
        let above: BTreeSet<&str> = above.map(|(above, _)| above).collect();
        let mut above = above.into_iter();
        above.try_for_each(|above| self.refuse_link(&format!("{dir}/{above}")))
    }

    pub(super) fn odd(&self, path: &str, why: String) -> StoreError {
        StoreError::Odd {
            path: path.to_owned(),
            place: self.remote.shown(),
            why,
        }
    }
}

/// A manifest of which nobody can say what it holds.
pub(super) fn unreadable_manifest(id: SnapshotId, why: String) -> StoreError {
    let source = ManifestError::OutOfReach(why);
    StoreError::Manifest { id, source }
}
