use std::collections::BTreeSet;
use std::num::NonZeroU32;

use jiff::tz;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

fn id(text: &str) -> SnapshotId {
    text.parse().unwrap()
}

fn sound(ids: &[&str]) -> Vec<Candidate> {
    ids.iter().map(|text| Candidate::of(id(text))).collect()
}

fn policy(rules: &[(Rule, u32)]) -> Policy {
    rules.iter().fold(Policy::default(), |policy, (rule, of)| {
        policy.with(*rule, NonZeroU32::new(*of).unwrap())
    })
}

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

/// The verdicts as people read them.
fn told(verdicts: &Verdicts) -> Vec<String> {
    let line = |(id, verdict): &(SnapshotId, Verdict)| {
        format!("{} {id}: {}", verdict.word(), verdict.reasons().join("; "))
    };
    verdicts.all().iter().map(line).collect()
}

fn judged(policy: &Policy, snapshots: &[Candidate]) -> Vec<String> {
    told(&keep(policy, snapshots, now(), &TimeZone::UTC))
}

#[test]
fn the_newest_of_each_period_is_kept_and_every_verdict_has_its_reason() {
    let snapshots = sound(&[
        "2026-11-24T030000Z",
        "2026-11-23T150000Z",
        "2026-11-23T030000Z",
        "2026-11-22T030000Z",
        "2026-11-15T030000Z",
    ]);
    let policy = policy(&[(Rule::Daily, 2), (Rule::Weekly, 2)]);
    assert_eq!(
        judged(&policy, &snapshots),
        [
            "keep 2026-11-24T030000Z: the newest; daily 1 of 2; weekly 1 of 2",
            "keep 2026-11-23T150000Z: daily 2 of 2",
            "remove 2026-11-23T030000Z: daily keeps 2026-11-23T150000Z of the same day",
            "keep 2026-11-22T030000Z: weekly 2 of 2",
            "remove 2026-11-15T030000Z: older than all that the rules keep",
        ]
    );
}

#[test]
fn days_without_a_snapshot_use_up_nothing() {
    let snapshots = sound(&[
        "2026-11-24T030000Z",
        "2026-09-02T030000Z",
        "2026-09-01T030000Z",
        "2025-01-01T030000Z",
    ]);
    let kept = keep(
        &policy(&[(Rule::Daily, 3)]),
        &snapshots,
        now(),
        &TimeZone::UTC,
    );
    let kept: Vec<_> = kept.staying().map(|id| id.to_string()).collect();
    assert_eq!(
        kept,
        [
            "2026-11-24T030000Z",
            "2026-09-02T030000Z",
            "2026-09-01T030000Z"
        ]
    );
}

#[test]
fn what_is_within_is_measured_from_the_newest_so_that_nothing_ages_when_runs_fail() {
    let snapshots = sound(&[
        "2026-06-30T030000Z",
        "2026-06-02T030000Z",
        "2026-05-30T030000Z",
    ]);
    let policy = policy(&[(Rule::Last, 1)]).and_within("30d".parse().unwrap());
    assert_eq!(
        judged(&policy, &snapshots),
        [
            "keep 2026-06-30T030000Z: the newest; last 1 of 1; within 30d",
            "keep 2026-06-02T030000Z: within 30d",
            "remove 2026-05-30T030000Z: older than all that the rules keep",
        ]
    );
}

#[test]
fn a_snapshot_of_a_time_to_come_stays_and_takes_no_others_place() {
    let snapshots = sound(&[
        "2050-01-01T000000Z",
        "2026-11-24T030000Z",
        "2026-11-23T030000Z",
    ]);
    assert_eq!(
        judged(&policy(&[(Rule::Last, 1)]), &snapshots),
        [
            "keep 2050-01-01T000000Z: of a time still to come",
            "keep 2026-11-24T030000Z: the newest; last 1 of 1",
            "remove 2026-11-23T030000Z: older than all that the rules keep",
        ]
    );
}

#[test]
fn a_damaged_snapshot_stays_and_takes_no_others_place() {
    let mut snapshots = sound(&[
        "2026-11-24T030000Z",
        "2026-11-23T030000Z",
        "2026-11-22T030000Z",
    ]);
    snapshots[0].damaged = true;
    assert_eq!(
        judged(&policy(&[(Rule::Last, 1)]), &snapshots),
        [
            "keep 2026-11-24T030000Z: its manifest is damaged",
            "keep 2026-11-23T030000Z: the newest; last 1 of 1",
            "remove 2026-11-22T030000Z: older than all that the rules keep",
        ]
    );
}

