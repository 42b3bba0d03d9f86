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
}

/// Where a staged file's content is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// From the live tree, in this version.
    Live(Version),
    /// From the staging directory, under its stored name.
    Staged,
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
    /// In the live tree.
    Live,
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
            Lies::Live => self.take_from_source(file, by),
        }
    }

    fn take_from_source(
        &self,
        file: Unread,
        by: Reading<'_>,
    ) -> Result<Option<StagedFile>, StageError> {
        let Unread { path, stored, .. } = file;
        let live = absolute(&self.source, &path);
        let torn = !(by.live_allowed)(&path);
        if torn && gone_or(&live, sqlite::is_database(&live))? == Some(true) {
            return Err(StageError::Uncovered(path));
        }
        if stored.as_bytes() == path.as_bytes() {
            self.take_live(path, stored, by)
        } else {
            self.take_copy(&path, &stored, by.wanted, by.interrupt)
        }
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
        const TRIES: u32 = 20;
        let live = absolute(&self.source, path);
        let place = self.place(stored)?;
        for _ in 0..TRIES {
            interrupt.check()?;
            let Some(before) = gone_or(&live, fs::symlink_metadata(&live))? else {
                return Ok(None);
            };
            if !before.is_file() {
                return Ok(None);
            }
            let copied = copy(&live, &place)?;
            let Some(after) = gone_or(&live, fs::symlink_metadata(&live))? else {
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
