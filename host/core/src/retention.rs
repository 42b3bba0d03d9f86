//! Retention: which snapshots stay and which go, and why each does.
//!
//! A rule counts what there is, never what should be there: days on which no run succeeded use up
//! none of `daily = 7`. Whatever the rules say, the newest snapshot stays, the last verified one, the
//! last that a drill proved, those that are pinned, and those that nobody can judge.

mod left;
mod pin;
mod policy;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use std::fmt;

use crate::snapshot::SnapshotId;

pub use left::{GRACE, LeftOver, Mark, left_over};
pub use pin::Pin;
pub use policy::{InvalidWithin, Policy, Rule, Within};

/// A sealed snapshot, as far as retention asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is known of a snapshot or not, whatever is known of the others"
)]
pub struct Candidate {
    /// Its id, which says when its run began.
    pub id: SnapshotId,
    /// Whether somebody asked for it to stay.
    pub pinned: bool,
    /// Whether it is known to have been verified.
    pub verified: bool,
    /// Whether the last drill of it found all well.
    pub drilled: bool,
    /// Whether its manifest can't be trusted.
    pub damaged: bool,
    /// Whether a verification found files of it damaged.
    pub found_damaged: bool,
    /// Whether something lies under the name of its manifest or of a note that nobody can read, and that may say
    /// whatever such a one says.
    pub unclear: bool,
}

impl Candidate {
    /// Whether nothing of it is known to be damaged.
    pub fn is_sound(&self) -> bool {
        !self.damaged && !self.found_damaged && !self.unclear
    }

    /// One of which nothing more is known.
    pub fn of(id: SnapshotId) -> Self {
        Self {
            id,
            pinned: false,
            verified: false,
            drilled: false,
            damaged: false,
            found_damaged: false,
            unclear: false,
        }
    }
}

/// Why a snapshot stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stays {
    /// It is the newest, and always stays.
    Newest,
    /// A rule counts it, as this one of so many.
    Counted {
        /// The rule.
        rule: Rule,
        /// Its place, from 1 for the newest.
        place: u32,
        /// How many the rule keeps.
        of: u32,
    },
    /// It is not much older than the newest.
    Within(Within),
    /// No newer one was verified.
    LastVerified,
    /// No newer one was proven by a drill: no verification tells as much.
    LastDrilled,
    /// Somebody asked for it.
    Pinned,
    /// Its manifest can't be trusted, so that nobody knows which files are its own.
    Damaged,
    /// A verification found files of it damaged: what it still has may be had nowhere else.
    FoundDamaged,
    /// A note beside its manifest can't be read, which may say that it is to stay.
    Unclear,
    /// It is of a time that is still to come: a clock was wrong, or is.
    FromTheFuture,
    /// There is no rule by which anything goes.
    NoRules,
}

/// Why a snapshot goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goes {
    /// A newer one is kept for the same hour, day, week, month or year.
    Passed {
        /// The rule that keeps the newer one.
        rule: Rule,
        /// The newer one.
        by: SnapshotId,
    },
    /// It is older than all that the rules keep.
    Beyond,
}

/// What becomes of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It stays, for every one of these reasons; there is at least one.
    Stays(Vec<Stays>),
    /// It goes.
    Goes(Goes),
}

impl Verdict {
    /// Whether the snapshot stays.
    pub fn stays(&self) -> bool {
        matches!(self, Self::Stays(_))
    }

    /// The word for it: `keep` or `remove`.
    pub fn word(&self) -> &'static str {
        if self.stays() { "keep" } else { "remove" }
    }

    /// The reasons, for people.
    pub fn reasons(&self) -> Vec<String> {
        match self {
            Self::Stays(reasons) => reasons.iter().map(ToString::to_string).collect(),
            Self::Goes(reason) => vec![reason.to_string()],
        }
    }
}

