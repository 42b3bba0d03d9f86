//! Ahead: files that are frozen before services are held. Under the hold a file is frozen only if it is
//! not the same any more, so that services do not wait for what is at rest.
//!
//! Whether it is, the walk under the hold tells. *A link* is another name of the file itself, so that it
//! counts while its file still lies at the path. *A clone* counts while the file has the version that it
//! had just before it was cloned. Any write since, through a memory map as well, gives it another: the
//! clone writes back what was mapped, so that the next write is noticed anew. That is known of some
//! file systems, and of files that are older than a tick of the system's clock; others are not cloned
//! ahead.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use copal_core::manifest::Taken;
use copal_core::path::RelPath;
use copal_core::sqlite::is_sidecar;
use copal_core::staging::Way;
use copal_core::stored::{NameLimit, StoredNames};
use jiff::Timestamp;

use super::Freezer;
use crate::edge::beneath::Beneath;
use crate::edge::content::Failed;
use crate::edge::duplicate::{self, Duplicate};
use crate::edge::frozen::{notes_every_change, settle};
use crate::edge::interrupt::Interrupt;
use crate::edge::stat::Version;
use crate::edge::top::Top;
use crate::edge::walk::{Found, FoundKind};
use crate::step::cores::{MANY, on_every_core};
use crate::step::files::Unread;
use crate::step::stage::StageError;

/// What is frozen, with the version that it had.
#[derive(Debug, Default)]
pub(super) struct Ahead(HashMap<RelPath, Version>);

impl Ahead {
    /// Whether what was frozen ahead is this file, which has this version now.
    pub(super) fn has(&self, file: &Unread, taken: Taken, now: Version) -> bool {
        let is_same = |then: &Version| match taken {
            Taken::Link => then.file() == now.file(),
            Taken::Reflink => *then == now,
            _ => false,
        };
        file.stored.as_bytes() == file.path.as_bytes()
            && self.0.get(&file.path).is_some_and(is_same)
    }
}

impl Freezer {
    /// Freezes what is thought to be at rest, before anything is held.
    pub fn freeze_ahead(
        &mut self,
        source: &Top,
        kept: &[Found],
        interrupt: &Interrupt,
    ) -> Result<(), StageError> {
        let early: Vec<(&RelPath, &str)> = match self.way {
            Way::Link => self.to_link(kept).collect(),
            Way::Reflink if notes_every_change(source) => self.to_clone(source, kept).collect(),
            Way::Reflink | Way::Copy | Way::Direct | Way::Hold => return Ok(()),
        };
        let frozen = on_every_core(early, MANY, |(path, stored)| {
            interrupt.check()?;
            let version = self.early(Beneath::of(source, path), stored)?;
            Ok::<_, StageError>(version.map(|version| (path.clone(), version)))
        })?;
        self.ahead = Ahead(frozen.into_iter().collect());
        // Otherwise the first to wait for the disk under the hold waits for all of it.
        settle(source);
        Ok(())
    }

    fn early(&self, live: Beneath<'_>, stored: &str) -> Result<Option<Version>, StageError> {
        let place = self.dir.path().join(stored);
        let now = Timestamp::now();
        let duplicate = match self.way {
            Way::Link => duplicate::link(live, &place),
            _ => duplicate::reflink(live, &place),
        };
        match duplicate {
            Ok(Duplicate::Made(metadata)) => {
                let version = Version::of(&metadata);
                let counts = self.way == Way::Link || version.would_show_a_change_after(now);
                Ok(counts.then_some(version))
            }
            // Whatever is the matter with it, under the hold it is told, or is over.
            Ok(Duplicate::Gone | Duplicate::Unfit(_) | Duplicate::Changed)
            | Err(Failed::Reading(_)) => Ok(None),
            Err(Failed::Writing(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(failed) => Err(StageError::of_copy(failed, live, &place)),
        }
    }

    fn to_link<'a>(&self, kept: &'a [Found]) -> impl Iterator<Item = (&'a RelPath, &'a str)> {
        let files = self.to_freeze(kept);
        let at_rest =
            files.filter(|(found, _)| !self.restless.holds(&found.path, found.attributes.mtime));
        at_rest.map(|(found, stored)| (&found.path, stored))
    }

    fn to_clone<'a>(
        &self,
        source: &Path,
        kept: &'a [Found],
    ) -> impl Iterator<Item = (&'a RelPath, &'a str)> {
        let (top, now) = (fs::metadata(source).map(|top| top.dev()), Timestamp::now());
        let files = self.to_freeze(kept).filter(move |(found, _)| {
            let near = top.as_ref().is_ok_and(|top| *top == found.version.file().0);
            near && found.version.would_show_a_change_after(now)
        });
        files.map(|(found, stored)| (&found.path, stored))
    }

    /// Files that keep their names, but for databases: copies stand in for those.
    fn to_freeze<'a>(&self, kept: &'a [Found]) -> impl Iterator<Item = (&'a Found, &'a str)> {
        let copied: &HashSet<RelPath> = &self.copied;
        let files = kept.iter().filter(|found| {
            found.kind == FoundKind::File
                && !copied.contains(&found.path)
                && !is_sidecar(&found.path, |main| copied.contains(main))
        });
        // A name that every destination takes; which ones there are is not known here.
        let names = StoredNames::within(NameLimit::Encrypted);
        files.filter_map(move |found| {
            let stored = names.plain(&found.path, copal_rclone::travels_unchanged)?;
            Some((found, stored))
        })
    }
}

#[cfg(test)]
#[path = "ahead_tests.rs"]
mod tests;
