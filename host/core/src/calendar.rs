//! A calendar of runs: what each day of the last weeks came to.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;

/// How a day went, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// All is well.
    Succeeded,
    /// Something fell short.
    Warned,
    /// A signal ended it.
    Interrupted,
    /// It failed, or was killed.
    Failed,
}

impl Grade {
    /// All of them, the best first.
    pub const ALL: [Self; 4] = [
        Self::Succeeded,
        Self::Warned,
        Self::Interrupted,
        Self::Failed,
    ];

    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Warned => "warned",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }
}

/// A day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Which.
    pub date: Date,
    /// How many runs began on it.
    pub runs: u32,
    /// How the worst of them went; none where there was none.
    pub worst: Option<Grade>,
}

/// The days of the last weeks, each week from Monday on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    weeks: Vec<Vec<Day>>,
}

impl Calendar {
    /// The `weeks` weeks of which the last is that of `today`, with what began on each day. Days to come are not in
    /// it, nor are runs of other days.
    pub fn until(today: Date, weeks: u8, runs: impl IntoIterator<Item = (Date, Grade)>) -> Self {
        let mut known: BTreeMap<Date, (u32, Grade)> = BTreeMap::new();
        for (date, grade) in runs {
            let (runs, worst) = known.entry(date).or_insert((0, grade));
            *runs += 1;
            *worst = grade.max(*worst);
        }
        let days_of_this_week = i64::from(today.weekday().to_monday_one_offset());
        let days = i64::from(weeks) * 7 - 7 + days_of_this_week;
        let days: Vec<Day> = (0..days)
            .rev()
            // Before the first day there is to a calendar, there are no runs.
            .filter_map(|back| today.checked_sub(back.days()).ok())
            .map(|date| {
                let known = known.get(&date);
                let runs = known.map_or(0, |(runs, _)| *runs);
                let worst = known.map(|(_, worst)| *worst);
                Day { date, runs, worst }
            })
            .collect();
        let weeks = days.chunks(7).map(<[Day]>::to_vec).collect();
        Self { weeks }
    }

    /// The weeks, the last one up to today.
    pub fn weeks(&self) -> &[Vec<Day>] {
        &self.weeks
    }

    /// Days on which nothing but good runs began, and days with any.
    pub fn good_days(&self) -> (usize, usize) {
        let with_runs = self.weeks.iter().flatten().filter_map(|day| day.worst);
        let good = with_runs.clone().filter(|worst| *worst == Grade::Succeeded);
        (good.count(), with_runs.count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{Weekday, date};

    #[test]
    fn weeks_begin_on_monday_and_the_last_one_ends_today() {
        for today in (23..=29).map(|day| date(2026, 11, day)) {
            let calendar = Calendar::until(today, 13, []);
            let weeks = calendar.weeks();
            assert_eq!(weeks.len(), 13, "{today}");
            assert!(
                weeks
                    .iter()
                    .all(|week| week[0].date.weekday() == Weekday::Monday),
                "{today}"
            );
            assert_eq!(weeks[12].last().unwrap().date, today);
            assert!(weeks[..12].iter().all(|week| week.len() == 7), "{today}");
        }
    }

    #[test]
    fn a_day_is_as_its_worst_run_in_whatever_order_they_come() {
        let (today, before) = (date(2026, 11, 28), date(2026, 11, 26));
        let runs = [
            (before, Grade::Succeeded),
            (before, Grade::Failed),
            (before, Grade::Warned),
            (today, Grade::Succeeded),
            // By a clock that was wrong, and long ago.
            (date(2999, 1, 1), Grade::Failed),
            (date(1999, 1, 1), Grade::Failed),
        ];
        let calendar = Calendar::until(today, 2, runs);
        let days: Vec<_> = calendar.weeks().iter().flatten().collect();
        let of = |date| **days.iter().find(|day| day.date == date).unwrap();
        assert_eq!(
            (of(before).runs, of(before).worst),
            (3, Some(Grade::Failed))
        );
        assert_eq!(
            (of(today).runs, of(today).worst),
            (1, Some(Grade::Succeeded))
        );
        assert_eq!(of(date(2026, 11, 27)).worst, None);
        assert_eq!(calendar.good_days(), (1, 2));
    }
}
