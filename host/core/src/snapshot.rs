//! What snapshots are called, and how a person names one.

use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A snapshot's name on the remote: the second (UTC) in which its run began, written so that it
/// sorts by time and is a sound file name everywhere: `2026-11-24T030000Z`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SnapshotId(Timestamp);

/// So much two clocks may differ, and a snapshot still not be of a time that is to come.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

const FORMAT: &str = "%Y-%m-%dT%H%M%SZ";

impl SnapshotId {
    /// The id of a run that began at `time`; fractions of a second are dropped.
    pub fn at(time: Timestamp) -> Self {
        Self(Timestamp::from_second(time.as_second()).expect("the seconds of a valid time"))
    }

    /// The second that the id names.
    pub fn time(self) -> Timestamp {
        self.0
    }

    /// The id one second later: for the second run within one second.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + SignedDuration::from_secs(1))
    }

    /// Whether it is of a time still to come, as far as two clocks agree.
    pub fn is_to_come(self, now: Timestamp) -> bool {
        self.0.duration_since(now) > CLOCKS_DIFFER
    }

    /// Whether both are of one day (UTC).
    pub fn is_same_day(self, other: Self) -> bool {
        let day = |id: Self| TimeZone::UTC.to_datetime(id.0).date();
        day(self) == day(other)
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.strftime(FORMAT).to_string())
    }
}

impl fmt::Debug for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SnapshotId({self})")
    }
}

/// A text that is no snapshot id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a snapshot id such as 2026-11-24T030000Z")]
pub struct InvalidSnapshotId(String);

impl FromStr for SnapshotId {
    type Err = InvalidSnapshotId;

    fn from_str(text: &str) -> Result<Self, InvalidSnapshotId> {
        let invalid = || InvalidSnapshotId(text.to_owned());
        let civil = DateTime::strptime(FORMAT, text).map_err(|_| invalid())?;
        let time = TimeZone::UTC.to_timestamp(civil).map_err(|_| invalid())?;
        let id = Self(time);
        // The parser is lenient (`2026-1-2`), directory names are not.
        if id.to_string() == text {
            Ok(id)
        } else {
            Err(invalid())
        }
    }
}

impl TryFrom<String> for SnapshotId {
    type Error = InvalidSnapshotId;
    fn try_from(text: String) -> Result<Self, InvalidSnapshotId> {
        text.parse()
    }
}

impl From<SnapshotId> for String {
    fn from(id: SnapshotId) -> Self {
        id.to_string()
    }
}

/// How a person names a snapshot: `latest`, an id, or what an id begins with (a date, say).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotRef {
    /// The newest sealed one.
    Latest,
    /// The one whose id begins so.
    Prefix(String),
}

impl FromStr for SnapshotRef {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // As lists show it, with the job's name before it.
        let text = text.rsplit('/').next().unwrap_or(text);
        Ok(if text == "latest" {
            Self::Latest
        } else {
            Self::Prefix(text.to_owned())
        })
    }
}

impl fmt::Display for SnapshotRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.pad("latest"),
            Self::Prefix(prefix) => f.pad(prefix),
        }
    }
}

/// Why a name does not stand for exactly one snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// There is no snapshot at all.
    #[error("there is no sealed snapshot")]
    Empty,
    /// None begins so.
    #[error("no sealed snapshot is called `{wanted}`")]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// The newest that there is.
        newest: SnapshotId,
    },
    /// Several do.
    #[error("`{wanted}` stands for {} snapshots", .candidates.len())]
    Ambiguous {
        /// What was asked for.
        wanted: String,
        /// All that it could mean, oldest first.
        candidates: Vec<SnapshotId>,
    },
}

impl SnapshotRef {
    /// The one snapshot of `known` that this name stands for.
    pub fn resolve(&self, known: &[SnapshotId]) -> Result<SnapshotId, ResolveError> {
        let newest = *known.iter().max().ok_or(ResolveError::Empty)?;
        let Self::Prefix(wanted) = self else {
            return Ok(newest);
        };
        let mut candidates: Vec<_> = known
            .iter()
            .copied()
            .filter(|id| id.to_string().starts_with(wanted))
            .collect();
        candidates.sort_unstable();
        match candidates[..] {
            [one] => Ok(one),
            [] => Err(ResolveError::Unknown {
                wanted: wanted.clone(),
                newest,
            }),
            _ => Err(ResolveError::Ambiguous {
                wanted: wanted.clone(),
                candidates,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(texts: &[&str]) -> Vec<SnapshotId> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn an_id_reads_back_and_sorts_by_time() {
        let id: SnapshotId = "2026-11-24T030000Z".parse().unwrap();
        assert_eq!(id.to_string(), "2026-11-24T030000Z");
        assert_eq!(id.next().to_string(), "2026-11-24T030001Z");
        assert!(id < id.next());
    }

    #[test]
    fn a_directory_that_only_resembles_an_id_is_none() {
        for text in [
            "2026-11-24",
            "2026-1-2T030000Z",
            "2026-11-24T030000",
            "latest",
            "2026-13-01T000000Z",
        ] {
            assert!(text.parse::<SnapshotId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_resolves_to_latest_an_id_or_a_unique_beginning() {
        let known = ids(&[
            "2026-11-23T030000Z",
            "2026-11-24T030000Z",
            "2026-11-24T150000Z",
        ]);
        let resolve = |text: &str| text.parse::<SnapshotRef>().unwrap().resolve(&known);
        assert_eq!(resolve("latest"), Ok(known[2]));
        assert_eq!(resolve("2026-11-23"), Ok(known[0]));
        assert_eq!(resolve("open-webui/2026-11-23T030000Z"), Ok(known[0]));
        assert_eq!(resolve("2026-11-24T03"), Ok(known[1]));
        assert!(
            matches!(resolve("2026-11-24"), Err(ResolveError::Ambiguous { candidates, .. }) if candidates == known[1..])
        );
        assert!(
            matches!(resolve("2025"), Err(ResolveError::Unknown { newest, .. }) if newest == known[2])
        );
        assert_eq!(SnapshotRef::Latest.resolve(&[]), Err(ResolveError::Empty));
    }
}
