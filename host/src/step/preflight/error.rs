//! Why a run must not begin.

use std::io;
use std::path::PathBuf;

use copal_core::mounts::Lost;
use copal_core::path::RelPath;
use copal_core::snapshot::SnapshotId;
use copal_core::survey::Hindrance;
use copal_core::units::ByteCount;

use crate::edge::remote::RemoteError;
use crate::step::mirror::MirrorError;
use crate::step::plan::databases;
use crate::step::snapshots::StoreError;

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
pub(in crate::step) fn not_mounted(lost: &[Lost]) -> String {
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
