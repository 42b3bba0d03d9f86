//! Moved: which files changed while they were transferred, whether their times say so or not.

use std::collections::HashSet;
use std::io;

use copal_core::path::RelPath;

use super::compare::Difference;
use super::cores::{MANY, on_every_core};
use super::files::{Content, StagedFile};
use super::stage::StageError;
use super::transfer::{Transfer, TransferError, Transferred};
use crate::edge::beneath::Beneath;
use crate::edge::hash::{Wanted, hash_live};
use crate::edge::stat::Version;

impl Transferred<'_> {
    pub(super) fn is_any_linked(&self, paths: &[RelPath]) -> bool {
        let paths: HashSet<&RelPath> = paths.iter().collect();
        let linked = |file: &StagedFile| matches!(file.content, Content::Linked(_));
        let mut files = self.files.iter();
        files.any(|file| linked(file) && paths.contains(&file.path))
    }

    /// Live files, and linked ones, whose version is no longer the one whose checksum was taken.
    pub(super) fn changed_since_staging(&self) -> Result<Vec<RelPath>, StageError> {
        let mut changed = on_every_core(self.files.iter().collect(), MANY, |file: &StagedFile| {
            let Some((kept, version)) = self.lies(file) else {
                return Ok(None);
            };
            let linked = matches!(file.content, Content::Linked(_));
            let same = |now: Version| now == version || linked && now.has_content_of(&version);
            let looked = kept.metadata();
            let is_same = looked.map(|metadata| same(Version::of(&metadata)));
            let is_changed = !holds(is_same, &kept)?;
            Ok::<_, StageError>(is_changed.then(|| file.path.clone()))
        })?;
        changed.sort_unstable();
        let is_live = |file: &StagedFile| matches!(file.content, Content::Live(_));
        // Also where all of them went as private copies meanwhile.
        if !self.vanished.is_empty() || self.read.files.iter().any(is_live) {
            self.read.staged.tops.check()?;
        }
        Ok(changed)
    }

    /// Live files that arrived with another content than was hashed, although their version is the
    /// same: a program that writes through a memory map changes no time.
    pub(super) fn changed_in_silence(&self, differences: &[Difference]) -> Vec<RelPath> {
        let hash = |difference: &Difference| match difference {
            Difference::Hash(name) => Some(name.clone()),
            Difference::Missing(_)
            | Difference::Extra(_)
            | Difference::Unread(_)
            | Difference::Size { .. } => None,
        };
        let names: HashSet<String> = differences.iter().filter_map(hash).collect();
        let live = self.files.iter().filter(|file| self.lies(file).is_some());
        live.filter(|file| names.contains(&*self.place.name(file)))
            .map(|file| file.path.clone())
            .collect()
    }

    /// Live files that went in parts, and no longer have the content that was hashed. The hash that a remote
    /// tells of such a file is one that rclone gave it, of a reading before it read the parts: it proves
    /// that content, and not what arrived.
    pub(super) fn changed_in_parts(
        &self,
        by: &Transfer<'_>,
    ) -> Result<Vec<RelPath>, TransferError> {
        let Some(most) = by.abilities.whole_up_to else {
            return Ok(Vec::new());
        };
        let mut changed = Vec::new();
        let is_in_parts = |file: &&StagedFile| file.digests.size > most && !self.has(file);
        for file in self.files.iter().filter(is_in_parts) {
            let Some((kept, _)) = self.lies(file) else {
                continue;
            };
            let hashed = hash_live(kept, Wanted::default(), by.interrupt);
            by.interrupt.check()?;
            let is_same =
                hashed.map(|now| now.is_some_and(|(now, _)| now.sha256 == file.digests.sha256));
            if !holds(is_same, &kept)? {
                changed.push(file.path.clone());
            }
        }
        Ok(changed)
    }

    /// Where a file lies that somebody else may write to, and the version that was hashed.
    fn lies<'f>(&'f self, file: &'f StagedFile) -> Option<(Beneath<'f>, Version)> {
        match file.content {
            Content::Live(version) => {
                Some((Beneath::of(&self.read.staged.source, &file.path), version))
            }
            Content::Linked(version) => {
                Some((self.read.staged.frozen_beneath(&file.stored), version))
            }
            Content::Staged | Content::Frozen | Content::Sent => None,
        }
    }
}

/// What was found of a file; it does not hold of one that is gone.
fn holds(found: io::Result<bool>, kept: &Beneath<'_>) -> Result<bool, StageError> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        found => found.map_err(|source| StageError::Unreadable {
            path: kept.place(),
            source,
        }),
    }
}