#[test]
fn the_last_that_a_drill_proved_stays_also_where_a_newer_one_was_verified() {
    let mut snapshots = sound(&[
        "2026-11-24T030000Z",
        "2026-11-23T030000Z",
        "2026-11-22T030000Z",
        "2026-11-21T030000Z",
    ]);
    snapshots[1].verified = true;
    for at in [2, 3] {
        snapshots[at].verified = true;
        snapshots[at].drilled = true;
    }
    assert_eq!(
        judged(&policy(&[(Rule::Last, 1)]), &snapshots),
        [
            "keep 2026-11-24T030000Z: the newest; last 1 of 1",
            "keep 2026-11-23T030000Z: the last verified",
            "keep 2026-11-22T030000Z: the last that a drill proved",
            "remove 2026-11-21T030000Z: older than all that the rules keep",
        ]
    );
}

#[test]
fn one_that_was_found_damaged_stays_and_takes_no_others_place_nor_counts_as_verified() {
    let mut snapshots = sound(&[
        "2026-11-24T030000Z",
        "2026-11-23T030000Z",
        "2026-11-22T030000Z",
        "2026-11-21T030000Z",
    ]);
    snapshots[0].found_damaged = true;
    snapshots[0].verified = true;
    snapshots[2].verified = true;
    assert_eq!(
        judged(&policy(&[(Rule::Last, 1)]), &snapshots),
        [
            "keep 2026-11-24T030000Z: verify found it damaged",
            "keep 2026-11-23T030000Z: the newest; last 1 of 1",
            "keep 2026-11-22T030000Z: the last verified",
            "remove 2026-11-21T030000Z: older than all that the rules keep",
        ]
    );
}

#[test]
fn the_last_verified_and_the_pinned_stay_beside_what_the_rules_keep() {
    let mut snapshots = sound(&[
        "2026-11-24T030000Z",
        "2026-11-23T030000Z",
        "2026-11-22T030000Z",
        "2026-11-21T030000Z",
    ]);
    snapshots[1].verified = true;
    snapshots[2].verified = true;
    snapshots[3].pinned = true;
    assert_eq!(
        judged(&policy(&[(Rule::Last, 1)]), &snapshots),
        [
            "keep 2026-11-24T030000Z: the newest; last 1 of 1",
            "keep 2026-11-23T030000Z: the last verified",
            "remove 2026-11-22T030000Z: older than all that the rules keep",
            "keep 2026-11-21T030000Z: pinned",
        ]
    );
}

#[test]
fn a_policy_without_rules_keeps_everything() {
    let snapshots = sound(&["2026-11-24T030000Z", "2026-11-23T030000Z"]);
    let kept = keep(&Policy::default(), &snapshots, now(), &TimeZone::UTC);
    assert_eq!(kept.going().count(), 0, "{kept:?}");
}

/// Central Europe as it is in winter and summer, without a database of zones.
fn berlin() -> TimeZone {
    TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
}

#[test]
fn days_begin_at_midnight_of_the_zone_and_an_hour_that_comes_twice_is_two() {
    let around_midnight = sound(&["2026-11-23T233000Z", "2026-11-23T223000Z"]);
    let daily = policy(&[(Rule::Daily, 5)]);
    let kept = |zone: &TimeZone| {
        let verdicts = keep(&daily, &around_midnight, now(), zone);
        verdicts.staying().count()
    };
    assert_eq!(kept(&TimeZone::UTC), 1);
    assert_eq!(kept(&berlin()), 2);

    // On 25 October 2026 clocks go from 3 back to 2 at 01:00 UTC.
    let twice = sound(&["2026-10-25T013000Z", "2026-10-25T003000Z"]);
    let hourly = policy(&[(Rule::Hourly, 5)]);
    let verdicts = keep(&hourly, &twice, now(), &berlin());
    assert_eq!(verdicts.staying().count(), 2, "{verdicts:?}");
}

