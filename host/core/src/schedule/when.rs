//! Times that come again and again: cron's five fields, or words for the usual ones.

mod field;

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, civil};

use self::field::{DAYS, Field, KINDS, number};

/// How far ahead a time is looked for. The rarest date, February 29th, can be eight years away, and one
/// that has to be a given day of the week besides 40.
const FAR: i64 = 41 * 366;

/// Times that come again, to the minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct When {
    /// The fields as they were said, which is what cron is told.
    text: String,
    minutes: Field,
    hours: Field,
    days: Field,
    months: Field,
    weekdays: Field,
}

/// Why a text says no such times.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWhen {
    /// It is neither five fields nor one of the words.
    #[error(
        "it has neither five fields nor begins with hourly, daily, weekdays, weekly or monthly"
    )]
    Unreadable,
    /// A word lacks what belongs to it, or has something else.
    #[error("`{word}` is followed by {wanted}")]
    Word {
        /// The word.
        word: &'static str,
        /// What follows it.
        wanted: &'static str,
    },
    /// A field is not what cron reads.
    #[error(
        "`{text}` is no {field}, which is {range}, `*`, a range `a-b`, a step `*/n`, or several with commas between"
    )]
    Field {
        /// Which one.
        field: &'static str,
        /// What it says.
        text: String,
        /// What can be said.
        range: &'static str,
    },
    /// No day is like this.
    #[error("no day is ever like this")]
    Never,
}

impl FromStr for When {
    type Err = InvalidWhen;

    fn from_str(text: &str) -> Result<Self, InvalidWhen> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let fields = in_words(&words)?;
        let fields = fields.unwrap_or_else(|| words.iter().map(|&word| word.to_owned()).collect());
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else {
            return Err(InvalidWhen::Unreadable);
        };
        let [of_minutes, of_hours, of_days, of_months, of_weekdays] = KINDS;
        let mut weekdays = of_weekdays.read(weekdays)?;
        // Sunday has two numbers.
        weekdays.bits = (weekdays.bits | weekdays.bits >> 7) & 0x7f;
        let when = Self {
            text: fields.join(" "),
            minutes: of_minutes.read(minutes)?,
            hours: of_hours.read(hours)?,
            days: of_days.read(days)?,
            months: of_months.read(months)?,
            weekdays,
        };
        // Leap years and days of the week come round within 28 years without a century in between.
        let any = civil::date(2000, 1, 1);
        when.dates(any)
            .next()
            .map(|_| ())
            .ok_or(InvalidWhen::Never)?;
        Ok(when)
    }
}

/// The five fields of what is said in words, if it is.
fn in_words(words: &[&str]) -> Result<Option<Vec<String>>, InvalidWhen> {
    let Some((first, rest)) = words.split_first() else {
        return Ok(None);
    };
    let (word, wanted) = match first.to_ascii_lowercase().as_str() {
        "hourly" | "@hourly" => ("hourly", "nothing: it is the full hour"),
        "daily" => ("daily", "a time, as in `daily 03:00`"),
        "weekdays" => ("weekdays", "a time, as in `weekdays 03:00`"),
        "weekly" => ("weekly", "a day and a time, as in `weekly sun 03:00`"),
        "monthly" => (
            "monthly",
            "a day from 1 to 28 and a time, as in `monthly 1 03:00`",
        ),
        _ => return Ok(None),
    };
    let wrong = || InvalidWhen::Word { word, wanted };
    let fields = match (word, rest) {
        ("hourly", []) => "0 * * * *".to_owned(),
        ("daily", [time]) => format!("{} * * *", clock(time).ok_or_else(wrong)?),
        ("weekdays", [time]) => format!("{} * * 1-5", clock(time).ok_or_else(wrong)?),
        ("weekly", [day, time]) => {
            let day = day.to_ascii_lowercase();
            let is = |name: &&&str| day.starts_with(**name);
            let day = DAYS.iter().find(is).ok_or_else(wrong)?;
            format!("{} * * {day}", clock(time).ok_or_else(wrong)?)
        }
        ("monthly", [day, time]) => {
            // Not every month has the others.
            let day = number(day).filter(|day| (1..=28).contains(day));
            let day = day.ok_or_else(wrong)?;
            format!("{} {day} * *", clock(time).ok_or_else(wrong)?)
        }
        _ => return Err(wrong()),
    };
    Ok(Some(fields.split(' ').map(str::to_owned).collect()))
}

