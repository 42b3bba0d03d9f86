//! Settle: what the app changed, renamed or deleted while it was transferred.

use std::collections::HashSet;

use copal_core::manifest::{Entry, EntryKind};
use copal_core::path::RelPath;
use copal_core::stored::StoredNames;

use super::files::Content;
use super::stage::StageError;
use super::transfer::{Transfer, TransferError, Transferred};
use crate::capability::sqlite::is_database;
use crate::edge::beneath::Beneath;
use crate::edge::walk::{Found, FoundKind};

impl Transferred<'_> {
    /// Takes a private copy of what changed; drops what is gone; and, as a file that is gone may
    /// have been renamed, takes in what is new. Returns what has to be sent again.
    pub(super) fn settle(
        &mut self,
        changed: Vec<RelPath>,
        by: &mut Transfer<'_>,
    ) -> Result<HashSet<RelPath>, TransferError> {
        let changed: HashSet<RelPath> = changed.into_iter().collect();
        let mut settled = HashSet::new();
        let (kept, moving): (Vec<_>, Vec<_>) = self
            .files
            .drain(..)
            .partition(|file| !changed.contains(&file.path));
        self.files = kept;
        let mut gone = false;
        for file in moving {
            if let Content::Linked(_) = file.content {
                let staged = &self.read.staged;
                let copy = staged.take_outrun(&file.path, &file.stored, by.wanted, by.interrupt)?;
                settled.insert(copy.path.clone());
                self.files.push(copy);
                continue;
            }
            if !self.take_again(&file.path, &file.stored, by, &mut settled)? {
                gone = true;
                self.vanished.push(file.path);
            }
        }
        if gone {
            self.take_in_new(by, &mut settled)?;
        }
        Ok(settled)
    }

    /// What was away when it was looked for, and is in the snapshot all the same.
    pub(super) fn forget_what_came_back(&mut self) {
        let there: HashSet<&RelPath> = self.files.iter().map(|file| &file.path).collect();
        self.vanished.retain(|path| !there.contains(path));
        self.vanished.sort_unstable();
        self.vanished.dedup();
    }

    /// Whether it was still there.
    fn take_again(
        &mut self,
        path: &RelPath,
        stored: &str,
        by: &Transfer<'_>,
        settled: &mut HashSet<RelPath>,
    ) -> Result<bool, TransferError> {
        let copy = self
            .read
            .staged
            .take_copy(path, stored, by.wanted, by.interrupt)?;
        let Some(copy) = copy else { return Ok(false) };
        settled.insert(copy.path.clone());
        self.moved.push(copy.path.clone());
        self.files.push(copy);
        Ok(true)
    }

    fn take_in_new(
        &mut self,
        by: &mut Transfer<'_>,
        settled: &mut HashSet<RelPath>,
    ) -> Result<(), TransferError> {
        let files = self.files.iter().map(|file| file.path.clone());
        let others = self.others.iter().map(|entry| entry.path.clone());
        let known: HashSet<RelPath> = files.chain(others).collect();
        let mut names = StoredNames::within(self.read.staged.names.limit());
        self.files
            .iter()
            .for_each(|file| names.reserve(&file.stored));
        let mut new = (by.walk_again)()?;
        new.retain(|found| {
            let stood_in_for = self.read.staged.stands_in_for(&found.path);
            !known.contains(&found.path) && !stood_in_for && self.belongs(found)
        });
        let plain = |found: &Found, names: &StoredNames| {
            let plain = names.plain(&found.path, copal_rclone::travels_unchanged);
            plain.map(str::to_owned)
        };
        for found in &new {
            if let Some(name) = plain(found, &names) {
                names.reserve(&name);
            }
        }
        for found in new {
            match found.kind {
                FoundKind::File => {
                    // A database that appeared only now has no copy, and would be torn.
                    let live = Beneath::of(&self.read.staged.source, &found.path);
                    if is_database(live).unwrap_or(false) {
                        return Err(StageError::Uncovered(found.path).into());
                    }
                    let stored = plain(&found, &names).unwrap_or_else(|| names.encode(&found.path));
                    self.take_again(&found.path, &stored, by, settled)?;
                }
                FoundKind::Directory => self.others.push(Entry {
                    path: found.path,
                    attributes: found.attributes,
                    kind: EntryKind::Directory,
                }),
                FoundKind::Symlink(_) | FoundKind::Special(_) => {}
            }
        }
        Ok(())
    }

    fn belongs(&self, found: &Found) -> bool {
        let map = self.place.map();
        map.is_none_or(|map| match found.kind {
            FoundKind::Directory => map.leads_through(&found.path),
            FoundKind::File | FoundKind::Symlink(_) | FoundKind::Special(_) => {
                map.takes(&found.path, None)
            }
        })
    }

    /// What vanished may have been uploaded before it did. Nothing else is touched; and of a mirror nothing
    /// at all, which the next run finds without it.
    pub(super) fn remove_vanished(&self, by: &Transfer<'_>) -> Result<(), TransferError> {
        if self.place.map().is_some() {
            return Ok(());
        }
        let vanished: HashSet<&RelPath> = self.vanished.iter().collect();
        let gone = self
            .read
            .files
            .iter()
            .filter(|file| vanished.contains(&file.path));
        for file in gone {
            by.remote.delete(&self.place.below(&file.stored))?;
        }
        Ok(())
    }
}
