//! Preflight: everything that can be known to fail is found out before anything is paused.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use copal_core::manifest::{Manifest, Taken};
use copal_core::path::RelPath;
use copal_core::snapshot::SnapshotId;
use copal_core::stored::NameLimit;
use copal_core::units::ByteCount;
use jiff::Timestamp;

use super::plan::{Plan, databases};
use super::snapshots::{Store, StoreError};
use crate::capability::artifacts::Artifact;
use crate::capability::sqlite::Copied;
use crate::edge::frozen::existing;
use crate::edge::hash::Wanted;
use crate::edge::remote::{Abilities, Remote, RemoteError};
use crate::edge::staging::room;

/// A destination that answers.
pub struct Ready {
    /// The remote.
    pub remote: Box<dyn Remote>,
    /// What it can do.
    pub abilities: Abilities,
    /// Snapshot directories that are there already, sealed or not.
    pub started: Vec<SnapshotId>,
    /// The newest sealed snapshot whose manifest can be read.
    pub last: Option<Manifest>,
    /// Newer ones whose manifest can't be trusted: no reason to make no snapshot, quite the
    /// contrary, but somebody has to know.
    pub damaged: Vec<StoreError>,
}

/// Why a run must not begin.
#[derive(Debug, thiserror::Error)]
pub enum PreflightError {
    /// The remote can't be reached, or refuses.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// Its snapshots can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A snapshot would hold itself.
    #[error("the destination `{}` lies inside the source `{}`", .destination.display(), .origin.display())]
    DestinationInSource {
        /// Where snapshots would go.
        destination: PathBuf,
        /// The source.
        origin: PathBuf,
    },
    /// Snapshots would be written among what they are taken of.
    #[error("the source `{}` lies inside the destination `{}`", .origin.display(), .destination.display())]
    SourceInDestination {
        /// The source.
        origin: PathBuf,
        /// Where snapshots would go.
        destination: PathBuf,
    },
    /// The staging directory's disk is too full.
    #[error(
        "the staging directory has room for {free}, and the copies of the databases need {needed}"
    )]
    NoRoom {
        /// What it has.
        free: ByteCount,
        /// What it would take.
        needed: ByteCount,
    },
    /// The disk on which files are frozen is too full.
    #[error(
        "`{}` has room for {free}, and the copies that are made while services are held need {needed}",
        .place.display()
    )]
    NoRoomToFreeze {
        /// Where they go.
        place: PathBuf,
        /// What it has.
        free: ByteCount,
        /// What it would take.
        needed: ByteCount,
    },
    /// The staging directory can't be looked at.
    #[error("can't tell how much room `{}` has", .path.display())]
    Room {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A snapshot of a time that is still to come, by more than clocks differ.
    #[error("the newest snapshot ({newest}) is of a time that is still to come")]
    FromTheFuture {
        /// It.
        newest: SnapshotId,
    },
    /// Files of the last snapshot, and none now.
    #[error("the source has no files, and the last snapshot ({last}) has {files}")]
    SourceEmptied {
        /// How many there were.
        files: u64,
        /// The last snapshot.
        last: SnapshotId,
    },
    /// Databases of the last snapshot that are gone.
    #[error("{} of the last snapshot ({last}) is gone, or no database any more", databases(.paths))]
    DatabaseMissing {
        /// Their paths.
        paths: Vec<RelPath>,
        /// The last snapshot.
        last: SnapshotId,
    },
    /// Databases that held something in the last snapshot, and nothing now.
    #[error("{} held data in the last snapshot ({last}) and is empty", databases(.paths))]
    DatabaseEmptied {
        /// Their paths.
        paths: Vec<RelPath>,
        /// The last snapshot.
        last: SnapshotId,
    },
}

/// Asks a destination everything that the run has to know of it.
pub fn reach(remote: Box<dyn Remote>, name: &str, source: &Path) -> Result<Ready, PreflightError> {
    let abilities = remote.abilities()?;
    for root in &abilities.local_roots {
        check_apart(source, root)?;
    }
    let store = Store::new(&*remote, name);
    let started = store.started()?;
    let (mut last, mut damaged) = (None, Vec::new());
    for id in store.sealed_from_newest()? {
        match id.and_then(|id| store.manifest(id)) {
            Ok(manifest) => {
                last = Some(manifest);
                break;
            }
            Err(error @ StoreError::Manifest { .. }) => damaged.push(error),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Ready {
        remote,
        abilities,
        started,
        last,
        damaged,
    })
}

/// Whether the newest snapshot is older than now, as far as two clocks agree: `latest` means the newest.
pub fn check_clock(started: &[SnapshotId], now: Timestamp) -> Result<(), PreflightError> {
    const CLOCKS_DIFFER: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);
    let limit = SnapshotId::at(now + CLOCKS_DIFFER);
    match started.iter().max() {
        Some(newest) if *newest > limit => Err(PreflightError::FromTheFuture { newest: *newest }),
        _ => Ok(()),
    }
}

