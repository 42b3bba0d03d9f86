//! Take: one file's content, with its checksum, in one version.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use copal_core::manifest::{Attributes, Entry, EntryKind, FileEntry, Taken};
use copal_core::path::RelPath;

use super::stage::{StageError, Staged};
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

/// A file to be staged: a found one, or what a hook made, with the attributes of what it stands in
/// for.
pub(super) struct Source {
    pub(super) path: RelPath,
    pub(super) attributes: Attributes,
    pub(super) made: Option<Made>,
    /// Its name on the remote.
    pub(super) stored: String,
}

/// A file that a hook had made.
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

/// How files are taken.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    /// Databases that the owner lets be copied live.
    pub(super) live_allowed: &'a (dyn Fn(&RelPath) -> bool + Sync),
    /// Checksums that the destinations' remotes keep.
    pub(super) wanted: Wanted,
    /// Asks for an end.
    pub(super) interrupt: &'a Interrupt,
}

impl Staged {
    /// Takes many files, on every core: reading and hashing is all the work there is.
    pub(super) fn take_all(
        &self,
        sources: Vec<Source>,
        terms: Terms<'_>,
    ) -> Result<Vec<StagedFile>, StageError> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let waiting = Mutex::new(sources.into_iter());
        let next = || {
            waiting
                .lock()
                .expect("no holder of this lock panics")
                .next()
        };
        let work = || {
            let mut taken = Vec::new();
            while let Some(source) = next() {
                terms.interrupt.check()?;
                taken.extend(self.take(source, terms)?);
            }
            Ok(taken)
        };
        let parts: Result<Vec<Vec<StagedFile>>, StageError> = thread::scope(|scope| {
            let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .map(|worker| worker.join().expect("staging does not panic"))
                .collect()
        });
        let mut files: Vec<StagedFile> = parts?.into_iter().flatten().collect();
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// `None` for a file that the app deleted since the walk.
    fn take(&self, source: Source, terms: Terms<'_>) -> Result<Option<StagedFile>, StageError> {
        if let Some(made) = &source.made {
            return self.take_made(&source, made, terms).map(Some);
        }
        let Source { path, stored, .. } = source;
        let live = absolute(&self.source, &path);
        let torn = !(terms.live_allowed)(&path);
        if torn && gone_or(&live, sqlite::is_database(&live))? == Some(true) {
            return Err(StageError::Uncovered(path));
        }
        if stored.as_bytes() == path.as_bytes() {
            self.take_live(path, stored, terms)
        } else {
            self.take_copy(&path, &stored, terms.wanted, terms.interrupt)
        }
    }

    fn take_made(
        &self,
        source: &Source,
        made: &Made,
        terms: Terms<'_>,
    ) -> Result<StagedFile, StageError> {
        let place = self.place(&source.stored)?;
        fs::rename(&made.file, &place).map_err(in_staging(&place))?;
        Ok(StagedFile {
            path: source.path.clone(),
            attributes: source.attributes,
            stored: source.stored.clone(),
            digests: hash_staged(&place, terms.wanted, terms.interrupt)?,
            taken: made.taken,
            content: Content::Staged,
        })
    }

    fn take_live(
        &self,
        path: RelPath,
        stored: String,
        terms: Terms<'_>,
    ) -> Result<Option<StagedFile>, StageError> {
        let live = absolute(&self.source, &path);
        let hashed = hash_live(&live, terms.wanted, terms.interrupt);
        terms.interrupt.check()?;
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
            Some(None) => self.take_copy(&path, &stored, terms.wanted, terms.interrupt),
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

fn in_staging(path: &Path) -> impl Fn(io::Error) -> StageError {
    move |source| StageError::Staging {
        path: path.to_owned(),
        source,
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
