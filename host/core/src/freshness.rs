//! Whether the last good backup is young enough.

use std::time::Duration;

use jiff::Timestamp;

/// How it stands with one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Its last good backup is no older than it may be, or nobody said how old that is.
    Fresh,
    /// It is older.
    Overdue,
    /// There is none that anybody knows of.
    Never,
}

impl Freshness {
    /// Of a destination whose last good backup began then. One of a time to come, by a clock that was
    /// wrong, is none to rely on where an age is asked for.
    pub fn of(last_good: Option<Timestamp>, max_age: Option<Duration>, now: Timestamp) -> Self {
        match (last_good, max_age) {
            (None, _) => Self::Never,
            (Some(_), None) => Self::Fresh,
            (Some(then), Some(max_age)) => match Duration::try_from(now.duration_since(then)) {
                Ok(age) if age <= max_age => Self::Fresh,
                Ok(_) | Err(_) => Self::Overdue,
            },
        }
    }

    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fresh => "ok",
            Self::Overdue => "overdue",
            Self::Never => "never",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_overdue_when_it_is_older_than_it_may_be() {
        let hour = Duration::from_hours(1);
        let at = |seconds| Some(Timestamp::from_second(seconds).unwrap());
        let now = at(10_000).unwrap();
        for (last_good, max_age, is) in [
            (None, None, Freshness::Never),
            (None, Some(hour), Freshness::Never),
            (at(1), None, Freshness::Fresh),
            (at(6_400), Some(hour), Freshness::Fresh),
            (at(6_399), Some(hour), Freshness::Overdue),
            // By a clock that was wrong, then or now.
            (at(10_001), Some(hour), Freshness::Overdue),
            (at(10_001), None, Freshness::Fresh),
        ] {
            assert_eq!(
                Freshness::of(last_good, max_age, now),
                is,
                "{last_good:?} {max_age:?}"
            );
        }
    }
}
