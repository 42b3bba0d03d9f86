//! Preflight: everything that can be known to fail is found out before anything is paused.

mod above;
mod apart;
mod before;
mod last;
mod linked;
mod room;

use std::io;
use std::path::{Path, PathBuf};

use copal_core::charges::Charges;
use copal_core::forecast::Terms;
use copal_core::manifest::{COPAL_DIR, Manifest};
use copal_core::mirror::{Map, Spot};
use copal_core::mounts::Lost;
use copal_core::path::RelPath;
use copal_core::snapshot::SnapshotId;
use copal_core::stored::NameLimit;
use copal_core::survey::{Hindrance, Place, Survey};
use copal_core::units::ByteCount;
use jiff::Timestamp;

use super::mirror::MirrorError;
use super::plan::databases;
use super::snapshots::StoreError;
use crate::edge::hash::Wanted;
use crate::edge::remote::{Abilities, Remote, RemoteError};
use crate::edge::walk::Walked;
use apart::{check_apart, spots};
use before::Before;
use room::{check_room_there, check_writable, linkable};

pub use above::{Above, check_above};
pub use apart::check_one_another;
pub use last::{check_emptied, check_mapped, check_missing, unmounted};
pub use linked::check_unlinked;
pub use room::{check_portions, check_room, room_at, try_to_write};

/// A destination that answers.
pub struct Ready {
    /// The remote.
    pub remote: Box<dyn Remote>,
    /// What it can do.
    pub abilities: Abilities,
    /// What decides which calls a run makes there, and what it sends.
    pub terms: Terms,
    /// Snapshot directories that are there already, sealed or not.
    pub started: Vec<SnapshotId>,
    /// Where it lies, in all words that are known.
    pub spots: Vec<Spot>,
    /// How many directories above were looked at for other mirrors.
    pub above: u64,
    /// The newest sealed snapshot whose manifest can be read.
    pub last: Option<Manifest>,
    /// Newer ones whose manifest can't be trusted: no reason to make no snapshot, quite the
    /// contrary, but somebody has to know.
    pub damaged: Vec<StoreError>,
    /// Whether that is a mirror's: which job it is of, and what that sent there, can't be told any more.
    pub is_unlisted: bool,
    /// What its answers are charged as, where it charges for calls.
    pub charges: Option<Charges>,
    /// File systems that were mounted in the source for that, and are missing: what goes there all the same
    /// goes without them.
    pub unmounted: Vec<Lost>,
    /// What of the destination falls short and keeps no snapshot from being made.
    pub warnings: Vec<PreflightError>,
}