#[test]
fn weeks_are_those_of_the_calendar_also_over_new_year() {
    // 2026 ends on a Thursday: its last week ends on 3 January.
    let snapshots = sound(&[
        "2027-01-03T030000Z",
        "2026-12-28T030000Z",
        "2026-12-27T030000Z",
    ]);
    let later = "2027-01-04T00:00:00Z".parse().unwrap();
    let verdicts = keep(
        &policy(&[(Rule::Weekly, 9)]),
        &snapshots,
        later,
        &TimeZone::UTC,
    );
    let kept: Vec<_> = verdicts.staying().map(|id| id.to_string()).collect();
    assert_eq!(kept, ["2027-01-03T030000Z", "2026-12-27T030000Z"]);
}

#[test]
fn lengths_of_time_are_read_by_the_calendar() {
    for (text, read) in [
        ("30d", "30d"),
        ("6mo", "6mo"),
        ("1y 2mo", "1y 2mo"),
        ("36h", "36h"),
    ] {
        assert_eq!(text.parse::<Within>().unwrap().to_string(), read);
    }
    for (text, why) in [
        ("a month", InvalidWithin::Unreadable),
        ("", InvalidWithin::Unreadable),
        ("0d", InvalidWithin::TooShort),
        ("-3d", InvalidWithin::TooShort),
    ] {
        assert_eq!(text.parse::<Within>(), Err(why), "{text}");
    }
}

#[test]
fn what_a_dead_run_left_goes_after_thirty_days_and_what_nobody_knows_never_does() {
    let (old, young) = (id("2026-10-25T115959Z"), id("2026-10-25T120001Z"));
    assert_eq!(left_over(old, Mark::Claimed, now()), LeftOver::Remove);
    assert_eq!(left_over(young, Mark::Claimed, now()), LeftOver::Young);
    let to_come = id("2050-01-01T000000Z");
    assert_eq!(left_over(to_come, Mark::Claimed, now()), LeftOver::Young);
    assert_eq!(left_over(young, Mark::BeingPruned, now()), LeftOver::Finish);
    assert_eq!(left_over(old, Mark::None, now()), LeftOver::Unknown);
}

/// A history as the world makes them: runs at a pace, some of which fail, holes of weeks, clocks that
/// jump, a job that was renamed for a while, snapshots that somebody verified, pinned or damaged.
#[derive(Debug, Clone)]
struct History {
    snapshots: Vec<Candidate>,
    now: Timestamp,
}

fn histories() -> impl Strategy<Value = History> {
    let pace = prop_oneof![Just(600_i64), Just(3_600), Just(86_400), Just(7 * 86_400)];
    let event = (0_u8..40, 0_i64..100_000_000, 0_i64..3_600);
    let start = 1_600_000_000_i64..1_900_000_000;
    (pace, start, prop::collection::vec(event, 0..25)).prop_map(|(pace, start, events)| {
        let (mut clock, mut snapshots, mut away) = (start, Vec::new(), false);
        for (what, jump, jitter) in events {
            clock += pace + jitter % pace;
            match what {
                0 => clock += jump,
                1 => clock -= jump,
                2 | 3 => away = !away,
                4..8 => continue,
                _ => {}
            }
            if away {
                continue;
            }
            let time = Timestamp::from_second(clock).unwrap();
            snapshots.push(Candidate {
                verified: what % 7 == 0,
                drilled: what % 11 == 0,
                pinned: what == 9,
                damaged: what == 10,
                found_damaged: what == 11,
                unclear: what == 12,
                ..Candidate::of(SnapshotId::at(time))
            });
        }
        let now = Timestamp::from_second(clock + 1).unwrap();
        History { snapshots, now }
    })
}

fn policies() -> impl Strategy<Value = Policy> {
    let counts = prop::array::uniform6(prop_oneof![2 => Just(0_u32), 3 => 1_u32..6]);
    let within = prop_oneof![
        Just(None),
        Just(Some("36h")),
        Just(Some("30d")),
        Just(Some("1mo"))
    ];
    (counts, within).prop_map(|(counts, within)| {
        let rules = Rule::ALL.into_iter().zip(counts);
        let rules = rules.filter_map(|(rule, of)| Some((rule, NonZeroU32::new(of)?)));
        let policy = rules.fold(Policy::default(), |policy, (rule, of)| {
            policy.with(rule, of)
        });
        match within {
            Some(text) => policy.and_within(text.parse().unwrap()),
            None => policy,
        }
    })
}

