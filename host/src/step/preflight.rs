//! Preflight: everything that can be known to fail is found out before anything is paused.

mod above;
mod apart;
mod before;
mod error;
mod last;
mod linked;
mod room;

use std::path::Path;

use copal_core::charges::Charges;
use copal_core::forecast::Terms;
use copal_core::manifest::{COPAL_DIR, Manifest};
use copal_core::mirror::{Map, Spot};
use copal_core::mounts::Lost;
use copal_core::snapshot::SnapshotId;
use copal_core::stored::NameLimit;
use copal_core::survey::{Place, Survey};
use copal_core::units::ByteCount;
use jiff::Timestamp;

use super::snapshots::StoreError;
use crate::edge::hash::Wanted;
use crate::edge::remote::{Abilities, Remote};
use crate::edge::walk::Walked;
use apart::{check_apart, spots};
use before::Before;
use room::{check_room_there, check_writable, linkable};

pub use above::{Above, check_above};
pub use apart::check_one_another;
pub use error::PreflightError;
pub use last::{check_emptied, check_mapped, check_missing, unmounted};
pub use linked::check_unlinked;
pub use room::{check_portions, check_room, room_at, try_to_write};

pub(super) use error::not_mounted;

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
