//! How it stands with a job: at a glance for a person, and for a monitoring check by the exit code.

use std::fmt::Write as _;
use std::time::Duration;

use copal_core::freshness::Freshness;
use copal_core::snapshot::SnapshotId;
use copal_core::text::minute;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Output;
use crate::error::CopalError;
use crate::job::Place;
use crate::record::Record;

/// All that is known of a job on this machine.
#[derive(Debug)]
pub struct Status {
    /// Its name.
    pub name: String,
    /// When this is.
    pub now: Timestamp,
    /// How old the last good backup may be.
    pub max_age: Option<Duration>,
    /// Each destination.
    pub destinations: Vec<Destination>,
    /// Its last backup, however it ended.
    pub last_run: Option<Record>,
    /// Its last drill, however it ended.
    pub last_drill: Option<Record>,
    /// When it is started by itself the next time.
    pub next: Option<Timestamp>,
}

/// One destination.
#[derive(Debug)]
pub struct Destination {
    /// It.
    pub place: Place,
    /// Its last good snapshot.
    pub snapshot: Option<SnapshotId>,
    /// When the run began that made it.
    pub began: Option<Timestamp>,
    /// Whether that is young enough.
    pub freshness: Freshness,
    /// When a snapshot there was last found to be as it was sealed, by a verification or a drill.
    pub verified: Option<Proof>,
    /// What is known of drills there.
    pub drills: Drills,
    /// The last verification, where it found the last good snapshot damaged.
    pub damaged: Option<Proof>,
}

/// What is known of drills at a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drills {
    /// The history was not asked, and nothing else tells.
    Unknown,
    /// What the history has.
    Known {
        /// When a snapshot was last tried, and worked.
        worked: Option<Proof>,
        /// When one was tried and did not work, where none has worked since.
        failed: Option<Proof>,
    },
}

impl Drills {
    fn worked(self) -> Option<Proof> {
        match self {
            Self::Unknown => None,
            Self::Known { worked, .. } => worked,
        }
    }

    fn failed(self) -> Option<Proof> {
        match self {
            Self::Unknown => None,
            Self::Known { failed, .. } => failed,
        }
    }
}

/// A snapshot that somebody looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// It.
    pub snapshot: SnapshotId,
    /// When.
    pub at: Timestamp,
    /// Whether it is known to have been pruned since.
    pub is_pruned: bool,
}

impl Proof {
    /// What a run found out about the snapshot at this destination.
    pub fn of(record: Option<Record>, place: &Place) -> Option<Self> {
        let record = record?;
        let snapshot = place.find(&record.snapshots)?.id;
        let at = record.started;
        Some(Self {
            snapshot,
            at,
            is_pruned: false,
        })
    }
}

impl Destination {
    fn is_well(&self) -> bool {
        self.freshness == Freshness::Fresh && self.trouble().is_none()
    }

    /// Its last good snapshot, in a line.
    pub(super) fn last(&self, status: &Status) -> String {
        let (Some(id), Some(began)) = (self.snapshot, self.began) else {
            return "no good backup that this machine knows of (`copal snapshots` asks there)"
                .to_owned();
        };
        let age = ago(status.now, began);
        match (self.freshness, status.max_age) {
            (Freshness::Overdue, Some(max_age)) => {
                let max_age = long(max_age);
                format!("{id}, {age}, which is too old: `max_age` is {max_age}")
            }
            _ => format!("{id}, {age}"),
        }
    }

    /// In one word.
    pub(super) fn state(&self) -> &'static str {
        match (self.trouble(), self.freshness) {
            (Some(Trouble::Damaged(_)), _) => "damaged",
            (Some(Trouble::Unproven(_)), Freshness::Fresh) => "unproven",
            (_, freshness) => freshness.name(),
        }
    }

    /// What keeps its snapshots from being relied on.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        let damaged = self.damaged.map(Trouble::Damaged);
        damaged.or_else(|| self.drills.failed().map(Trouble::Unproven))
    }

    /// When it was last proven to be good for something.
    pub(super) fn proofs(&self, now: Timestamp) -> String {
        let of = |proof: Option<Proof>| match proof {
            Some(Proof { snapshot, at, .. }) if Some(snapshot) == self.snapshot => ago(now, at),
            Some(Proof {
                snapshot,
                at,
                is_pruned,
            }) => {
                let since = if is_pruned { ", pruned since" } else { "" };
                format!("{} ({snapshot}{since})", ago(now, at))
            }
            None => "never".to_owned(),
        };
        let verified = format!("verified {}", of(self.verified));
        match self.drills {
            Drills::Unknown => verified,
            Drills::Known { worked, .. } => format!("{verified}; drilled {}", of(worked)),
        }
    }
}

/// What keeps snapshots from being relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The last verification found the last good one damaged.
    Damaged(Proof),
    /// The last one that was tried did not work.
    Unproven(Proof),
}

impl Trouble {
    /// In a line, for whoever looks at this moment.
    pub(super) fn told(self, now: Timestamp) -> String {
        match self {
            Self::Damaged(Proof { at, .. }) => format!("found to be damaged {}", ago(now, at)),
            Self::Unproven(Proof { snapshot, at, .. }) => {
                format!("the last drill, {}, failed ({snapshot})", ago(now, at))
            }
        }
    }