fn check_apart(source: &Path, root: &Path) -> Result<(), PreflightError> {
    let origin = source.to_owned();
    let destination = real(root);
    if destination.starts_with(&origin) {
        return Err(PreflightError::DestinationInSource {
            destination,
            origin,
        });
    }
    if origin.starts_with(&destination) {
        return Err(PreflightError::SourceInDestination {
            origin,
            destination,
        });
    }
    Ok(())
}

/// Resolves links as far as the path exists.
fn real(path: &Path) -> PathBuf {
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Ok(real), ..) => real,
        // A link to what is not there yet leads there all the same.
        (Err(_), Some(parent), Some(_)) if path.is_symlink() => path
            .read_link()
            .map_or_else(|_| path.to_owned(), |target| real(&parent.join(target))),
        (Err(_), Some(parent), Some(name)) => real(parent).join(name),
        (Err(_), ..) => path.to_owned(),
    }
}

/// Whether the databases' copies fit, and what is copied while services are held.
pub fn check_room(plan: &Plan, staging: &Path) -> Result<(), PreflightError> {
    let databases = plan.staging_bytes();
    let staging = existing(staging);
    let free = room_at(staging)?;
    if free < databases {
        let needed = databases;
        return Err(PreflightError::NoRoom { free, needed });
    }
    let copies = plan.staging.choice.copies.bytes;
    if copies == ByteCount::ZERO {
        return Ok(());
    }
    let place = existing(&plan.staging.place);
    let free = room_at(place)?;
    let device = |path: &Path| path.metadata().map(|found| found.dev()).ok();
    let shared = device(place) == device(staging);
    let needed = if shared { databases + copies } else { copies };
    if free >= needed {
        return Ok(());
    }
    let place = plan.staging.place.clone();
    Err(PreflightError::NoRoomToFreeze {
        place,
        free,
        needed,
    })
}

fn room_at(path: &Path) -> Result<ByteCount, PreflightError> {
    room(path).map_err(|source| PreflightError::Room {
        path: path.to_owned(),
        source,
    })
}

/// Whether there is anything left of what the last snapshot has, and every database still is one, unless it is left out by now.
pub fn check_missing(plan: &Plan, last: &Manifest) -> Result<(), PreflightError> {
    let files = last.totals.files;
    if files > 0 && plan.files().0 == 0 {
        return Err(PreflightError::SourceEmptied {
            files,
            last: last.id,
        });
    }
    let left_out = |path: &RelPath| {
        plan.walked
            .left_out
            .iter()
            .any(|(left_out, subtree)| left_out == path || (*subtree && path.is_within(left_out)))
    };
    let paths: Vec<RelPath> = last_databases(last)
        .filter(|(path, _)| {
            !plan
                .databases
                .iter()
                .any(|database| database.path == **path)
        })
        .filter(|(path, _)| !left_out(path))
        .map(|(path, _)| path.clone())
        .collect();
    if paths.is_empty() {
        return Ok(());
    }
    Err(PreflightError::DatabaseMissing {
        paths,
        last: last.id,
    })
}

/// Whether no database lost all its tables since the last snapshot.
pub fn check_emptied(artifacts: &[Artifact], last: &Manifest) -> Result<(), PreflightError> {
    // A database that never held anything is at most one page.
    let emptied = |path: &RelPath, last_size: ByteCount| {
        artifacts
            .iter()
            .filter(|artifact| artifact.stands_in_for == *path)
            .any(|artifact| {
                let one_page = |copied: Copied| ByteCount(copied.page_size.into());
                artifact
                    .database
                    .is_some_and(|now| !now.has_schema && last_size > one_page(now))
            })
    };
    let paths: Vec<RelPath> = last_databases(last)
        .filter(|(path, size)| emptied(path, *size))
        .map(|(path, _)| path.clone())
        .collect();
    if paths.is_empty() {
        return Ok(());
    }
    Err(PreflightError::DatabaseEmptied {
        paths,
        last: last.id,
    })
}

fn last_databases(last: &Manifest) -> impl Iterator<Item = (&RelPath, ByteCount)> {
    last.entries.iter().filter_map(|entry| {
        let file = entry.file()?;
        (file.taken == Taken::SqliteBackup).then_some((&entry.path, file.size))
    })
}

/// The snapshot's id: the second in which the run began, or the next that is not taken.
pub fn choose_id(started: Timestamp, taken: &[SnapshotId]) -> SnapshotId {
    std::iter::successors(Some(SnapshotId::at(started)), |id| Some(id.next()))
        .find(|id| !taken.contains(id))
        .expect("there are more seconds than snapshots")
}

/// The checksums that the destinations' remotes keep.
pub fn wanted(ready: &[&Ready]) -> Wanted {
    ready
        .iter()
        .map(|ready| ready.abilities.wanted())
        .fold(Wanted::default(), |sum, one| Wanted {
            sha1: sum.sha1 || one.sha1,
            md5: sum.md5 || one.md5,
        })
}

/// How long a name all destinations take.
pub fn names(ready: &[&Ready]) -> NameLimit {
    let limits = ready.iter().map(|ready| ready.abilities.names);
    limits.max().unwrap_or_default()
}
