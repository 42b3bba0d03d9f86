//! What became of the snapshots of a name.

use copal_core::retention::{LeftOver, Verdict};
use copal_core::snapshot::SnapshotId;
use copal_core::units::ByteCount;

use crate::record::PrunedRecord;

/// What became of the snapshots of a name at one destination.
#[derive(Debug, Clone)]
pub struct Pruned {
    /// The destination, secrets masked.
    pub place: String,
    /// The name.
    pub name: String,
    /// Whether nothing was done, and all is told as it would be.
    pub rehearsed: bool,
    /// Whether snapshots there may share files, so that less is freed than the files of one hold.
    pub may_share: bool,
    /// The sealed snapshots, newest first.
    pub snapshots: Vec<Judged>,
    /// What lies where snapshots would be, oldest first.
    pub left: Vec<Left>,
    /// Whether any snapshot is known to have been verified.
    pub any_verified: bool,
}

/// A sealed snapshot.
#[derive(Debug, Clone)]
pub struct Judged {
    /// Its id.
    pub id: SnapshotId,
    /// What is to become of it, and why.
    pub verdict: Verdict,
    /// What became of it; none for one that stays.
    pub fate: Option<Fate>,
}

/// A directory that has a snapshot's name and no manifest.
#[derive(Debug, Clone)]
pub struct Left {
    /// Its name.
    pub id: SnapshotId,
    /// What is to become of it.
    pub verdict: LeftOver,
    /// What became of it; none for one that stays.
    pub fate: Option<Fate>,
}

/// What became of something that was to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It would go; what its files hold, where that is known.
    Would(Option<ByteCount>),
    /// It is gone.
    Gone {
        /// What was freed, old versions included.
        bytes: ByteCount,
        /// Files that are none of Copal's, and lie there still.
        others: u64,
    },
    /// Something of it is still there.
    NotGone,
}

impl Pruned {
    /// Those that are gone, or would go, with what was not sealed.
    pub fn going(&self) -> impl Iterator<Item = (SnapshotId, &Fate)> {
        let snapshots = self.snapshots.iter().map(|one| (one.id, &one.fate));
        let left = self.left.iter().map(|one| (one.id, &one.fate));
        let all = left.chain(snapshots);
        all.filter_map(|(id, fate)| Some((id, fate.as_ref()?)))
    }

    /// What somebody may ask for later, if anything went.
    pub fn note(&self) -> Option<String> {
        let gone = self.going();
        let gone = gone.filter(|(_, fate)| matches!(fate, Fate::Gone { .. }));
        let gone: Vec<_> = gone.map(|(id, _)| id.to_string()).collect();
        let (place, most, freed) = (&self.place, self.at_most(), self.freed());
        let gone = gone.join(", ");
        (!gone.is_empty()).then(|| format!("pruned at {place}, {most}{freed} freed: {gone}"))
    }

    /// What the history keeps of it: the sealed snapshots that are gone.
    pub fn records(&self) -> impl Iterator<Item = PrunedRecord> {
        let is_gone = |one: &&Judged| matches!(one.fate, Some(Fate::Gone { .. }));
        self.snapshots
            .iter()
            .filter(is_gone)
            .map(|one| PrunedRecord {
                id: one.id,
                destination: self.place.clone(),
            })
    }

    /// What stands before a number of bytes that are freed: a file that another snapshot has as well frees none.
    pub fn at_most(&self) -> &'static str {
        if self.may_share { "up to " } else { "" }
    }

    /// What was freed, or would be.
    pub fn freed(&self) -> ByteCount {
        let bytes = self.going().map(|(_, fate)| match fate {
            Fate::Gone { bytes, .. } => *bytes,
            Fate::Would(bytes) => bytes.unwrap_or_default(),
            Fate::NotGone => ByteCount::ZERO,
        });
        bytes.sum()
    }
}
