//! Freeze: every file as it is now, whatever the app does to it later. This is what services wait
//! for, so that all that can be done before they are held is done before (`ahead.rs`).

mod ahead;

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::Path;

use copal_core::manifest::{Attributes, Taken};
use copal_core::path::RelPath;
use copal_core::staging::Way;

use self::ahead::Ahead;
use super::cores::{MANY, on_every_core};
use super::files::{Lies, Unread};
use super::stage::{StageError, Staged, in_staging};
use super::way::{Forecast, Restless};
use crate::edge::beneath::Beneath;
use crate::edge::duplicate::{self, Duplicate};
use crate::edge::frozen::FrozenDir;
use crate::edge::interrupt::Interrupt;
use crate::edge::leftovers::Leftovers;
use crate::edge::staging::StagingError;
use crate::edge::stat::{Version, attributes};
use crate::edge::top::Top;
use crate::edge::walk::{Found, FoundKind};
use crate::edge::writers::OpenForWriting;

/// All that can be got ready before services are held.
#[derive(Debug)]
pub struct Freezer {
    dir: FrozenDir,
    way: Way,
    /// Whether another way may be taken where nothing is held.
    asked_for: bool,
    restless: Restless,
    /// Databases that a copy is going to stand in for.
    copied: HashSet<RelPath>,
    /// What is frozen already.
    ahead: Ahead,
    /// The top's attributes before Copal's directory was made in it, which changes its time.
    top: Option<Attributes>,
}

impl Forecast {
    /// Gets ready to freeze: none where nothing is going to be.
    ///
    /// Removes what killed runs left behind, whichever way this one takes.
    pub fn prepare(
        &self,
        source: &Path,
        kept: &[Found],
        run: &str,
        leftovers: &Leftovers,
    ) -> Result<Option<Freezer>, StagingError> {
        crate::edge::frozen::remove_leftovers(&self.places)?;
        if !self.choice.way.freezes() {
            return Ok(None);
        }
        let directories = kept
            .iter()
            .filter(|found| found.kind == FoundKind::Directory);
        let names: BTreeSet<&str> = directories
            .filter_map(|found| std::str::from_utf8(found.path.as_bytes()).ok())
            .collect();
        let inside = self.place.starts_with(source);
        let top = inside.then(|| fs::metadata(source)).and_then(Result::ok);
        let dir = FrozenDir::create(&self.place, run, names, leftovers)?;
        if self.choice.way == Way::Reflink {
            // A clone waits until what it shares is on the disk.
            crate::edge::frozen::settle(source);
        }
        Ok(Some(Freezer {
            dir,
            way: self.choice.way,
            asked_for: self.choice.asked_for,
            restless: self.restless.clone(),
            copied: self.copied.clone(),
            ahead: Ahead::default(),
            top: top.as_ref().map(attributes),
        }))
    }
}

impl Freezer {
    /// Whether it is to freeze in a run in which services are held or not: without any there is no
    /// moment to keep, unless the owner asks for it.
    pub fn serves(&self, held: bool) -> bool {
        held || self.asked_for
    }

    /// Freezes what was staged from the live tree. Files that vanished before are not in it.
    pub(super) fn freeze(
        self,
        staged: &mut Staged,
        interrupt: &Interrupt,
    ) -> Result<(), StageError> {
        let live = |file: &&Unread| matches!(file.lies, Lies::Live(_));
        let names = staged.files.iter().filter(live);
        self.dir
            .make_parents(names.map(|file| file.stored.as_str()))
            .map_err(|error| StageError::Staging {
                path: error.path,
                source: error.source,
            })?;
        let freezing = Freezing {
            open: match self.way {
                Way::Link => OpenForWriting::now(),
                Way::Reflink | Way::Copy | Way::Direct | Way::Hold => OpenForWriting::default(),
            },
            freezer: &self,
            source: &staged.source,
            interrupt,
        };
        let files = std::mem::take(&mut staged.files);
        let names: Vec<RelPath> = files.iter().map(|file| file.path.clone()).collect();
        let files = freezing.all(files)?;
        let frozen: HashSet<&RelPath> = files.iter().map(|file| &file.path).collect();
        let gone = names.into_iter().filter(|path| !frozen.contains(path));
        staged.vanished.extend(gone);
        staged.files = files;
        staged.way = self.way;
        staged.root = self.top.unwrap_or(staged.root);
        staged.frozen = Some(self.dir);
        Ok(())
    }
}

struct Freezing<'a> {
    freezer: &'a Freezer,
    source: &'a Top,
    open: OpenForWriting,
    interrupt: &'a Interrupt,
}

impl Freezing<'_> {
    fn all(&self, files: Vec<Unread>) -> Result<Vec<Unread>, StageError> {
        on_every_core(files, MANY, |file| {
            self.interrupt.check()?;
            self.one(file)
        })
    }

    fn one(&self, file: Unread) -> Result<Option<Unread>, StageError> {
        let Lies::Live(version) = file.lies else {
            return Ok(Some(file));
        };
        let first = match self.freezer.way {
            Way::Reflink => Taken::Reflink,
            Way::Link if !self.may_be_written_to(&file, version) => Taken::Link,
            Way::Link | Way::Copy | Way::Direct | Way::Hold => Taken::Copy,
        };
        if self.freezer.ahead.has(&file, first, version) {
            let lies = lies(first, version);
            return Ok(Some(Unread { lies, ..file }));
        }
        match self.frozen(file, first)? {
            Ok(frozen) => Ok(frozen),
            // Of another file system, of somebody else's: a copy serves everywhere.
            Err(file) => Ok(self.frozen(file, Taken::Copy)?.ok().flatten()),
        }
    }

    fn may_be_written_to(&self, file: &Unread, version: Version) -> bool {
        let Self { freezer, open, .. } = self;
        freezer.restless.holds(&file.path, file.attributes.mtime) || open.contains(version.file())
    }

    /// The file again where it can't be frozen so.
    fn frozen(
        &self,
        mut file: Unread,
        taken: Taken,
    ) -> Result<Result<Option<Unread>, Unread>, StageError> {
        /// Somebody who is not held writes to it.
        const TRIES: usize = 20;
        let path = file.path.clone();
        let live = Beneath::of(self.source, &path);
        let place = self.freezer.dir.path().join(&file.stored);
        let way = || match taken {
            Taken::Reflink => duplicate::reflink(live, &place),
            Taken::Link => duplicate::link(live, &place),
            _ => duplicate::copy(live, &place, self.interrupt),
        };
        for _ in 0..TRIES {
            self.interrupt.check()?;
            let mut duplicate = way();
            if Duplicate::found_taken(&duplicate) {
                let cleared = self.freezer.dir.clear(&place);
                cleared.map_err(in_staging(&place))?;
                duplicate = way();
            }
            let duplicate =
                duplicate.map_err(|failed| StageError::of_copy(failed, live, &place))?;
            match duplicate {
                Duplicate::Made(metadata) => {
                    file.attributes = attributes(&metadata);
                    file.lies = lies(taken, Version::of(&metadata));
                    return Ok(Ok(Some(file)));
                }
                Duplicate::Gone => return Ok(Ok(None)),
                Duplicate::Unfit(error) => {
                    tracing::debug!(path = %file.path, %error, "copied instead");
                    return Ok(Err(file));
                }
                Duplicate::Changed => {}
            }
        }
        Err(StageError::NeverStill(file.path))
    }
}

fn lies(taken: Taken, version: Version) -> Lies {
    match taken {
        Taken::Link => Lies::Linked(version),
        taken => Lies::Frozen(taken),
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod mount_tests;