/// What is to go to a destination.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The job's name.
    pub name: &'a str,
    /// Which folders of it have what, where it is a mirror.
    pub map: Option<&'a Map>,
    /// The source.
    pub source: &'a Path,
    /// What was found in it.
    pub walked: &'a Walked,
    /// What its files come to.
    pub bytes: ByteCount,
    /// Whether something may be written to the destination, to see whether it can be.
    pub may_write: bool,
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
    /// The mirror can't follow the source.
    #[error(transparent)]
    Mirror(Box<MirrorError>),
    /// A snapshot would hold itself.
    #[error("the destination `{}` lies inside the source `{}`", .destination.display(), .origin.display())]
    DestinationInSource {
        /// Where snapshots would go.
        destination: PathBuf,
        /// The source.
        origin: PathBuf,
    },
    /// The same by a bind mount, which no path shows.
    #[error("the destination `{}` lies inside the source: what is mounted at `{}` is the same", .destination.display(), .shown.display())]
    DestinationShownInSource {
        /// Where snapshots would go.
        destination: PathBuf,
        /// The directory of the source in which they would be seen.
        shown: PathBuf,
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
    /// The staging directory's disk is too full for the copies that live files are sent from.
    #[error(
        "the staging directory has room for {free}, and the copies of files on their way to `{place}` need {needed}"
    )]
    NoRoomToSend {
        /// The destination; secrets masked.
        place: String,
        /// What it has.
        free: ByteCount,
        /// What it would take at most at a time, with the copies of the databases.
        needed: ByteCount,
    },
    /// Something about the bucket, or the key to it.
    #[error("nothing can be backed up to `{place}`")]
    Hindered {
        /// The destination; secrets masked.
        place: String,
        /// What.
        source: Hindrance,
    },
    /// A folder of this machine that may not be written to.
    #[error("can't write to `{}`", .place.display())]
    NotWritable {
        /// The folder, or the one above that is there.
        place: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The destination is too full.
    #[error("`{place}` has room for {free}, and the snapshot needs {needed}")]
    NoRoomThere {
        /// The destination; secrets masked.
        place: String,
        /// What it has.
        free: ByteCount,
        /// What the source's files come to.
        needed: ByteCount,
    },
    /// Snapshots disappear by a rule of the bucket's.
    #[error(
        "a lifecycle rule of the bucket hides files of `{place}` {days} days after they are uploaded"
    )]
    Hides {
        /// The destination; secrets masked.
        place: String,
        /// How long they stay.
        days: u32,
    },
    /// A server's clock is not this machine's.
    #[error("this machine's clock is {} minutes {} that of {host}", .seconds.abs() / 60, if *.seconds < 0 { "behind" } else { "ahead of" })]
    ClockOff {
        /// The server.
        host: String,
        /// By how much this machine's is ahead.
        seconds: i64,
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
    /// File systems that were mounted in the source, and are not now.
    #[error("{}: the last snapshot with files of {} is {last}", not_mounted(.lost), if .lost.len() == 1 { "that disk" } else { "those disks" })]
    Unmounted {
        /// They.
        lost: Vec<Lost>,
        /// The last snapshot that has them.
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

/// What is not mounted where something was.
pub(super) fn not_mounted(lost: &[Lost]) -> String {
    let (replaced, gone): (Vec<&Lost>, Vec<&Lost>) = lost.iter().partition(|it| it.is_replaced);
    let at = |lost: Vec<&Lost>, what: &str| {
        let paths: Vec<RelPath> = lost.iter().map(|it| it.path.clone()).collect();
        (!paths.is_empty()).then(|| format!("{what} {}", crate::error::some(&paths)))
    };
    let gone = at(gone, "nothing is mounted any more at");
    let replaced = at(
        replaced,
        "another disk or directory, or one that has lost most of its files, is mounted at",
    );
    let all: Vec<String> = gone.into_iter().chain(replaced).collect();
    all.join(", and ")
}

/// Asks a destination everything that the run has to know of it.
pub fn reach(remote: Box<dyn Remote>, asked: Asked<'_>) -> Result<Ready, PreflightError> {
    remote.take_charges(); // what was before is none of its
    let survey = remote.survey(asked.may_write)?;
    let shown = remote.shown();
    let tops = asked.tops();
    let tops_of = |place| tops.iter().map(move |top| (place, *top));
    let mut hindrances = survey
        .places
        .iter()
        .flat_map(tops_of)
        .filter_map(|(place, top): (&Place, &str)| place.hindrance(top));
    if let Some(source) = hindrances.next() {
        let place = shown;
        return Err(PreflightError::Hindered { place, source });
    }
    let abilities = remote.abilities()?;
    for root in &abilities.local_roots {
        check_apart(asked, root)?;
        for folder in asked.map.map(Map::folders).unwrap_or_default() {
            check_apart(asked, &root.join(folder))?;
        }
    }
    let Before {
        started,
        last,
        damaged,
        is_unlisted,
    } = Before::at(&*remote, asked)?;
    check_writable(&abilities)?;
    let has = match &last {
        // A mirror has most of it already.
        Some(last) if asked.map.is_some() => last.totals.bytes,
        Some(last) if abilities.links => linkable(last, asked.walked),
        Some(_) | None => ByteCount::ZERO,
    };
    let needed = ByteCount(asked.bytes.0.saturating_sub(has.0));
    check_room_there(&*remote, needed)?;
    Ok(Ready {
        spots: spots(&survey, &abilities),
        above: 0,
        warnings: warnings(survey, &shown, &tops),
        charges: remote.take_charges(),
        terms: remote.terms()?,
        unmounted: Vec::new(),
        remote,
        abilities,
        started,
        last,
        damaged,
        is_unlisted,
    })
}

impl<'a> Asked<'a> {
    /// The directories below the destination that are written to.
    fn tops(self) -> Vec<&'a str> {
        match self.map {
            None => vec![self.name],
            Some(map) if map.is_whole() => vec![""],
            Some(map) => [map.folders(), vec![COPAL_DIR]].concat(),
        }
    }
}

fn warnings(survey: Survey, place: &str, tops: &[&str]) -> Vec<PreflightError> {
    let hides = |place: &'_ Place| tops.iter().find_map(|top| place.hides(top)).cloned();
    let rules = survey.places.iter().filter_map(hides);
    let hiding = rules.map(|rule| PreflightError::Hides {
        place: place.to_owned(),
        days: rule.days,
    });
    let mut warnings: Vec<_> = hiding.collect();
    let clocks = survey.clocks.into_iter();
    warnings.extend(clocks.map(|clock| PreflightError::ClockOff {
        host: clock.host,
        seconds: clock.seconds,
    }));
    warnings
}

/// Whether the newest snapshot is older than now, as far as two clocks agree: `latest` means the newest.
pub fn check_clock(started: &[SnapshotId], now: Timestamp) -> Result<(), PreflightError> {
    match started.iter().max() {
        Some(newest) if newest.is_to_come(now) => {
            Err(PreflightError::FromTheFuture { newest: *newest })
        }
        _ => Ok(()),
    }
}

/// The snapshot's id: the second in which the run began, or the next after all that are taken. A second that
/// is free again, as what had it was pruned, would make the later snapshot the older one. One of a time still
/// to come pushes none ahead.
pub fn choose_id(started: Timestamp, taken: &[SnapshotId]) -> SnapshotId {
    let now = SnapshotId::at(started);
    let so_far = taken.iter().filter(|id| !id.is_to_come(started));
    let first = so_far.max().map_or(now, |newest| newest.next().max(now));
    std::iter::successors(Some(first), |id| Some(id.next()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_snapshot_has_a_later_id_also_where_an_earlier_second_is_free_again() {
        let now: Timestamp = "2026-11-24T03:00:00.9Z".parse().unwrap();
        let ids = |taken: &[&str]| -> Vec<SnapshotId> {
            taken.iter().map(|id| id.parse().unwrap()).collect()
        };
        for (taken, chosen) in [
            (&[][..], "2026-11-24T030000Z"),
            (&["2026-11-23T030000Z"], "2026-11-24T030000Z"),
            (&["2026-11-24T030000Z"], "2026-11-24T030001Z"),
            (&["2026-11-24T030001Z"], "2026-11-24T030002Z"),
            (&["2050-01-01T000000Z"], "2026-11-24T030000Z"),
        ] {
            let id = choose_id(now, &ids(taken));
            assert_eq!(id.to_string(), chosen, "{taken:?}");
        }
    }
}