impl fmt::Display for Stays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest => f.write_str("the newest"),
            Self::Counted { rule, place, of } => write!(f, "{rule} {place} of {of}"),
            Self::Within(within) => write!(f, "within {within}"),
            Self::LastVerified => f.write_str("the last verified"),
            Self::LastDrilled => f.write_str("the last that a drill proved"),
            Self::Pinned => f.write_str("pinned"),
            Self::Damaged => f.write_str("its manifest is damaged"),
            Self::FoundDamaged => f.write_str("verify found it damaged"),
            Self::Unclear => f.write_str("what is noted of it can't be read"),
            Self::FromTheFuture => f.write_str("of a time still to come"),
            Self::NoRules => f.write_str("no rule removes anything"),
        }
    }
}

impl fmt::Display for Goes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed { rule, by } => {
                write!(f, "{rule} keeps {by} of the same {}", rule.period())
            }
            Self::Beyond => f.write_str("older than all that the rules keep"),
        }
    }
}

/// The verdicts on all snapshots of a name at one destination, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdicts(Vec<(SnapshotId, Verdict)>);

impl Verdicts {
    /// All of them.
    pub fn all(&self) -> &[(SnapshotId, Verdict)] {
        &self.0
    }

    /// One of them, where it is there.
    pub fn of(&self, id: SnapshotId) -> Option<&Verdict> {
        let mut all = self.0.iter();
        all.find(|(one, _)| *one == id).map(|(_, verdict)| verdict)
    }

    /// Those that go, oldest first: what is interrupted has removed what matters least.
    pub fn going(&self) -> impl Iterator<Item = SnapshotId> {
        let going = self.0.iter().rev().filter(|(_, verdict)| !verdict.stays());
        going.map(|(id, _)| *id)
    }

    /// Those that stay, newest first.
    pub fn staying(&self) -> impl Iterator<Item = SnapshotId> {
        let staying = self.0.iter().filter(|(_, verdict)| verdict.stays());
        staying.map(|(id, _)| *id)
    }
}

/// Judges every snapshot, in whatever order they come. Hours, days and so on are those of `zone`.
///
/// What is damaged, and what is of a time still to come, stays and is counted by no rule: it takes no
/// other snapshot's place.
pub fn keep(policy: &Policy, snapshots: &[Candidate], now: Timestamp, zone: &TimeZone) -> Verdicts {
    let mut judged: Vec<Judged> = snapshots.iter().copied().map(Judged::new).collect();
    judged.sort_by_key(|it| std::cmp::Reverse(it.snapshot.id));
    // A name that is told twice is one snapshot, with all that is said of it.
    judged.dedup_by(|again, first| again.snapshot.id == first.snapshot.id && first.join(again));
    let to_come = |id: SnapshotId| id.is_to_come(now);
    let is_usable = |it: &Candidate| it.is_sound() && !to_come(it.id);
    let mut counted = Vec::new();
    for (at, it) in judged.iter_mut().enumerate() {
        it.stays_if(it.snapshot.damaged, Stays::Damaged);
        it.stays_if(it.snapshot.found_damaged, Stays::FoundDamaged);
        it.stays_if(it.snapshot.unclear, Stays::Unclear);
        it.stays_if(to_come(it.snapshot.id), Stays::FromTheFuture);
        it.stays_if(it.snapshot.pinned, Stays::Pinned);
        if is_usable(&it.snapshot) {
            counted.push(at);
        }
    }
    let mut keep_last = |is_proven: fn(&Candidate) -> bool, reason| {
        let is_sound = |it: &&mut Judged| is_proven(&it.snapshot) && is_usable(&it.snapshot);
        if let Some(last) = judged.iter_mut().find(is_sound) {
            last.stays.push(reason);
        }
    };
    keep_last(|it| it.verified, Stays::LastVerified);
    keep_last(|it| it.drilled, Stays::LastDrilled);
    if let Some(newest) = counted.first() {
        judged[*newest].stays.insert(0, Stays::Newest);
    }
    if policy.is_empty() {
        for it in &mut judged {
            it.stays.push(Stays::NoRules);
        }
    }
    for (rule, of) in policy.counts() {
        count(rule, of, &mut judged, &counted, zone);
    }
    if let Some(within) = policy.within() {
        keep_within(within, &mut judged, &counted, zone);
    }
    Verdicts(judged.into_iter().map(Judged::verdict).collect())
}

