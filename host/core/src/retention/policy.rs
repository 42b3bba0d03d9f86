//! What is to be kept, as its owner says it.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use jiff::tz::TimeZone;
use jiff::{Span, SpanFieldwise, Timestamp};

/// A rule that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The newest snapshots.
    Last,
    /// The newest of each hour.
    Hourly,
    /// The newest of each day.
    Daily,
    /// The newest of each week, which begins on Monday.
    Weekly,
    /// The newest of each month.
    Monthly,
    /// The newest of each year.
    Yearly,
}

impl Rule {
    /// All of them, from the finest on.
    pub const ALL: [Self; 6] = [
        Self::Last,
        Self::Hourly,
        Self::Daily,
        Self::Weekly,
        Self::Monthly,
        Self::Yearly,
    ];

    /// Its name in copal.toml.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Yearly => "yearly",
        }
    }

    /// What it keeps one snapshot of.
    pub const fn period(self) -> &'static str {
        match self {
            Self::Last => "moment",
            Self::Hourly => "hour",
            Self::Daily => "day",
            Self::Weekly => "week",
            Self::Monthly => "month",
            Self::Yearly => "year",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What is kept. One without rules keeps everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    counts: [Option<NonZeroU32>; Rule::ALL.len()],
    within: Option<Within>,
}

impl Policy {
    /// The same, and so many by a rule: a rule that keeps none can't be said.
    #[must_use]
    pub fn with(mut self, rule: Rule, of: NonZeroU32) -> Self {
        self.counts[rule as usize] = Some(of);
        self
    }

    /// The same, and all that are not much older than the newest.
    #[must_use]
    pub fn and_within(mut self, within: Within) -> Self {
        self.within = Some(within);
        self
    }

    /// Whether there is no rule at all.
    pub fn is_empty(&self) -> bool {
        self.counts().next().is_none() && self.within.is_none()
    }

    /// The rules that count, from the finest on, each with how many it keeps.
    pub fn counts(&self) -> impl Iterator<Item = (Rule, u32)> {
        let counts = Rule::ALL.into_iter().zip(self.counts);
        counts.filter_map(|(rule, of)| Some((rule, of?.get())))
    }

    /// The stretch of time of which all are kept.
    pub fn within(&self) -> Option<Within> {
        self.within
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.counts().map(|(rule, of)| format!("{rule} {of}"));
        let within = self.within.iter().map(|within| format!("within {within}"));
        let rules: Vec<_> = counts.chain(within).collect();
        if rules.is_empty() {
            return f.write_str("everything");
        }
        f.write_str(&rules.join(", "))
    }
}

/// A stretch of time by the calendar: `30d`, `6mo`, `1y`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Within(SpanFieldwise);

/// Why a text is no such stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWithin {
    /// Nobody can read it.
    #[error("this is not a length of time")]
    Unreadable,
    /// Nothing or less.
    #[error("it has to be longer than nothing")]
    TooShort,
}

impl FromStr for Within {
    type Err = InvalidWithin;

    fn from_str(text: &str) -> Result<Self, InvalidWithin> {
        let span: Span = text.parse().map_err(|_| InvalidWithin::Unreadable)?;
        if span.is_positive() {
            Ok(Self(span.fieldwise()))
        } else {
            Err(InvalidWithin::TooShort)
        }
    }
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0.0)
    }
}

impl Within {
    /// So long before a time; `None` where that is before all time.
    pub(super) fn before(self, time: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let before = time.to_zoned_datetime(zone.clone()).checked_sub(self.0.0);
        before.ok().map(|zoned| zoned.timestamp())
    }
}
