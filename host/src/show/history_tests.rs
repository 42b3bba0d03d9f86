use super::*;
use crate::record::{DenialRecord, Ended, Kind};
use copal_core::charges::Charges;
use insta::assert_snapshot;

fn deed(deed: &str, arguments: &[(&str, &str)], result: DeedResult) -> DeedRecord {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    DeedRecord {
        deed: deed.to_owned(),
        arguments: arguments.iter().map(owned).collect(),
        result,
        took_ms: 120,
    }
}

fn hook(hook: &str, phase: &str) -> HookStory {
    HookStory {
        hook: hook.to_owned(),
        phase: phase.to_owned(),
        failure: None,
        computed_ms: 2,
        deeds: Vec::new(),
        deeds_left_out: 0,
        denials: Vec::new(),
        warnings: Vec::new(),
        last_words: Vec::new(),
    }
}

fn held(service: &str, away_ms: Option<u64>, by: &str, ready_ms: Option<u64>) -> HoldRecord {
    HoldRecord {
        service: service.to_owned(),
        how: "paused".to_owned(),
        away_ms,
        released_by: away_ms.map(|_| by.to_owned()),
        killed_after_ms: None,
        ready_ms,
    }
}

fn record() -> Record {
    let mut copying = hook("sqlite-backup", "pre-backup");
    let done = DeedResult::Done("1,024 pages of 4,096 bytes".into());
    copying.deeds = vec![deed("sqlite.backup", &[("name", "webui.db")], done)];
    let mut telling = hook("notify", "post-backup");
    let post = [
        ("method", "POST"),
        ("url", "https://ntfy.sh/backups"),
        ("body", "312 bytes"),
    ];
    let refused = DeedResult::NotDone("`http` is not granted\nto `notify`\u{1b}[31m".into());
    telling.deeds = vec![
        deed("http.send", &post, DeedResult::Done("200".into())),
        deed("http.send", &post[..2], refused),
    ];
    telling.failure = Some("it trapped: wasm `unreachable` instruction executed".into());
    telling.denials = vec![DenialRecord {
        capability: "http".into(),
        value: "POST https://ntfy.sh".into(),
        remedy: "grants = { http = [\"POST https://ntfy.sh\"] }".into(),
    }];
    telling.last_words = vec![
        "panicked at src/lib.rs:12:".into(),
        "no \u{7}such topic".into(),
    ];
    Record {
        run: "641f3c0a2b1d4-1f2e".into(),
        name: "open-webui".into(),
        kind: Kind::Backup,
        started: "2026-11-24T03:00:00Z".parse().unwrap(),
        took_ms: 62_000,
        outcome: Ended::Warned,
        exit: 3,
        copal: "0.1.0".into(),
        snapshots: vec![SnapshotRecord {
            id: "2026-11-24T030000Z".parse().unwrap(),
            destination: "b2:OpenWebUI-backups/copal".into(),
            files: 2003,
            bytes: 1_300_000_000,
            copied_files: 1_982,
            copied_bytes: 1_299_979_500,
            uploaded_files: Some(21),
            uploaded_bytes: Some(20_500),
            calls: Some(Charges {
                class_a: 30,
                class_b: 3,
                class_c: 2_078,
            }),
            terms: None,
            is_mirror: false,
            deleted_files: None,
        }],
        pruned: Vec::new(),
        errors: Vec::new(),
        shortcomings: vec![Trouble {
            what: "hook `notify` failed in post-backup".into(),
            why: vec!["it trapped".into(), "two\nlines".into()],
            next: "tell its author".into(),
        }],
        notes: Vec::new(),
        holds: vec![
            held("app", Some(120), "run", Some(1200)),
            held("worker", Some(30_000), "max-pause", None),
            held("database", Some(12_000), "guard", None),
            held("cache", None, "", None),
        ],
        steps: [("plan", 12), ("transfer", 58_000), ("seal", 1_500)]
            .map(|(step, took_ms)| StepRecord {
                step: step.into(),
                took_ms,
            })
            .into(),
        hooks: vec![hook("exclude", "filter"), copying, telling],
        rebuilt: false,
        one_off: false,
        log: vec!["2026-11-24T03:00:00.000Z INFO  641f3c0a2b1d4-1f2e copal: step plan".into()],
        log_file: Some("/var/lib/copal/log/open-webui.log".into()),
    }
}

#[test]
fn a_run_is_told_from_its_end_to_what_each_hook_did() {
    assert_snapshot!(text(&record()));
}

#[test]
fn a_run_without_hooks_says_so() {
    let mut bare = record();
    bare.hooks.clear();
    bare.shortcomings.clear();
    bare.outcome = Ended::Failed;
    bare.exit = 1;
    bare.snapshots.clear();
    bare.holds.clear();
    bare.errors = vec![Trouble {
        what: "can't open the source `/opt/app`".into(),
        why: vec!["No such file or directory (os error 2)".into()],
        next: "is its disk mounted?".into(),
    }];
    bare.notes = vec!["the old tree is `/opt/app.before-641f3c0a2b1d4-1f2e`".into()];
    assert_snapshot!(text(&bare));
}

#[test]
fn the_list_has_a_line_for_each_run() {
    let row = |run: &str, name: &str, exit, outcome: &str, trouble: Option<&str>| Row {
        run: run.into(),
        name: name.into(),
        kind: "backup".into(),
        started: "2026-11-24T03:00:00Z".parse().unwrap(),
        took_ms: 3200,
        outcome: outcome.into(),
        exit,
        snapshots: vec!["2026-11-24T030000Z".into()],
        trouble: trouble.map(str::to_owned),
    };
    assert_snapshot!(list(&[
        row("641f3c0a2b1d4-1f2e", "open-webui", 0, "succeeded", None),
        row(
            "641f3c0a2b1d4-1f",
            "a",
            143,
            "interrupted",
            Some("interrupted by SIGTERM"),
        ),
    ]));
}

#[test]
fn no_line_of_a_hooks_message_passes_for_one_of_copals() {
    let mut forging = hook("forging", "pre-backup");
    forging.failure = Some("no\n  staged       other  ok\u{202e}".into());
    let mut page = Page::default();
    page.hook(&forging);
    assert_eq!(
        page.text,
        "  pre-backup   forging  failed: no (computed 2 ms)\n        |   staged       other  ok \n"
    );
}

#[test]
fn a_kill_is_told_beside_how_long_it_was_away() {
    let mut hold = held("app", Some(13_100), "run", Some(1200));
    hold.how = "stopped".to_owned();
    hold.killed_after_ms = Some(10_000);
    assert_eq!(
        hold_told(&hold),
        "app: stopped for 13.1 s, killed after 10.0 s, ready after 1.2 s"
    );
}

#[test]
fn of_a_killed_run_nobody_knows_what_its_hooks_did() {
    let mut killed = record();
    killed.outcome = Ended::Abandoned;
    assert!(!text(&killed).contains("is not known"));
    killed.hooks.clear();
    assert!(text(&killed).contains("what the hooks did is not known"));
    killed.outcome = Ended::Failed;
    assert!(text(&killed).contains("no hook was called"));
}