/// Keeps the newest of each of the `of` newest periods that have any.
fn count(rule: Rule, of: u32, judged: &mut [Judged], counted: &[usize], zone: &TimeZone) {
    let (mut place, mut last) = (0, None);
    for &at in counted {
        let id = judged[at].snapshot.id;
        let period = Period::of(rule, id, zone);
        match last {
            Some((same, by)) if rule != Rule::Last && same == period => {
                judged[at].passed.get_or_insert(Goes::Passed { rule, by });
            }
            _ if place < of => {
                place += 1;
                last = Some((period, id));
                judged[at].stays.push(Stays::Counted { rule, place, of });
            }
            _ => break,
        }
    }
}

/// Measured from the newest and not from now: where no run succeeds any more, nothing grows too old.
fn keep_within(within: Within, judged: &mut [Judged], counted: &[usize], zone: &TimeZone) {
    let Some(newest) = counted.first() else {
        return;
    };
    let newest = judged[*newest].snapshot.id.time();
    let earliest = within.before(newest, zone);
    for &at in counted {
        let is_within = earliest.is_none_or(|earliest| judged[at].snapshot.id.time() >= earliest);
        judged[at].stays_if(is_within, Stays::Within(within));
    }
}

/// A snapshot, and what was found for and against it so far.
struct Judged {
    snapshot: Candidate,
    stays: Vec<Stays>,
    passed: Option<Goes>,
}

impl Judged {
    fn new(snapshot: Candidate) -> Self {
        Self {
            snapshot,
            stays: Vec::new(),
            passed: None,
        }
    }

    fn join(&mut self, again: &Self) -> bool {
        self.snapshot.pinned |= again.snapshot.pinned;
        self.snapshot.verified |= again.snapshot.verified;
        self.snapshot.drilled |= again.snapshot.drilled;
        self.snapshot.damaged |= again.snapshot.damaged;
        self.snapshot.found_damaged |= again.snapshot.found_damaged;
        self.snapshot.unclear |= again.snapshot.unclear;
        true
    }

    fn stays_if(&mut self, it_does: bool, reason: Stays) {
        if it_does {
            self.stays.push(reason);
        }
    }

    fn verdict(self) -> (SnapshotId, Verdict) {
        let verdict = if self.stays.is_empty() {
            Verdict::Goes(self.passed.unwrap_or(Goes::Beyond))
        } else {
            Verdict::Stays(self.stays)
        };
        (self.snapshot.id, verdict)
    }
}

/// The stretch of time that a snapshot stands for, by the calendar of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Period {
    Moment(SnapshotId),
    /// With the offset: where clocks are put back, one hour comes twice.
    Hour(DateTime, i32),
    Day(Date),
    Week(i16, i8),
    Month(i16, i8),
    Year(i16),
}

impl Period {
    fn of(rule: Rule, id: SnapshotId, zone: &TimeZone) -> Self {
        let offset = zone.to_offset(id.time());
        let local = offset.to_datetime(id.time());
        let date = local.date();
        match rule {
            Rule::Last => Self::Moment(id),
            Rule::Hourly => Self::Hour(date.at(local.hour(), 0, 0, 0), offset.seconds()),
            Rule::Daily => Self::Day(date),
            Rule::Weekly => {
                let week = date.iso_week_date();
                Self::Week(week.year(), week.week())
            }
            Rule::Monthly => Self::Month(date.year(), date.month()),
            Rule::Yearly => Self::Year(date.year()),
        }
    }
}

#[cfg(test)]
#[path = "retention_tests.rs"]
mod tests;
