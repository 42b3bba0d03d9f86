use super::*;
use crate::job::Place;
use crate::record::{Ended, Kind, SnapshotRecord, Trouble};
use crate::show::status::Drills;
use copal_core::freshness::Freshness;
use copal_core::snapshot::SnapshotId;
use copal_core::units::ByteCount;

const HOSTILE: &str = "</style><script>alert(\"1\")</script>\u{202e}";

fn now() -> Timestamp {
    "2026-11-27T12:00:00Z".parse().unwrap()
}

fn id() -> SnapshotId {
    "2026-11-24T030000Z".parse().unwrap()
}

fn status(place: &str) -> Status {
    Status {
        name: place.into(),
        now: now(),
        max_age: None,
        destinations: vec![Destination {
            place: Place {
                shown: place.into(),
                is_mirror: false,
            },
            snapshot: Some(id()),
            began: Some(now()),
            freshness: Freshness::Fresh,
            verified: None,
            drills: Drills::Known {
                worked: None,
                failed: None,
            },
            damaged: None,
        }],
        last_run: None,
        last_drill: None,
        next: None,
    }
}

fn run(kind: Kind, started: &str, outcome: Ended) -> Record {
    Record {
        run: "641f3c0a2b1d4-1f2e".into(),
        kind,
        started: started.parse().unwrap(),
        took_ms: 62_000,
        outcome,
        snapshots: vec![SnapshotRecord::unsent(
            id(),
            HOSTILE.into(),
            2003,
            ByteCount(1_300_000_000),
        )],
        ..Record::empty()
    }
}

fn hostile() -> Record {
    let trouble = Trouble {
        what: HOSTILE.into(),
        why: vec![HOSTILE.into()],
        next: HOSTILE.into(),
    };
    Record {
        errors: vec![trouble.clone()],
        shortcomings: vec![trouble],
        hooks: vec![crate::record::HookStory {
            hook: HOSTILE.into(),
            phase: HOSTILE.into(),
            failure: Some(HOSTILE.into()),
            computed_ms: 1,
            deeds: Vec::new(),
            deeds_left_out: 0,
            denials: Vec::new(),
            warnings: vec![HOSTILE.into()],
            last_words: vec![HOSTILE.into()],
        }],
        log: vec![HOSTILE.into()],
        log_file: Some(HOSTILE.into()),
        ..run(Kind::Backup, "2026-11-24T03:00:00Z", Ended::Failed)
    }
}

fn runs(newest_first: impl IntoIterator<Item = Record>) -> Runs {
    let mut runs = Runs::default();
    newest_first.into_iter().for_each(|record| runs.add(record));
    runs
}

#[test]
fn a_page_fetches_and_runs_nothing_and_takes_nobodys_word_for_markup() {
    let mut status = status(HOSTILE);
    status.last_run = Some(hostile());
    let page = page(&status, &runs([hostile()]));
    assert!(page.contains("&lt;/style&gt;&lt;script&gt;"), "{page}");
    for never in [
        "<script", "\u{202e}", "http", "url(", "@import", "src=", "href=",
    ] {
        assert!(!page.contains(never), "{never}\n{page}");
    }
    assert_eq!(page.matches("</style>").count(), 1, "{page}");
}

#[test]
fn the_last_bad_run_is_told_in_full_and_how_many_were_good_after_it() {
    let good = |started| run(Kind::Backup, started, Ended::Succeeded);
    let mut bad = run(Kind::Backup, "2026-11-24T03:00:00Z", Ended::Failed);
    bad.errors.push(Trouble {
        what: "what failed".into(),
        why: vec!["the reason".into()],
        next: "the advice".into(),
    });
    bad.log = vec!["a line of the log".into()];
    let older = run(Kind::Backup, "2026-11-23T03:00:00Z", Ended::Abandoned);
    let all = [
        good("2026-11-26T03:00:00Z"),
        good("2026-11-25T03:00:00Z"),
        bad,
        older,
    ];
    let page = page(&status("b2:bucket"), &runs(all));
    for told in [
        "what failed",
        "the reason",
        "the advice",
        "a line of the log",
        "After it, 2 runs went well.",
        "2026-11-24: 1 run, the worst failed",
        "2026-11-26: 1 run, succeeded",
        "2026-11-27: no run",
    ] {
        assert!(page.contains(told), "{told}\n{page}");
    }
}

#[test]
fn a_snapshot_is_as_the_last_look_at_it_found_it() {
    let sealed = || run(Kind::Backup, "2026-11-24T03:00:00Z", Ended::Succeeded);
    let look = |kind, day, outcome| run(kind, &format!("2026-11-{day}T03:00:00Z"), outcome);
    let table = |records: Vec<Record>| {
        let runs = runs(records.into_iter().chain([sealed()]));
        snapshots::section(&runs, now()).into_string()
    };
    assert!(table(Vec::new()).contains("not looked at"));
    let good = table(vec![
        look(Kind::Drill, 26, Ended::Succeeded),
        look(Kind::Verify, 25, Ended::Succeeded),
    ]);
    assert!(
        good.contains(">verified<") && good.contains(">drilled<"),
        "{good}"
    );
    let damaged = table(vec![
        look(Kind::Verify, 26, Ended::Failed),
        look(Kind::Verify, 25, Ended::Succeeded),
    ]);
    assert!(damaged.contains(">damaged<"), "{damaged}");
    assert!(!damaged.contains(">verified<"), "{damaged}");
}

#[test]
fn a_page_without_runs_says_so_and_one_that_lacks_some_as_well() {
    let empty = page(&status("b2:bucket"), &Runs::default());
    assert!(
        empty.contains("No run is known on this machine."),
        "{empty}"
    );
    assert!(!empty.contains("<svg"), "{empty}");
    let mut runs = runs([run(Kind::Backup, "2026-11-24T03:00:00Z", Ended::Succeeded)]);
    runs.left_out(2);
    let page = page(&status("b2:bucket"), &runs);
    assert!(
        page.contains("2 runs of the history can't be read"),
        "{page}"
    );
}
