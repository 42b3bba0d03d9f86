//! The page's pictures, as SVG in the page itself. What each shows is there as text, too.

use std::time::Duration;

use copal_core::calendar::{Calendar, Day, Grade};
use copal_core::scale::{Scale, Unit};
use copal_core::units::ByteCount;
use jiff::civil::Date;
use maud::{Markup, html};

use super::runs::grade;
use super::{Basis, Runs, count, duration, tag, time};
use crate::record::Record;

/// Weeks of the calendar.
const WEEKS: u8 = 13;

/// The calendar, sizes and times.
pub(super) fn section(runs: &Runs, today: Date) -> Markup {
    let backups = runs.backups();
    let sizes = backups.iter().rev().filter_map(|record| {
        // Of several destinations, each has the same.
        let bytes = record.snapshots.iter().map(|it| it.bytes).max()?;
        Some(Bar::of(record, bytes, ByteCount(bytes).to_string()))
    });
    // How long they took after the staging no manifest tells.
    let times = backups.iter().rev().filter(|record| !record.rebuilt);
    let times = times.map(|record| {
        let told = duration(Duration::from_millis(record.took_ms));
        Bar::of(record, record.took_ms, told)
    });
    html! {
        div class="charts" {
            section { h2 { "The last " (WEEKS) " weeks" } (calendar(&Calendar::until(today, WEEKS, runs.days()), runs.basis())) }
            section { h2 { "Size of each backup" } (bars(Unit::Bytes, &sizes.collect::<Vec<_>>())) }
            section { h2 { "Time of each backup" } (bars(Unit::Milliseconds, &times.collect::<Vec<_>>())) }
        }
    }
}

/// From the left edge of a square to the next one's.
const STEP: usize = 14;
/// The edge of a square.
const EDGE: usize = 12;
/// Where the squares begin.
const LEFT: usize = 24;
const TOP: usize = 14;

/// A square for each day, a column for each week, Monday at the top.
fn calendar(calendar: &Calendar, basis: Basis) -> Markup {
    // Of a day without a snapshot no manifest tells whether there was a run.
    let none = match basis {
        Basis::History => "no run",
        Basis::Manifests => "no snapshot",
    };
    let weeks = calendar.weeks();
    let (good, with_runs) = calendar.good_days();
    let (good, with_runs) = (good as u64, with_runs as u64);
    let told = format!(
        "{} with runs, {} without a bad one",
        count(with_runs, "day"),
        good
    );
    html! {
        svg role="img" aria-label=(told) viewBox={ "0 0 " (LEFT + weeks.len() * STEP) " " (TOP + 7 * STEP) } {
            @for (row, name) in ["Mon", "", "Wed", "", "Fri", "", "Sun"].iter().enumerate() {
                text x="0" y=(TOP + row * STEP + 9) { (name) }
            }
            @for (column, week) in weeks.iter().enumerate() {
                @if let Some(month) = month(week, column == 0) {
                    text x=(LEFT + column * STEP) y="9" { (month) }
                }
                @for (row, day) in week.iter().enumerate() {
                    (square(day, none, LEFT + column * STEP, TOP + row * STEP))
                }
            }
        }
        p class="key" {
            @for grade in Grade::ALL { (tag(grade.name())) " " }
            (tag(none))
        }
        p class="key" { (told) ". A day is as its worst run." }
    }
}

/// The month that begins in a week, or that the first one is in.
fn month(week: &[Day], is_first: bool) -> Option<String> {
    let first = week.iter().find(|day| day.date.day() == 1);
    // Two names would stand on each other.
    let first = first.or(week.first().filter(|day| is_first && day.date.day() <= 16));
    Some(first?.date.strftime("%b").to_string())
}

fn square(day: &Day, none: &str, x: usize, y: usize) -> Markup {
    let told = match day.worst {
        None => none.to_owned(),
        Some(Grade::Succeeded) => format!("{}, succeeded", count(day.runs.into(), "run")),
        Some(worst) => format!(
            "{}, the worst {}",
            count(day.runs.into(), "run"),
            worst.name()
        ),
    };
    // For whoever does not tell the colours apart.
    let mark = match day.worst {
        None | Some(Grade::Succeeded) => None,
        Some(Grade::Warned) => Some(format!("M{} {}h4", x + 4, y + 6)),
        Some(Grade::Interrupted) => Some(format!("M{} {}v4m4-4v4", x + 4, y + 4)),
        Some(Grade::Failed) => Some(format!("M{} {}l6 6m0-6l-6 6", x + 3, y + 3)),
    };
    html! {
        g class=(day.worst.map_or("no-run", Grade::name)) {
            title { (day.date) ": " (told) }
            rect x=(x) y=(y) width=(EDGE) height=(EDGE) rx="2" {}
            @if let Some(mark) = mark { path class="mark" d=(mark) {} }
        }
    }
}

/// A value of one backup.
struct Bar {
    when: String,
    value: u64,
    told: String,
    grade: Grade,
}

impl Bar {
    fn of(record: &Record, value: u64, told: String) -> Self {
        Self {
            when: time(record.started),
            value,
            told,
            grade: grade(record.outcome),
        }
    }

    fn date(&self) -> &str {
        self.when.split(' ').next().unwrap_or_default()
    }
}

/// The size of a picture of bars, in tenths of a unit of text.
const WIDTH: usize = 3600;
const HEIGHT: u64 = 1000;
/// Where the line of the scale's top is, and below which line all bars stand.
const HIGHEST: u64 = 160;

/// A bar for each value, the oldest at the left.
fn bars(unit: Unit, bars: &[Bar]) -> Markup {
    let (Some(first), Some(last)) = (bars.first(), bars.last()) else {
        return html! { p { "None is known." } };
    };
    let scale = Scale::over(unit, bars.iter().map(|bar| bar.value));
    let most = bars.iter().max_by_key(|bar| bar.value).unwrap_or(last);
    let told = format!("The last one {}, the most {}.", last.told, most.told);
    let step = WIDTH / bars.len().max(14);
    let floor = HIGHEST + HEIGHT;
    html! {
        svg role="img" aria-label=(told) viewBox={ "0 0 " (WIDTH) " " (floor + 160) } {
            @for (line, part) in [(HIGHEST, scale.top()), (floor, 0)] {
                path class="line" d={ "M0 " (line) "H" (WIDTH) } {}
                @if part > 0 { text x="0" y=(line - 40) { (figure(unit, part)) } }
            }
            @for (at, bar) in bars.iter().enumerate() {
                @let height = scale.height(bar.value, HEIGHT);
                rect class=(bar.grade.name()) x=(at * step) y=(floor - height) width=(step * 4 / 5) height=(height) {
                    title { (bar.when) ": " (bar.told) ", " (bar.grade.name()) }
                }
            }
            text x="0" y=(floor + 140) { (first.date()) }
            @if first.date() != last.date() {
                text x=(WIDTH) y=(floor + 140) text-anchor="end" { (last.date()) }
            }
        }
        p class="key" { (told) }
    }
}

/// A round figure: `20 MiB`, `5 min`.
fn figure(unit: Unit, value: u64) -> String {
    let whole = |per: u64, name: &str| {
        value
            .is_multiple_of(per)
            .then(|| format!("{} {name}", value / per))
    };
    match unit {
        Unit::Bytes => ByteCount(value).to_string().replace(".0 ", " "),
        Unit::Milliseconds => whole(3_600_000, "h")
            .or_else(|| whole(60_000, "min"))
            .or_else(|| whole(1000, "s"))
            .unwrap_or_else(|| format!("{value} ms")),
    }
}
