//! Take: one file's content, with its checksum, in one version.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use copal_core::manifest::{Attributes, Entry, EntryKind, FileEntry, Taken};
use copal_core::path::RelPath;

use super::read::Reading;
use super::stage::{StageError, Staged, gone_or, in_staging};
use crate::capability::artifacts::Artifact;
use crate::capability::sqlite;
use crate::edge::attributes::set_time;
use crate::edge::hash::{Digests, Wanted, hash_file, hash_live};
use crate::edge::interrupt::Interrupt;
use crate::edge::open::open_regular;
use crate::edge::stat::{Version, attributes};
use crate::edge::walk::absolute;

/// A file that belongs to the snapshot.
#[derive(Debug, Clone)]
pub struct StagedFile {
    /// Its path in the snapshot.
    pub path: RelPath,
    /// Mode, owner, time.
    pub attributes: Attributes,
    /// Its name on the remote.
    pub stored: String,
    /// Its checksums.
    pub digests: Digests,
    /// How its content was taken.
    pub taken: Taken,
    /// Where its content is read from.
    pub content: Content,
    /// Whether it was frozen by a link and written to all the same: its content is of a later moment.
    pub outran: bool,
}

/// Where a staged file's content is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// From the live tree, in this version.
    Live(Version),
    /// From the staging directory, under its stored name.
    Staged,
    /// From the directory of frozen files, under its stored name.
    Frozen,
    /// From there, as another name of the live file in this version.
    Linked(Version),
}

impl StagedFile {
    /// What the manifest says of it.
    pub fn entry(&self) -> Entry {
        let stored = (self.stored.as_bytes() != self.path.as_bytes()).then(|| self.stored.clone());
        let kind = EntryKind::File(FileEntry {
            size: self.digests.size,
            sha256: self.digests.sha256,
            sha1: self.digests.sha1.clone(),
            md5: self.digests.md5.clone(),
            taken: self.taken,
            stored,
        });
        Entry {
            path: self.path.clone(),
            attributes: self.attributes,
            kind,
        }
    }
}

/// A file that belongs to the snapshot, and whose content is still to be read.
#[derive(Debug)]
pub struct Unread {
    pub(super) path: RelPath,
    /// Those of what was found, also where something stands in for it.
    pub(super) attributes: Attributes,
    /// Its name on the remote.
    pub(super) stored: String,
    pub(super) lies: Lies,
}

/// Where the content of a file lies that is still to be read.
#[derive(Debug)]
pub(super) enum Lies {
    /// In the live tree; the version that the walk saw.
    Live(Version),
    /// Below the directory of frozen files, taken so; nobody else's.
    Frozen(Taken),
    /// There as well, as another name of the live file in this version.
    Linked(Version),
    /// Where a hook had it made.
    Made(Made),
}

/// A file that a hook had made.
#[derive(Debug)]
pub(super) struct Made {
    /// Where it lies.
    pub(super) file: PathBuf,
    /// How it was made.
    pub(super) taken: Taken,
}

impl Made {
    pub(super) fn in_place_of(artifact: Artifact) -> Self {
        Self {
            file: artifact.file,
            taken: artifact.taken,
        }
    }
}

impl Staged {
    /// `None` for a file that the app deleted since the walk.
    pub(super) fn take(
        &self,
        file: Unread,
        by: Reading<'_>,
    ) -> Result<Option<StagedFile>, StageError> {
        match &file.lies {
            Lies::Made(made) => self.take_made(&file, made, by).map(Some),
            Lies::Live(_) => self.take_from_source(file, by),
            Lies::Frozen(taken) => self.take_frozen(&file, *taken, by).map(Some),
            Lies::Linked(version) => self.take_linked(&file, *version, by),
        }
    }

    fn take_from_source(
        &self,
        file: Unread,
        by: Reading<'_>,
    ) -> Result<Option<StagedFile>, StageError> {
        let Unread { path, stored, .. } = file;
        refuse_torn(&path, &absolute(&self.source, &path), by)?;
        if stored.as_bytes() == path.as_bytes() {
            self.take_live(path, stored, by)
        } else {
            self.take_copy(&path, &stored, by.wanted, by.interrupt)
        }
    }

    fn take_frozen(
        &self,
        file: &Unread,
        taken: Taken,
        by: Reading<'_>,
    ) -> Result<StagedFile, StageError> {
        let place = self.frozen_at(&file.stored);
        refuse_torn(&file.path, &place, by)?;
        let digests = hash_staged(&place, by.wanted, by.interrupt)?;
        // As with the live file, comparisons by size and time are to find it unchanged.
        set_time(&place, &file.attributes).map_err(in_staging(&place))?;
        Ok(StagedFile {
            path: file.path.clone(),
            attributes: file.attributes,
            stored: file.stored.clone(),
            digests,
            taken,
            content: Content::Frozen,
            outran: false,
        })
    }

    /// A link shows what is written to the file in place; then its content is not of the moment.
    fn take_linked(
        &self,
        file: &Unread,
        version: Version,
        by: Reading<'_>,
    ) -> Result<Option<StagedFile>, StageError> {
        let place = self.frozen_at(&file.stored);
        refuse_torn(&file.path, &place, by)?;
        let hashed = hash_live(&place, by.wanted, by.interrupt);
        by.interrupt.check()?;
        match hashed.map_err(in_staging(&place))? {
            Some((digests, now)) if version.has_content_of(&Version::of(&now)) => {
                Ok(Some(StagedFile {
                    path: file.path.clone(),
                    attributes: file.attributes,
                    stored: file.stored.clone(),
                    digests,
                    taken: Taken::Link,
                    content: Content::Linked(version),
                    outran: false,
                }))
            }
            _ => self.take_outrun(&file.path, &file.stored, by.wanted, by.interrupt),
        }
    }

