//! Stage: everything that belongs to the snapshot, with its checksum and where its content is read.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use copal_core::manifest::{Attributes, COPAL_DIR, Entry, EntryKind, FileEntry, Taken};
use copal_core::path::RelPath;
use copal_core::stored::StoredNames;
use copal_core::units::ByteCount;
use jiff::Timestamp;

use crate::capability::artifacts::Artifact;
use crate::capability::sqlite;
use crate::edge::hash::{Digests, Wanted, hash_file, hash_live};
use crate::edge::interrupt::{Interrupt, Interrupted};
use crate::edge::staging::StagingDir;
use crate::edge::stat::Version;
use crate::edge::walk::{Filter, Found, FoundKind, WalkError, absolute, walk};
use crate::filters::FilterFailed;

/// Everything that belongs to the snapshot.
#[derive(Debug)]
pub struct Staged {
    /// Holds the artifacts; gone when this is dropped.
    pub staging: StagingDir,
    /// The live tree.
    pub source: PathBuf,
    /// Attributes of the tree's top.
    pub root: Attributes,
    /// Directories and symbolic links.
    pub others: Vec<Entry>,
    /// The files.
    pub files: Vec<StagedFile>,
    /// Sockets, pipes and devices: not data, and left out.
    pub specials: Vec<RelPath>,
    /// The names given on the remote.
    pub names: StoredNames,
    /// When the walk ended: nothing staged is younger.
    pub at: Timestamp,
}

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

