//! Take: one file's content, with its checksum, in one version.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use copal_core::manifest::{Attributes, Entry, EntryKind, FileEntry, Taken};
use copal_core::path::RelPath;

use super::stage::{StageError, Staged, Staging};
use crate::capability::artifacts::Artifact;
use crate::capability::sqlite;
use crate::edge::hash::{Digests, Wanted, hash_file, hash_live};
use crate::edge::interrupt::Interrupt;
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

/// A file to be staged: a found one, or an artifact with the attributes of what it stands in for.
pub(super) struct Source {
    pub(super) path: RelPath,
    pub(super) attributes: Attributes,
    pub(super) artifact: Option<Artifact>,
    /// Its own name, where that can stay.
    pub(super) plain: Option<String>,
}

impl Staged {
    /// `None` for a file that the app deleted since the walk.
    pub(super) fn take<F>(
        &mut self,
        source: Source,
        ask: &Staging<'_, F>,
    ) -> Result<Option<StagedFile>, StageError> {
        let Source {
            path,
            attributes,
            artifact,
            plain,
        } = source;
        let Some(artifact) = artifact else {
            let live = absolute(&self.source, &path);
            if !(ask.live_allowed)(&path)
                && gone_or(&live, sqlite::is_database(&live))? == Some(true)
            {
                return Err(StageError::Uncovered(path));
            }
            let Some(stored) = plain else {
                let stored = self.names.encode(&path);
                return self.take_copy(&path, &stored, ask.wanted, ask.interrupt);
            };
            return self.take_live(path, stored, ask);
        };
        let stored = plain.unwrap_or_else(|| self.names.encode(&path));
        let place = self.place(&stored)?;
        let failed = |source| StageError::Staging {
            path: place.clone(),
            source,
        };
        fs::rename(&artifact.file, &place).map_err(failed)?;
        let digests = hash_file(&place, ask.wanted, ask.interrupt).map_err(|error| {
            ask.interrupt
                .check()
                .err()
                .map_or_else(|| failed(error), StageError::Interrupted)
        })?;
        let content = Content::Staged;
        Ok(Some(StagedFile {
            path,
            attributes,
            stored,
            digests,
            taken: artifact.taken,
            content,
        }))
    }

    fn take_live<F>(
        &self,
        path: RelPath,
        stored: String,
        ask: &Staging<'_, F>,
    ) -> Result<Option<StagedFile>, StageError> {
        let live = absolute(&self.source, &path);
        let hashed = hash_live(&live, ask.wanted, ask.interrupt);
        ask.interrupt.check()?;
        match gone_or(&live, hashed)? {
            None => Ok(None),
            Some(Some((digests, metadata))) => {
                let content = Content::Live(Version::of(&metadata));
                // Those of the version that was read, which may be younger than the walk.
                let attributes = attributes(&metadata);
                let taken = Taken::Direct;
                Ok(Some(StagedFile {
                    path,
                    attributes,
                    stored,
                    digests,
                    taken,
                    content,
                }))
            }
            // It changes too quickly to be read from the live tree, not too quickly to be copied.
            Some(None) => self.take_copy(&path, &stored, ask.wanted, ask.interrupt),
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
            let digests = hash_file(&place, wanted, interrupt).map_err(|source| {
                interrupt.check().err().map_or(
                    StageError::Staging {
                        path: place.clone(),
                        source,
                    },
                    StageError::Interrupted,
                )
            })?;
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
        fs::create_dir_all(parent).map_err(|source| StageError::Staging {
            path: parent.to_owned(),
            source,
        })?;
        Ok(place)
    }
}

/// Copies a file's content; `None` if the app deleted it. A failed write is the staging directory's,
/// a failed read the live file's.
fn copy(live: &Path, place: &Path) -> Result<Option<()>, StageError> {
    let staging = |source| StageError::Staging {
        path: place.to_owned(),
        source,
    };
    let Some(mut from) = gone_or(live, fs::File::open(live))? else {
        return Ok(None);
    };
    let mut to = fs::File::create(place).map_err(staging)?;
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

/// `None` for a file that the app deleted meanwhile; any other error names the file.
fn gone_or<T>(path: &Path, result: io::Result<T>) -> Result<Option<T>, StageError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StageError::Unreadable {
            path: path.to_owned(),
            source,
        }),
    }
}
