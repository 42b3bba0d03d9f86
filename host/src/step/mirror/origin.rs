//! Origin: which path of the source a name at the mirror stands for, and whether the source has it.

use std::collections::HashMap;
use std::io;

use copal_core::manifest::{Entry, FileEntry, Manifest};
use copal_core::mirror::Map;
use copal_core::path::RelPath;

use crate::edge::beneath::Beneath;
use crate::edge::walk::FoundKind;
use crate::step::stage::Staged;

/// What a file at the mirror is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::step) struct Origin {
    /// The path in the source.
    pub(super) path: RelPath,
    /// What lies there: a directory where the file is an archive of it.
    pub(super) kind: FoundKind,
}

impl Origin {
    /// As a manifest has it, which also knows names that were encoded or shortened.
    pub(super) fn of(entry: &Entry, file: &FileEntry) -> Self {
        let suffix = file.taken.archive_suffix().unwrap_or_default();
        let bytes = entry.path.as_bytes();
        let archived = bytes
            .strip_suffix(suffix.as_bytes())
            .filter(|_| !suffix.is_empty());
        archived
            .and_then(|bytes| RelPath::new(bytes).ok())
            .map_or_else(
                || Self {
                    path: entry.path.clone(),
                    kind: FoundKind::File,
                },
                |path| Self {
                    path,
                    kind: FoundKind::Directory,
                },
            )
    }

    /// Those of all that the last run wrote down, by their names.
    pub(super) fn all_of(last: Option<&Manifest>) -> HashMap<String, Self> {
        let files = last.into_iter().flat_map(Manifest::files);
        files
            .map(|(name, entry, file)| (name, Self::of(entry, file)))
            .collect()
    }

    /// By its name alone, for what no manifest lists. None for a name that rclone spells otherwise than the
    /// remote does: nothing is sent under such a name, and what bears it can't be deleted by it.
    pub(super) fn by_name(map: &Map, name: &str) -> Option<Self> {
        let travels = copal_rclone::travels_unchanged(name.as_bytes());
        // What stands for bytes that are no text may stand for any.
        let is_itself = travels && !name.contains(char::REPLACEMENT_CHARACTER);
        let path = map.source_of(name).filter(|_| is_itself)?;
        let kind = FoundKind::File;
        Some(Self { path, kind })
    }
}

/// What the source has, or had under this run, of what a mirror has besides.
pub(super) struct Present<'a> {
    staged: &'a Staged,
    left_out: HashMap<&'a RelPath, bool>,
}

impl<'a> Present<'a> {
    pub(super) fn of(staged: &'a Staged) -> Self {
        let left_out = staged.left_out.iter();
        Self {
            staged,
            left_out: left_out.map(|(path, whole)| (path, *whole)).collect(),
        }
    }

    /// Whether the file is in the source, whatever the filters say of it by now: they may go by its age or
    /// size. What an artifact stands in for is there, and does not belong to the mirror.
    pub(super) fn has(&self, path: &RelPath) -> bool {
        let is_left_out_whole = |above| self.left_out.get(&above) == Some(&true);
        self.left_out.contains_key(path)
            || path.ancestors().any(is_left_out_whole)
            || (self.is_file(path) && !self.staged.stands_in_for(path))
    }

    /// What can't be looked at counts as there.
    fn is_file(&self, path: &RelPath) -> bool {
        match Beneath::of(&self.staged.source, path).metadata() {
            Ok(metadata) => metadata.is_file(),
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }
}