/// Why staging failed.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// A file or directory can't be read.
    #[error("can't read `{}`", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A filter hook failed.
    #[error(transparent)]
    Filter(#[from] FilterFailed),
    /// A database has no artifact: it would be copied torn.
    #[error("no hook made a copy of the database `{0}`")]
    Uncovered(RelPath),
    /// A file never stood still.
    #[error("`{0}` kept changing while it was read")]
    NeverStill(RelPath),
    /// The staging directory can't be written.
    #[error("can't write `{}` in the staging directory", .path.display())]
    Staging {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A signal came.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl From<WalkError<FilterFailed>> for StageError {
    fn from(error: WalkError<FilterFailed>) -> Self {
        match error {
            WalkError::Unreadable { path, source } => Self::Unreadable { path, source },
            WalkError::Filter(failed) => Self::Filter(failed),
            WalkError::Interrupted(interrupted) => Self::Interrupted(interrupted),
        }
    }
}

/// What staging needs to know.
pub struct Staging<'a, F> {
    /// The live tree.
    pub source: &'a Path,
    /// Directories never entered: Copal's own.
    pub never: &'a [PathBuf],
    /// What belongs to the snapshot.
    pub filter: &'a mut F,
    /// What hooks made.
    pub artifacts: Vec<Artifact>,
    /// Databases that the owner lets be copied live.
    pub live_allowed: &'a dyn Fn(&RelPath) -> bool,
    /// Checksums that the destinations' remotes keep.
    pub wanted: Wanted,
    /// The clock.
    pub now: &'a dyn Fn() -> Timestamp,
    /// Asks for an end.
    pub interrupt: &'a Interrupt,
}

/// Walks the source and takes the checksum of everything that belongs to the snapshot.
pub fn stage<F>(staging_dir: StagingDir, mut ask: Staging<'_, F>) -> Result<Staged, StageError>
where
    F: Filter<Error = FilterFailed>,
{
    let walked = walk(ask.source, ask.never, ask.filter, ask.interrupt)?;
    let metadata = fs::metadata(ask.source).map_err(|source| StageError::Unreadable {
        path: ask.source.to_owned(),
        source,
    })?;
    let mut staged = Staged {
        staging: staging_dir,
        source: ask.source.to_owned(),
        root: crate::edge::stat::attributes(&metadata),
        others: Vec::new(),
        files: Vec::new(),
        specials: Vec::new(),
        names: StoredNames::default(),
        at: (ask.now)(),
    };
    let artifacts = std::mem::take(&mut ask.artifacts);
    let mut stand_ins: HashMap<RelPath, Artifact> = artifacts
        .into_iter()
        .map(|artifact| (artifact.stands_in_for.clone(), artifact))
        .collect();
    let (sources, odd) = staged.sort_out(walked.kept, &mut stand_ins);
    // Plain names first: the encoded form of an odd name must not take one of theirs.
    for source in sources.into_iter().chain(odd) {
        ask.interrupt.check()?;
        let file = staged.take(source, &ask)?;
        staged.files.extend(file);
    }
    Ok(staged)
}

/// A file to be staged: a found one, or an artifact with the attributes of what it stands in for.
struct Source {
    path: RelPath,
    attributes: Attributes,
    artifact: Option<Artifact>,
    /// Its own name, where that can stay.
    plain: Option<String>,
}

impl Staged {
    /// Divides what was found into what lives in the manifest alone and what has content.
    fn sort_out(
        &mut self,
        kept: Vec<Found>,
        stand_ins: &mut HashMap<RelPath, Artifact>,
    ) -> (Vec<Source>, Vec<Source>) {
        let archived: Vec<RelPath> = stand_ins
            .values()
            .filter(|artifact| artifact.taken.archive_suffix().is_some())
            .map(|artifact| artifact.stands_in_for.clone())
            .collect();
        let databases: std::collections::HashSet<RelPath> = stand_ins
            .values()
            .filter(|artifact| artifact.taken == Taken::SqliteBackup)
            .map(|artifact| artifact.stands_in_for.clone())
            .collect();
        let (mut plain, mut odd) = (Vec::new(), Vec::new());
        for found in kept {
            let inside_archive = archived
                .iter()
                .any(|dir| found.path.is_within(dir) && found.path != *dir);
            if inside_archive || sqlite::is_sidecar(&found.path, |path| databases.contains(path)) {
                continue;
            }
            let artifact = stand_ins.remove(&found.path);
            let kind = match (&artifact, found.kind) {
                (Some(_), _) | (None, FoundKind::File) => None,
                (None, FoundKind::Directory) => Some(EntryKind::Directory),
                (None, FoundKind::Symlink(target)) => Some(EntryKind::Symlink {
                    target: copal_core::path::encode_bytes(&target),
                }),
                (None, FoundKind::Special(_)) => {
                    self.specials.push(found.path);
                    continue;
                }
            };
            if let Some(kind) = kind {
                self.others.push(Entry {
                    path: found.path,
                    attributes: found.attributes,
                    kind,
                });
                continue;
            }
            let path = artifact
                .as_ref()
                .map_or_else(|| found.path.clone(), Artifact::path);
            let plain_name =
                StoredNames::plain(&path, copal_rclone::travels_unchanged).map(str::to_owned);
            let source = Source {
                path,
                attributes: found.attributes,
                artifact,
                plain: plain_name,
            };
            match &source.plain {
                Some(name) => {
                    self.names.reserve(name);
                    plain.push(source);
                }
                None => odd.push(source),
            }
        }
        (plain, odd)
    }

    /// `None` for a file that the app deleted since the walk.
    fn take<F>(
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
            return self.take_live(path, attributes, stored, ask);
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
        attributes: Attributes,
        stored: String,
        ask: &Staging<'_, F>,
    ) -> Result<Option<StagedFile>, StageError> {
        let live = absolute(&self.source, &path);
        let hashed = hash_live(&live, ask.wanted, ask.interrupt);
        ask.interrupt.check()?;
        match gone_or(&live, hashed)? {
            None => Ok(None),
            Some(Some((digests, version))) => {
                let content = Content::Live(version);
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
                attributes: crate::edge::stat::attributes(&after),
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

    /// Sum of the files' sizes.
    pub fn bytes(&self) -> ByteCount {
        self.files.iter().map(|file| file.digests.size).sum()
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

/// Whether the source has a top-level name that snapshots need for themselves.
pub fn uses_reserved_name(found: &[Found]) -> bool {
    found
        .iter()
        .any(|found| found.path.as_bytes() == COPAL_DIR.as_bytes())
}