    /// What to do.
    fn next(self) -> &'static str {
        match self {
            Self::Damaged(_) => "`copal history` has the verification",
            Self::Unproven(_) => {
                "`copal history` has it; `copal drill` tries again what is there now"
            }
        }
    }
}

impl Status {
    /// Whether every destination has a backup that is young enough, whatever is known of it.
    pub(super) fn has_all_backups(&self) -> bool {
        let mut all = self.destinations.iter();
        all.all(|one| one.freshness == Freshness::Fresh)
    }

    /// Whether every destination has what it should.
    pub fn is_well(&self) -> bool {
        let mut all = self.destinations.iter();
        all.all(Destination::is_well)
    }
}

/// Prints it.
pub fn print(status: &Status, output: Output) -> Result<(), CopalError> {
    if output.json {
        return super::json(&to_json(status));
    }
    super::result(&text(status))
}

fn text(status: &Status) -> String {
    let mut text = String::new();
    let mut row = |label: &str, told: &str| {
        writeln!(text, "{label:<12}{told}").expect("a String takes every write");
    };
    row("job", &status.name);
    for one in &status.destinations {
        let told = one.last(status);
        row(one.state(), &format!("{}: {told}", one.place.told()));
        if let Some(trouble) = one.trouble() {
            let told = trouble.told(status.now);
            row("", &format!("{told}: {}", trouble.next()));
        }
        if one.snapshot.is_some() {
            row("", &one.proofs(status.now));
        }
    }
    let of_run = |run: &Option<Record>| match run {
        Some(run) => {
            let trouble = run.errors.iter().chain(&run.shortcomings).next();
            let trouble = trouble.map_or_else(String::new, |trouble| format!(": {}", trouble.what));
            let (ended, age) = (run.outcome.name(), ago(status.now, run.started));
            format!("{ended} ({}), {age}{trouble}", run.exit)
        }
        None => "none that this machine knows of".to_owned(),
    };
    row("last run", &of_run(&status.last_run));
    row("last drill", &of_run(&status.last_drill));
    let next = status.next.map(minute);
    row(
        "next run",
        next.as_deref()
            .unwrap_or("not scheduled (`copal schedule install`)"),
    );
    text
}

pub(super) fn ago(now: Timestamp, then: Timestamp) -> String {
    match Duration::try_from(now.duration_since(then)) {
        Ok(age) => format!("{} ago", long(age)),
        Err(_) => "at a time to come: a clock was wrong, or is".to_owned(),
    }
}

/// `3 d 4 h`, `4 h 5 min`, `5 min`.
fn long(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    match (minutes / (24 * 60), minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

fn to_json(status: &Status) -> Value {
    let of_proof = |proof: Option<Proof>| {
        proof.map(
            |Proof {
                 snapshot,
                 at,
                 is_pruned,
             }| { json!({ "snapshot": snapshot, "at": at, "pruned": is_pruned }) },
        )
    };
    let of_destination = |one: &Destination| {
        json!({
            "destination": one.place.shown,
            "layout": one.place.layout(),
            "state": one.state(),
            "snapshot": one.snapshot,
            "began": one.began,
            "verified": of_proof(one.verified),
            "drilled": of_proof(one.drills.worked()),
            "drill_failed": of_proof(one.drills.failed()),
            "found_damaged": of_proof(one.damaged),
        })
    };
    let of_run = |run: &Option<Record>| {
        run.as_ref().map(|run| {
            json!({ "run": run.run, "started": run.started, "outcome": run.outcome, "exit": run.exit })
        })
    };
    json!({
        "name": status.name,
        "ok": status.is_well(),
        "max_age_seconds": status.max_age.map(|age| age.as_secs()),
        "destinations": status.destinations.iter().map(of_destination).collect::<Vec<_>>(),
        "last_run": of_run(&status.last_run),
        "last_drill": of_run(&status.last_drill),
        "next_run": status.next,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_destination_has_a_line_that_says_whether_it_is_well() {
        let now: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        let destination = |place: &str, freshness, began: Option<&str>| Destination {
            place: Place {
                shown: place.to_owned(),
                is_mirror: false,
            },
            snapshot: began.map(|_| "2026-11-24T030000Z".parse().unwrap()),
            began: began.map(|began| began.parse().unwrap()),
            freshness,
            verified: began.map(|_| Proof {
                snapshot: "2026-11-23T030000Z".parse().unwrap(),
                at: "2026-11-23T05:00:00Z".parse().unwrap(),
                is_pruned: true,
            }),
            drills: Drills::Known {
                worked: None,
                failed: None,
            },
            damaged: None,
        };
        let status = Status {
            name: "open-webui".to_owned(),
            now,
            max_age: Some(Duration::from_hours(26)),
            destinations: vec![
                destination(
                    "b2:my-bucket/copal",
                    Freshness::Fresh,
                    Some("2026-11-27T03:00:00Z"),
                ),
                destination(
                    "/mnt/disk",
                    Freshness::Overdue,
                    Some("2026-11-24T03:00:00Z"),
                ),
                destination("sftp:copal", Freshness::Never, None),
            ],
            last_run: None,
            last_drill: None,
            next: Some("2026-11-28T03:00:00Z".parse().unwrap()),
        };
        insta::assert_snapshot!(text(&status));
        assert_eq!(to_json(&status)["ok"], false);
        assert_eq!(to_json(&status)["destinations"][1]["state"], "overdue");
    }
}
