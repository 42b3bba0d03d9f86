//! Add: what hooks made that the source has not.

use std::collections::HashSet;

use copal_core::manifest::{Attributes, Entry, EntryKind, Mode, Taken};
use copal_core::path::RelPath;
use copal_core::sqlite::sidecar_relations;

use super::files::{Lies, MadeFile};
use super::stage::{StageError, Staged, Unnamed};
use crate::capability::artifacts::Added;

impl Staged {
    /// Takes in what is new, with the directories above it. `present` is all that was found in the
    /// source: it was looked at when the hooks made theirs, and may have changed since.
    pub(super) fn add(
        &mut self,
        mut added: Vec<Added>,
        present: &HashSet<RelPath>,
    ) -> Result<Vec<Unnamed>, StageError> {
        // Directories come before what is in them.
        added.sort_by(|a, b| a.path.cmp(&b.path));
        let directories = self.others.iter();
        let mut directories: HashSet<RelPath> = directories
            .filter(|entry| entry.kind == EntryKind::Directory)
            .map(|entry| entry.path.clone())
            .collect();
        let mut files = Vec::new();
        for Added {
            path,
            attributes,
            file,
        } in added
        {
            let mut missing: Vec<RelPath> = path
                .ancestors()
                .filter(|above| !directories.contains(above))
                .collect();
            missing.reverse();
            if file.is_none() && !directories.contains(&path) {
                missing.push(path.clone());
            }
            for directory in missing {
                self.refuse_taken(&directory, present)?;
                directories.insert(directory.clone());
                let own = if directory == path {
                    attributes
                } else {
                    of_a_directory(attributes)
                };
                self.others.push(Entry {
                    path: directory,
                    attributes: own,
                    kind: EntryKind::Directory,
                });
            }
            if let Some(file) = file {
                self.refuse_taken(&path, present)?;
                let is_a_file =
                    |other: &RelPath| present.contains(other) && !directories.contains(other);
                if sidecar_relations(&path).any(|other| is_a_file(&other)) {
                    return Err(StageError::ReadWith(path));
                }
                let taken = Taken::Added;
                let lies = Lies::Made(MadeFile { file, taken });
                files.push(Unnamed {
                    path,
                    attributes,
                    lies,
                });
            }
        }
        Ok(files)
    }

    /// What the source has by now, or has as an archive, is not made anew.
    fn refuse_taken(&self, path: &RelPath, present: &HashSet<RelPath>) -> Result<(), StageError> {
        if present.contains(path) || self.archived.contains(path) || self.is_archived(path) {
            return Err(StageError::InTheWay(path.clone()));
        }
        Ok(())
    }
}

/// A directory that nobody made has the owner of what is in it.
fn of_a_directory(inside: Attributes) -> Attributes {
    Attributes {
        mode: Mode::from_st_mode(0o755),
        ..inside
    }
}

#[cfg(test)]
#[path = "add_tests.rs"]
mod tests;