fn promises(policy: &Policy, history: &History, zone: &TimeZone) -> Result<(), TestCaseError> {
    let History { snapshots, now } = history;
    let verdicts = keep(policy, snapshots, *now, zone);
    let there: BTreeSet<SnapshotId> = snapshots.iter().map(|one| one.id).collect();
    prop_assert_eq!(verdicts.all().len(), there.len());
    let staying: BTreeSet<SnapshotId> = verdicts.staying().collect();
    let going: BTreeSet<SnapshotId> = verdicts.going().collect();
    prop_assert!(staying.is_disjoint(&going) && staying.len() + going.len() == there.len());

    // Never empty, and the newest that can be used is there: also where all else is damaged.
    prop_assert!(there.is_empty() || !staying.is_empty());
    let usable = |one: &&Candidate| one.is_sound();
    let newest = snapshots.iter().filter(usable).map(|one| one.id).max();
    prop_assert!(newest.is_none_or(|newest| staying.contains(&newest)));
    let verified = snapshots
        .iter()
        .filter(|one| one.verified && one.is_sound());
    let last_verified = verified.map(|one| one.id).max();
    prop_assert!(last_verified.is_none_or(|last| staying.contains(&last)));
    let proven = snapshots.iter().filter(|one| one.drilled && one.is_sound());
    let last_proven = proven.map(|one| one.id).max();
    prop_assert!(last_proven.is_none_or(|last| staying.contains(&last)));
    for one in snapshots.iter().filter(|one| one.pinned || !one.is_sound()) {
        prop_assert!(staying.contains(&one.id));
    }
    for (_, verdict) in verdicts.all() {
        let reasons = verdict.reasons();
        prop_assert!(!reasons.is_empty() && reasons.iter().all(|reason| !reason.is_empty()));
    }
    // A rule keeps as many as it says, wherever there are so many periods.
    prop_assert!(!policy.is_empty() || going.is_empty());

    // Asked in another order, or again when those that go are gone, it says the same.
    let mut turned = snapshots.clone();
    turned.reverse();
    prop_assert_eq!(&keep(policy, &turned, *now, zone), &verdicts);
    let mut left = snapshots.clone();
    left.retain(|one| staying.contains(&one.id));
    let again = keep(policy, &left, *now, zone);
    let before: Vec<_> = verdicts.all().iter().filter(|(_, it)| it.stays()).collect();
    prop_assert_eq!(again.all().iter().collect::<Vec<_>>(), before);
    Ok(())
}

#[test]
fn a_hundred_thousand_histories_keep_every_promise() {
    let zones = [TimeZone::UTC, berlin(), TimeZone::fixed(tz::offset(-11))];
    let config = Config {
        cases: 100_000,
        failure_persistence: None,
        ..Config::default()
    };
    let cases = (policies(), histories(), 0..zones.len());
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(&cases, |(policy, history, zone)| {
        promises(&policy, &history, &zones[zone])
    });
    outcome.unwrap();
}

#[test]
fn pruning_after_each_run_keeps_what_pruning_once_would() {
    let config = Config {
        cases: 2_000,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(&(policies(), histories()), |(policy, history)| {
        // What somebody verifies or damages meanwhile changes what is kept.
        let mut ids: Vec<_> = history.snapshots.iter().map(|one| one.id).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut left: Vec<Candidate> = Vec::new();
        for id in &ids {
            left.push(Candidate::of(*id));
            let verdicts = keep(&policy, &left, id.time(), &TimeZone::UTC);
            left.retain(|one| verdicts.staying().any(|id| id == one.id));
        }
        let all: Vec<_> = ids.iter().copied().map(Candidate::of).collect();
        let now = ids.last().map_or(history.now, |id| id.time());
        let once = keep(&policy, &all, now, &TimeZone::UTC);
        let mut once: Vec<_> = once.staying().collect();
        once.reverse();
        prop_assert_eq!(left.iter().map(|one| one.id).collect::<Vec<_>>(), once);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn ten_thousand_snapshots_are_judged() {
    let newest = now().as_second();
    let hours = (0..10_000).map(|n| Timestamp::from_second(newest - n * 3_600).unwrap());
    let snapshots: Vec<_> = hours
        .map(|time| Candidate::of(SnapshotId::at(time)))
        .collect();
    let rules = Rule::ALL.map(|rule| (rule, 12));
    let policy = policy(&rules).and_within("30d".parse().unwrap());
    let verdicts = keep(&policy, &snapshots, now(), &berlin());
    assert_eq!(verdicts.all().len(), 10_000);
    // All of thirty days, and beyond these the ends of some weeks and months.
    let staying = verdicts.staying().count();
    assert!((721..750).contains(&staying), "{staying}");
}
