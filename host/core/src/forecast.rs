//! Forecast: what a run will send to a destination, and what its calls there will be charged as.
//!
//! B2 charges for calls by what rclone asks it. What that is was counted, and a test with a server holds
//! this to it: within a tenth.

mod b2;
mod mirror;

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::charges::Charges;
use crate::manifest::{Manifest, Totals};
use crate::path::RelPath;
use crate::snapshot::SnapshotId;
use crate::units::ByteCount;

pub use self::b2::B2;
pub use self::mirror::{MirrorShape, Part, mirror_forecast};

/// What of a destination decides what is sent there, and by which calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Whether it copies its own files.
    pub copies: bool,
    /// Whether it is a folder in which what did not change gets a second name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub links: bool,
    /// How rclone sends to B2, where that is what charges for calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub b2: Option<B2>,
}

/// A file that the snapshot will have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected<'a> {
    /// Its path below the source.
    pub path: &'a RelPath,
    /// Its length.
    pub size: ByteCount,
    /// When it was changed.
    pub changed: Timestamp,
    /// Whether it is sent from a copy that is made first, as a database is.
    pub made: bool,
}

/// All that the snapshot will have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape<'a> {
    /// Its files.
    pub files: Vec<Expected<'a>>,
    /// Its directories and links, which the manifest alone has.
    pub others: u64,
}

/// The last snapshot at the destination.
#[derive(Debug, Clone, Copy)]
pub enum Last<'a> {
    /// Its manifest: what is in it.
    Manifest(&'a Manifest),
    /// What is kept here of the run that made it.
    Record {
        /// Its id.
        id: SnapshotId,
        /// When that run began.
        started: Timestamp,
        /// Its files.
        files: u64,
    },
}

/// What a run will come to at one destination.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forecast {
    /// What is uploaded.
    pub uploaded: Totals,
    /// What the remote copies of its own.
    pub copied: Totals,
    /// The snapshot's own files, the manifest and the checksums, about.
    pub own: ByteCount,
    /// What the calls there are charged as. None where it does not charge for calls, or is none that is
    /// known so well.
    pub calls: Option<Charges>,
}

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Uploaded,
    Copied,
    /// From another name.
    Renamed,
}

impl Last<'_> {
    fn id(&self) -> SnapshotId {
        match self {
            Self::Manifest(manifest) => manifest.id,
            Self::Record { id, .. } => *id,
        }
    }

    fn files(&self) -> u64 {
        match self {
            Self::Manifest(manifest) => manifest.totals.files,
            Self::Record { files, .. } => *files,
        }
    }
}

/// Tells what a run that begins on the same day as `today` will come to.
pub fn forecast(
    shape: &Shape<'_>,
    last: Option<Last<'_>>,
    terms: &Terms,
    today: SnapshotId,
) -> Forecast {
    let fates = fates(&shape.files, last.filter(|_| terms.copies || terms.links));
    let of = |uploaded: bool| {
        let files = shape.files.iter().zip(&fates);
        let files = files.filter(|(_, fate)| (**fate == Fate::Uploaded) == uploaded);
        files.fold(Totals::default(), |sum, (file, _)| Totals {
            files: sum.files + 1,
            bytes: sum.bytes + file.size,
        })
    };
    let before = last.map(|last| b2::Before {
        files: last.files(),
        same_day: last.id().is_same_day(today),
    });
    Forecast {
        uploaded: of(true),
        copied: of(false),
        own: own(shape, terms),
        calls: terms
            .b2
            .as_ref()
            .map(|b2| b2.calls(&shape.files, &fates, before)),
    }
}

/// By content nothing is known yet: what is as old as the last snapshot, or looks as it did then, is taken
/// for the same.
fn fates(files: &[Expected<'_>], last: Option<Last<'_>>) -> Vec<Fate> {
    let (mut by_path, mut by_look) = (HashMap::new(), HashSet::new());
    if let Some(Last::Manifest(manifest)) = last {
        for (_, entry, file) in manifest.files() {
            by_path.insert(&entry.path, (file.size, entry.attributes.mtime));
            by_look.insert((file.size, entry.attributes.mtime));
        }
    }
    let fate = |file: &Expected<'_>| {
        let look = (file.size, file.changed);
        // Empty ones cost as much to copy.
        let last = last.filter(|_| file.size > ByteCount::ZERO);
        match last {
            Some(Last::Record { started, .. }) if file.changed < started => Fate::Copied,
            Some(Last::Manifest(manifest)) => match by_path.get(file.path) {
                Some(_) if file.made && file.changed < manifest.run.started => Fate::Copied,
                Some(there) if *there == look && !file.made => Fate::Copied,
                _ if by_look.contains(&look) && !file.made => Fate::Renamed,
                _ => Fate::Uploaded,
            },
            Some(Last::Record { .. }) | None => Fate::Uploaded,
        }
    };
    files.iter().map(fate).collect()
}

/// About as many bytes as the manifest and the checksums have of each.
fn own(shape: &Shape<'_>, terms: &Terms) -> ByteCount {
    own_of(shape.files.iter(), shape.others, terms)
}

fn own_of<'f>(
    files: impl Iterator<Item = &'f Expected<'f>>,
    others: u64,
    terms: &Terms,
) -> ByteCount {
    const ALL: u64 = 870;
    const FILE: u64 = 358;
    /// A second checksum, which B2 keeps of what it is given plainly.
    const SHA1: u64 = 52;
    const OTHER: u64 = 150;
    let has_sha1 = terms.b2.as_ref().is_some_and(|b2| !b2.encrypts);
    let each = FILE + if has_sha1 { SHA1 } else { 0 };
    let length = |file: &Expected<'_>| each + 2 * file.path.as_bytes().len() as u64;
    let files: u64 = files.map(length).sum();
    ByteCount(ALL + files + OTHER * others)
}

#[cfg(test)]
mod tests;
