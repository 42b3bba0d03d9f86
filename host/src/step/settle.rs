//! Settle: what the app changed, renamed or deleted while it was transferred.

use std::collections::HashSet;

use copal_core::manifest::{Entry, EntryKind};
use copal_core::path::RelPath;
use copal_core::stored::StoredNames;

use super::transfer::{Transfer, TransferError, Transferred};
use crate::edge::walk::FoundKind;

impl Transferred<'_> {
    /// Takes a private copy of what changed; drops what is gone; and, as a file that is gone may
    /// have been renamed, takes in what is new.
    pub(super) fn settle(
        &mut self,
        changed: Vec<RelPath>,
        by: &mut Transfer<'_>,
    ) -> Result<(), TransferError> {
        let changed: HashSet<RelPath> = changed.into_iter().collect();
        let (kept, moving): (Vec<_>, Vec<_>) = self
            .files
            .drain(..)
            .partition(|file| !changed.contains(&file.path));
        self.files = kept;
        for file in moving {
            let copy = self
                .staged
                .take_copy(&file.path, &file.stored, by.wanted, by.interrupt)?;
            match copy {
                Some(copy) => {
                    self.moved.push(copy.path.clone());
                    self.files.push(copy);
                }
                None => self.vanished.push(file.path),
            }
        }
        if !self.vanished.is_empty() {
            self.take_in_new(by)?;
        }
        Ok(())
    }

    fn take_in_new(&mut self, by: &mut Transfer<'_>) -> Result<(), TransferError> {
        let known: HashSet<RelPath> = self
            .files
            .iter()
            .map(|file| &file.path)
            .chain(self.others.iter().map(|entry| &entry.path))
            .cloned()
            .collect();
        let mut names = StoredNames::default();
        self.files
            .iter()
            .for_each(|file| names.reserve(&file.stored));
        for found in (by.walk_again)()? {
            if known.contains(&found.path) {
                continue;
            }
            match found.kind {
                FoundKind::File => {
                    let plain = StoredNames::plain(&found.path, copal_rclone::travels_unchanged);
                    let stored = plain.map_or_else(|| names.encode(&found.path), str::to_owned);
                    let copy =
                        self.staged
                            .take_copy(&found.path, &stored, by.wanted, by.interrupt)?;
                    if let Some(copy) = copy {
                        self.moved.push(copy.path.clone());
                        self.files.push(copy);
                    }
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

    /// What vanished may have been uploaded before it did.
    pub(super) fn remove_vanished(&self, by: &Transfer<'_>) -> Result<(), TransferError> {
        if self.vanished.is_empty() {
            return Ok(());
        }
        let expected: HashSet<&str> = self.files.iter().map(|file| file.stored.as_str()).collect();
        for listed in by.remote.files(&self.dir, false)? {
            if !expected.contains(listed.path.as_str()) {
                by.remote.delete(&format!("{}/{}", self.dir, listed.path))?;
            }
        }
        Ok(())
    }
}
