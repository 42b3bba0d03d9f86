use croner::errors::CronError;
use croner::time::{CivilDateTime, CronDateTime, Resolution, Weekday};
use jiff::SignedDuration;
use jiff::civil::DateTime;
use proptest::prelude::*;

use super::*;

fn when(text: &str) -> When {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn times(text: &str, after: &str, zone: &str) -> Vec<String> {
    let zone = TimeZone::get(zone).unwrap();
    let moment = after.parse::<DateTime>().unwrap();
    let moment = moment.to_zoned_datetime(zone.clone()).unwrap().timestamp();
    let times = when(text).after(moment, &zone).take(3).collect::<Vec<_>>();
    let shown = |time: Timestamp| {
        time.to_zoned_datetime(zone.clone())
            .strftime("%a %F %R %z")
            .to_string()
    };
    times.into_iter().map(shown).collect()
}

#[test]
fn words_are_the_five_fields_that_they_stand_for() {
    for (words, fields) in [
        ("hourly", "0 * * * *"),
        ("daily 03:00", "0 3 * * *"),
        ("Daily 23:59", "59 23 * * *"),
        ("weekdays 3:05", "5 3 * * 1-5"),
        ("weekly sun 03:00", "0 3 * * sun"),
        ("weekly Monday 03:00", "0 3 * * mon"),
        ("monthly 1 03:00", "0 3 1 * *"),
        ("  */5  0-6/2 1,15 JAN-mar *  ", "*/5 0-6/2 1,15 JAN-mar *"),
    ] {
        assert_eq!(when(words).to_string(), fields);
        assert_eq!(when(&when(words).to_string()).to_string(), fields);
    }
}

#[test]
fn what_cron_would_not_read_is_refused_with_what_it_reads() {
    let refused = [
        "",
        "now",
        "0 3 * *",
        "0 3 * * * *",
        "60 3 * * *",
        "0 24 * * *",
        "0 3 0 * *",
        "0 3 * 13 *",
        "0 3 * * 8",
        "5/2 3 * * *",
        "*/0 3 * * *",
        "9-3 * * * *",
        "+5 3 * * *",
        "0 3 L * *",
        "0 3 * * mon#1",
        "0 3 ? * *",
        "0,,5 3 * * *",
        "@reboot",
        "daily",
        "daily 3",
        "daily 24:00",
        "daily 3:5",
        "weekly 03:00",
        "weekly so 03:00",
        "monthly 29 03:00",
        "0 3 30 2 *",
        "0 3 31 4,6 *",
    ];
    let told = |text: &&str| format!("{text:20} {}", text.parse::<When>().unwrap_err());
    insta::assert_snapshot!(refused.iter().map(told).collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_next_times_are_by_the_clock_of_the_zone() {
    insta::assert_debug_snapshot!([
        times("daily 03:00", "2026-11-27T20:00", "Europe/Berlin"),
        // The hour from 02:00 is left out on March 28th, and comes twice on October 31st.
        times("daily 02:30", "2027-03-26T12:00", "Europe/Berlin"),
        times("daily 02:30", "2027-10-29T12:00", "Europe/Berlin"),
        times("0 3 29 2 *", "2096-03-01T00:00", "UTC"),
        times("0 3 13 * fri", "2026-11-27T20:00", "UTC"),
        times("0 3 */2 * fri", "2026-11-27T20:00", "UTC"),
    ]);
}

#[test]
fn a_time_is_after_the_moment_and_never_at_it() {
    assert_eq!(
        times("daily 03:00", "2026-11-27T03:00", "UTC")[0],
        "Sat 2026-11-28 03:00 +0000"
    );
}

#[test]
fn systemd_is_told_the_same_times() {
    let told = |text: &str| when(text).on_calendar(None).join(" or ");
    let of = [
        "hourly",
        "daily 03:00",
        "weekly sun 03:00",
        "*/20 0-6/3 * 1-6 mon-fri",
        "0 3 1 * sun",
    ];
    insta::assert_debug_snapshot!(of.map(told));
    let told = when("daily 03:00").on_calendar(Some("Europe/Berlin"));
    assert_eq!(told, ["*-*-* 03:00:00 Europe/Berlin"]);
}

/// The clock of another implementation.
#[derive(Clone)]
struct Clock(DateTime);

impl CronDateTime for Clock {
    fn to_civil(&self) -> CivilDateTime {
        let it = self.0;
        let part = |part: i8| u32::try_from(part).unwrap();
        CivilDateTime::from_ymd_hms(
            it.year().into(),
            part(it.month()),
            part(it.day()),
            part(it.hour()),
            part(it.minute()),
            part(it.second()),
        )
        .unwrap()
    }

    fn civil_weekday(&self) -> Weekday {
        Weekday::from_days_from_sunday(
            self.0
                .weekday()
                .to_sunday_zero_offset()
                .unsigned_abs()
                .into(),
        )
    }

    fn resolve_civil(&self, it: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let part = |part: u32| i8::try_from(part).unwrap();
        let year = i16::try_from(it.year()).map_err(|_| CronError::InvalidDate)?;
        let (month, day) = (part(it.month()), part(it.day()));
        let (hour, minute, second) = (part(it.hour()), part(it.minute()), part(it.second()));
        DateTime::new(year, month, day, hour, minute, second, 0)
            .map(|time| Resolution::Single(Self(time)))
            .map_err(|_| CronError::InvalidDate)
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        self.0
            .checked_add(SignedDuration::from_secs(seconds))
            .ok()
            .map(Self)
    }

    fn cmp_instant(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

/// Where both fields about days are said, a star with a step counts as a star to cron, and not to the library.
fn days(first: u8, last: u8) -> impl Strategy<Value = String> {
    field(first, last).prop_filter("a star with a step", |field| !field.starts_with("*/"))
}

fn field(first: u8, last: u8) -> impl Strategy<Value = String> {
    let span = move || {
        (first..=last, first..=last).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b)))
    };
    let part = prop_oneof![
        (first..=last).prop_map(|value| value.to_string()),
        span(),
        (span(), 1..=last).prop_map(|(span, step)| format!("{span}/{step}")),
    ];
    prop_oneof![
        3 => Just("*".to_owned()),
        1 => (1..=last).prop_map(|step| format!("*/{step}")),
        3 => proptest::collection::vec(part, 1..3).prop_map(|parts| parts.join(",")),
    ]
}

proptest! {
    #[test]
    fn the_times_are_those_of_a_well_kept_library(
        (minute, hour, day, month, weekday) in (field(0, 59), field(0, 23), days(1, 28), field(1, 12), days(0, 7)),
        seconds in 0..4_000_000_000_i64,
    ) {
        let text = format!("{minute} {hour} {day} {month} {weekday}");
        let from = Timestamp::from_second(seconds).unwrap();
        let ours: Vec<_> = when(&text).after(from, &TimeZone::UTC).take(5).collect();
        let theirs: croner::Cron = text.parse().unwrap();
        let clock = Clock(TimeZone::UTC.to_datetime(from));
        let theirs: Vec<_> = theirs
            .iter_after(clock)
            .take(5)
            .map(|clock| TimeZone::UTC.to_timestamp(clock.0).unwrap())
            .collect();
        prop_assert_eq!(ours, theirs, "{}", text);
    }
}

#[test]
fn the_shortest_time_between_two_is_that_of_the_narrowest_pair() {
    let gap = |when: &str| {
        let when: When = when.parse().unwrap();
        let moment = "2026-11-24T00:00:00Z".parse().unwrap();
        when.shortest_gap(moment, &TimeZone::UTC).unwrap()
    };
    assert_eq!(gap("hourly"), Duration::from_hours(1));
    assert_eq!(gap("weekdays 03:00"), Duration::from_hours(24));
    assert_eq!(gap("0,50 3 * * *"), Duration::from_mins(50));
}
