//! What lies where a snapshot would be, and is none.

use jiff::{SignedDuration, Timestamp};

use crate::snapshot::SnapshotId;

/// For so long nobody takes a run that has not sealed its snapshot for dead: the first upload over a slow
/// line takes weeks.
pub const GRACE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What a directory without a manifest has that says whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The list of what a prune that was interrupted had still to remove.
    BeingPruned,
    /// The claim of a run.
    Claimed,
    /// Nothing of Copal's that says so.
    None,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOver {
    /// A prune was interrupted: what it had begun is ended.
    Finish,
    /// A run died long ago: all that it brought goes.
    Remove,
    /// A run may still be at it.
    Young,
    /// Nobody knows whose it is: it is never touched.
    Unknown,
}

/// Judges a directory that has a snapshot's name and no manifest.
pub fn left_over(id: SnapshotId, mark: Mark, now: Timestamp) -> LeftOver {
    match mark {
        Mark::BeingPruned => LeftOver::Finish,
        Mark::Claimed if now.duration_since(id.time()) > GRACE => LeftOver::Remove,
        Mark::Claimed => LeftOver::Young,
        Mark::None => LeftOver::Unknown,
    }
}