    /// A private copy of a linked file that was written to.
    pub(super) fn take_outrun(
        &self,
        path: &RelPath,
        stored: &str,
        wanted: Wanted,
        interrupt: &Interrupt,
    ) -> Result<Option<StagedFile>, StageError> {
        let linked = self.frozen_at(stored);
        let copy = self.take_copy_of(&linked, path, stored, wanted, interrupt)?;
        Ok(copy.map(|copy| StagedFile {
            outran: true,
            ..copy
        }))
    }

    pub(super) fn frozen_at(&self, stored: &str) -> PathBuf {
        let frozen = self.frozen.as_ref();
        let directory = frozen.expect("only what was frozen is read from there");
        directory.path().join(stored)
    }

    fn take_made(
        &self,
        file: &Unread,
        made: &Made,
        by: Reading<'_>,
    ) -> Result<StagedFile, StageError> {
        let place = self.place(&file.stored)?;
        fs::rename(&made.file, &place).map_err(in_staging(&place))?;
        Ok(StagedFile {
            path: file.path.clone(),
            attributes: file.attributes,
            stored: file.stored.clone(),
            digests: hash_staged(&place, by.wanted, by.interrupt)?,
            taken: made.taken,
            content: Content::Staged,
            outran: false,
        })
    }

    fn take_live(
        &self,
        path: RelPath,
        stored: String,
        by: Reading<'_>,
    ) -> Result<Option<StagedFile>, StageError> {
        let live = absolute(&self.source, &path);
        let hashed = hash_live(&live, by.wanted, by.interrupt);
        by.interrupt.check()?;
        match gone_or(&live, hashed)? {
            None => Ok(None),
            Some(Some((digests, metadata))) => Ok(Some(StagedFile {
                path,
                // Those of the version that was read, which may be younger than the walk.
                attributes: attributes(&metadata),
                stored,
                digests,
                taken: Taken::Direct,
                content: Content::Live(Version::of(&metadata)),
                outran: false,
            })),
            // It changes too quickly to be read from the live tree, not too quickly to be copied.
            Some(None) => self.take_copy(&path, &stored, by.wanted, by.interrupt),
        }
    }

    /// Copies a live file into the staging directory, in one of its versions.
    ///
    /// For files with names that do not travel, and for those that would not stand still.
    pub fn take_copy(
        &self,
        path: &RelPath,
        stored: &str,
        wanted: Wanted,
        interrupt: &Interrupt,
    ) -> Result<Option<StagedFile>, StageError> {
        let live = absolute(&self.source, path);
        self.take_copy_of(&live, path, stored, wanted, interrupt)
    }

    fn take_copy_of(
        &self,
        live: &Path,
        path: &RelPath,
        stored: &str,
        wanted: Wanted,
        interrupt: &Interrupt,
    ) -> Result<Option<StagedFile>, StageError> {
        const TRIES: u32 = 20;
        let place = self.place(stored)?;
        for _ in 0..TRIES {
            interrupt.check()?;
            let Some(before) = gone_or(live, fs::symlink_metadata(live))? else {
                return Ok(None);
            };
            if !before.is_file() {
                return Ok(None);
            }
            let copied = copy(live, &place)?;
            let Some(after) = gone_or(live, fs::symlink_metadata(live))? else {
                return Ok(None);
            };
            if copied.is_none() || Version::of(&before) != Version::of(&after) {
                continue;
            }
            let digests = hash_staged(&place, wanted, interrupt)?;
            return Ok(Some(StagedFile {
                path: path.clone(),
                attributes: attributes(&after),
                stored: stored.to_owned(),
                digests,
                taken: Taken::Direct,
                content: Content::Staged,
                outran: false,
            }));
        }
        Err(StageError::NeverStill(path.clone()))
    }

    /// Where the artifact called `stored` lies, its directory made.
    fn place(&self, stored: &str) -> Result<PathBuf, StageError> {
        let place = self.staging.artifacts().join(stored);
        let parent = place.parent().unwrap_or(&place);
        fs::create_dir_all(parent).map_err(in_staging(parent))?;
        Ok(place)
    }
}

/// A database that no hook stands in for would be torn.
fn refuse_torn(path: &RelPath, place: &Path, by: Reading<'_>) -> Result<(), StageError> {
    let allowed = (by.live_allowed)(path);
    if !allowed && gone_or(place, sqlite::is_database(place))? == Some(true) {
        return Err(StageError::Uncovered(path.clone()));
    }
    Ok(())
}

/// Copies a file's content; `None` if the app deleted it. A failed write is the staging directory's,
/// a failed read the live file's.
fn copy(live: &Path, place: &Path) -> Result<Option<()>, StageError> {
    let staging = in_staging(place);
    let Some(mut from) = gone_or(live, open_regular(live))? else {
        return Ok(None);
    };
    let mut to = fs::File::create(place).map_err(&staging)?;
    // Tells a write that failed from a read that failed by trying the read again.
    match io::copy(&mut from, &mut to) {
        Ok(_) => Ok(Some(())),
        Err(error) if io::copy(&mut from, &mut io::sink()).is_ok() => Err(staging(error)),
        Err(source) => Err(StageError::Unreadable {
            path: live.to_owned(),
            source,
        }),
    }
}

fn hash_staged(place: &Path, wanted: Wanted, interrupt: &Interrupt) -> Result<Digests, StageError> {
    let hashed = hash_file(place, wanted, interrupt);
    interrupt.check()?;
    hashed.map_err(in_staging(place))
}