/// `03:05` as cron's first two fields, `5 3`.
fn clock(text: &str) -> Option<String> {
    let (hour, minute) = text.split_once(':')?;
    let hour = number(hour).filter(|hour| *hour < 24)?;
    let minute = number(minute).filter(|it| *it < 60 && minute.len() == 2)?;
    Some(format!("{minute} {hour}"))
}

impl When {
    /// The next times after a moment, by the clocks of a time zone. Where these are put forward over one, it
    /// is as much later; of an hour that they show twice, the first counts.
    pub fn after(&self, moment: Timestamp, zone: &TimeZone) -> impl Iterator<Item = Timestamp> {
        let today = zone.to_datetime(moment).date();
        let on_the_clock = move |date: civil::Date| {
            let hours = self.hours.values();
            hours.flat_map(move |hour| {
                let minutes = self.minutes.values();
                minutes.map(move |minute| date.at(hour, minute, 0, 0))
            })
        };
        let times = self.dates(today).flat_map(on_the_clock);
        let times = times.filter_map(|time| zone.to_timestamp(time).ok());
        times
            .scan(moment, |last, time| {
                let is_later = time > *last;
                *last = time.max(*last);
                Some(is_later.then_some(time))
            })
            .flatten()
    }

    /// The shortest time between two that follow each other, of those that come next.
    pub fn shortest_gap(&self, moment: Timestamp, zone: &TimeZone) -> Option<Duration> {
        const LOOKED_AT: usize = 200;
        let times: Vec<Timestamp> = self.after(moment, zone).take(LOOKED_AT).collect();
        let gaps = times.windows(2).filter_map(|pair| match pair {
            [one, next] => Duration::try_from(next.duration_since(*one)).ok(),
            _ => None,
        });
        gaps.min()
    }

    /// The days from one on.
    fn dates(&self, first: civil::Date) -> impl Iterator<Item = civil::Date> {
        let days = (0..FAR).map_while(move |days| first.checked_add(days.days()).ok());
        days.filter(|day| self.is_on(*day))
    }

    fn is_on(&self, day: civil::Date) -> bool {
        let month = self.months.has(day.month());
        let of_month = self.days.has(day.day());
        let of_week = self.weekdays.has(day.weekday().to_sunday_zero_offset());
        month
            && if self.either_day() {
                of_month || of_week
            } else {
                of_month && of_week
            }
    }

    /// Whether a day of the month or a day of the week is enough, as cron has it where both are said.
    fn either_day(&self) -> bool {
        !self.days.is_star && !self.weekdays.is_star
    }

    /// The same for systemd's timers, of which any may come true, as its `OnCalendar=` reads them.
    pub fn on_calendar(&self, zone: Option<&str>) -> Vec<String> {
        let all_days = Field {
            bits: !0 << 1,
            is_star: true,
        };
        let all_weekdays = Field {
            bits: 0x7f,
            is_star: true,
        };
        if self.either_day() {
            vec![
                self.calendar(self.days, all_weekdays, zone),
                self.calendar(all_days, self.weekdays, zone),
            ]
        } else {
            vec![self.calendar(self.days, self.weekdays, zone)]
        }
    }

    fn calendar(&self, days: Field, weekdays: Field, zone: Option<&str>) -> String {
        let list = |field: Field, range: RangeInclusive<u8>| {
            if range.clone().all(|value| field.bits >> value & 1 == 1) {
                return "*".to_owned();
            }
            let values = field.values().map(|value| format!("{value:02}"));
            values.collect::<Vec<_>>().join(",")
        };
        let of_week: Vec<&str> = weekdays
            .values()
            .filter_map(|day| DAYS.get(usize::try_from(day).ok()?).copied())
            .collect();
        let of_week = match of_week.len() {
            7 => String::new(),
            _ => format!("{} ", of_week.join(",")),
        };
        let zone = zone.map_or_else(String::new, |zone| format!(" {zone}"));
        format!(
            "{of_week}*-{}-{} {}:{}:00{zone}",
            list(self.months, 1..=12),
            list(days, 1..=31),
            list(self.hours, 0..=23),
            list(self.minutes, 0..=59),
        )
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
#[path = "when_tests.rs"]
mod tests;
