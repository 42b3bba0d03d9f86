//! Hooks that loop, hoard, panic or lie end within their limits, and leave nothing behind.
#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use std::collections::BTreeMap;
use std::time::Duration;

use copal_core::units::ByteCount;
use copal_hooks::{
    Cancel, CapabilityError, Columns, EntryKind, FailureKind, FilterBatch, Hook, HookFailure,
    Limits, Outcome, Report, Verdict,
};
use kit::{FakeHost, Trial, handmade, run};
use serde_json::json;

fn pre_backup(hook: &Hook) -> HookFailure {
    hook.pre_backup(&run(), FakeHost::default().shared(), &Cancel::new())
        .unwrap_err()
}

fn short(limits: &mut Limits) {
    limits.wall = Duration::from_millis(50);
    limits.filter_wall = Duration::from_millis(50);
}

/// What the specimen asks for.
fn columns() -> Columns {
    Columns {
        kinds: true,
        ..Columns::default()
    }
}

fn batch(paths: &[&str]) -> FilterBatch {
    let mut batch = FilterBatch::new(columns());
    for path in paths {
        let (path, kind) = match path.strip_suffix('/') {
            Some(directory) => (directory, EntryKind::Directory),
            None => (*path, EntryKind::File),
        };
        batch.push(path.as_bytes(), kind, 1, 0);
    }
    batch
}

#[test]
fn an_endless_loop_is_ended_in_every_phase() {
    let hook = Trial::specimen(json!("loop")).limits(short).load();
    let timed_out = FailureKind::TimedOut {
        limit: Duration::from_millis(50),
    };
    assert_eq!(pre_backup(&hook).kind, timed_out);
    let report = Report {
        outcome: Outcome::Failed,
        message: None,
        snapshot: None,
        counters: BTreeMap::new(),
    };
    let failure = hook
        .post_backup(&run(), report, FakeHost::default().shared(), &Cancel::new())
        .unwrap_err();
    assert_eq!(failure.kind, timed_out);
    let mut session = hook.filter(&run(), &Cancel::new()).unwrap();
    assert_eq!(session.decide(&batch(&["a"])).unwrap_err().kind, timed_out);
}

#[test]
fn a_computing_hook_is_interrupted_when_the_run_is() {
    let hook = Trial::specimen(json!("loop")).load();
    let cancel = Cancel::new();
    cancel.cancel();
    let failure = hook
        .pre_backup(&run(), FakeHost::default().shared(), &cancel)
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Interrupted);
}

#[test]
fn a_run_that_is_interrupted_during_a_deed_ends_the_hook_behind_it() {
    let cancel = Cancel::new();
    let host = FakeHost::with(&["webui.db"]).cancelling(&cancel).shared();
    let hook = Trial::specimen(json!({ "copy-anyway": "webui.db" }))
        .grant("sqlite", "*")
        .load();
    let failure = hook.pre_backup(&run(), host, &cancel).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Interrupted);
}

#[test]
fn an_interrupted_deed_ends_a_hook_that_would_carry_on() {
    let host = FakeHost::with(&["webui.db"]).failing("webui.db", CapabilityError::Interrupted);
    let hook = Trial::specimen(json!({ "copy-anyway": "webui.db" }))
        .grant("sqlite", "*")
        .load();
    let failure = hook
        .pre_backup(&run(), host.shared(), &Cancel::new())
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Interrupted);
}

#[test]
fn a_hoarder_of_memory_is_told_how_much_it_wanted() {
    let failure = pre_backup(&Trial::specimen(json!("memory")).load());
    let FailureKind::OutOfMemory { limit, wanted } = failure.kind else {
        panic!("{failure:?}");
    };
    assert_eq!(limit, ByteCount::mebibytes(64));
    assert!(wanted > limit);
}

#[test]
fn endless_recursion_is_a_failure_and_not_a_crash() {
    let failure = pre_backup(&Trial::specimen(json!("recurse")).load());
    // A guest may keep a stack of its own in its memory, and overflow that one first.
    assert!(
        matches!(
            failure.kind,
            FailureKind::OutOfStack { .. } | FailureKind::Trap { .. }
        ),
        "{failure:?}"
    );
}

#[test]
fn the_text_of_a_panic_is_among_the_last_words() {
    let failure = pre_backup(&Trial::specimen(json!("panic")).load());
    assert!(
        matches!(failure.kind, FailureKind::Trap { .. }),
        "{failure:?}"
    );
    let words = failure.last_words.join("\n");
    assert!(
        words.contains("the specimen panics as it was told"),
        "{words}"
    );
    assert!(words.contains("specimen/src/lib.rs:"), "{words}");
}

#[test]
fn a_failed_phase_leaves_the_next_one_unharmed() {
    let hook = Trial::specimen(json!("panic")).load();
    assert_eq!(pre_backup(&hook).kind, pre_backup(&hook).kind);
}

#[test]
fn an_error_of_its_own_keeps_its_code_and_text() {
    assert_eq!(
        pre_backup(&Trial::specimen(json!("fail")).load()).kind,
        FailureKind::Error {
            code: "told-so".into(),
            message: "the specimen fails as it was told".into(),
        }
    );
}

#[test]
fn a_chatterer_is_cut_and_not_failed() {
    let hook = Trial::specimen(json!({ "log": 100_000 }))
        .limits(|limits| limits.log = ByteCount(4096))
        .load();
    hook.pre_backup(&run(), FakeHost::default().shared(), &Cancel::new())
        .unwrap();
}

#[test]
fn a_flood_into_the_host_is_stopped() {
    let flood = |bytes: u32| Trial::specimen(json!({ "flood": bytes })).load();
    let hook = flood(1 << 20);
    hook.pre_backup(&run(), FakeHost::default().shared(), &Cancel::new())
        .unwrap();
    let failure = pre_backup(&flood(9 << 20));
    assert!(
        matches!(&failure.kind, FailureKind::BeyondLimit(what) if what.contains("8.0 MiB")),
        "{failure:?}"
    );
}

#[test]
fn a_hook_cannot_use_capabilities_without_end() {
    let hook = Trial::specimen(json!("ask-for-ever"))
        .grant("sqlite", "*")
        .load();
    let failure = pre_backup(&hook);
    assert!(
        matches!(&failure.kind, FailureKind::BeyondLimit(what) if what.contains("10000")),
        "{failure:?}"
    );
}

#[test]
fn a_hook_is_told_about_its_run() {
    let failure = pre_backup(&Trial::specimen(json!("introduce")).load());
    assert_eq!(
        failure.to_string(),
        "hook `tried` failed in pre-backup: run run-7, phase pre-backup, dry false, in time true"
    );
}

#[test]
fn a_filter_that_asks_decides_path_by_path() {
    let config = json!({ "skip": "cache", "rules": ["- *.tmp"] });
    let hook = Trial::of(kit::built("specimen")).config(config).load();
    let mut session = hook.filter(&run(), &Cancel::new()).unwrap();
    assert_eq!(session.approach().rules, ["- *.tmp"]);
    assert!(session.approach().ask == Some(columns()));
    let verdicts = session
        .decide(&batch(&["cache/", "a/cache/", "a/cache", "cached", "é/x"]))
        .unwrap();
    assert_eq!(
        verdicts,
        [
            Verdict::SkipSubtree,
            Verdict::SkipSubtree,
            Verdict::Skip,
            Verdict::Keep,
            Verdict::Keep
        ]
    );
    assert_eq!(session.decide(&FilterBatch::new(columns())).unwrap(), []);
    assert!(session.finish().deeds.is_empty());
}

#[test]
fn a_filter_that_failed_once_never_decides_again() {
    let hook = Trial::specimen(json!("panic")).load();
    let mut session = hook.filter(&run(), &Cancel::new()).unwrap();
    let first = session.decide(&batch(&["a"])).unwrap_err();
    assert_eq!(session.decide(&batch(&["a"])).unwrap_err(), first);
}

/// A filter without the SDK, which answers any batch with the same bytes.
fn parrot(verdicts: &str) -> Hook {
    let count = verdicts.len() / 3;
    let module = format!(
        r#"(module
            (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
            (func (export "copal:hooks/filter@0.1.0#start") (result i32) (i32.const 0))
            (func (export "copal:hooks/filter@0.1.0#decide")
                (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 128))
            (; ok(no rules, ask for kinds) ;)
            (data (i32.const 0) "\00\00\00\00\00\00\00\00\00\00\00\00\01\01\00\00")
            (; ok(list at 64) ;)
            (data (i32.const 128) "\00\00\00\00\40\00\00\00\{count:02x}\00\00\00")
            (data (i32.const 64) "{verdicts}"))"#
    );
    Trial::of(handmade("filter-hook", &module)).load()
}

#[test]
fn an_answer_of_the_wrong_length_is_a_failure_and_drops_nothing() {
    for (verdicts, count) in [("", 0), (r"\01", 1), (r"\01\01\01", 3)] {
        let hook = parrot(verdicts);
        let mut session = hook.filter(&run(), &Cancel::new()).unwrap();
        let failure = session.decide(&batch(&["a", "b"])).unwrap_err();
        let why = format!("{count} verdicts for 2 paths");
        assert_eq!(failure.kind, FailureKind::BadAnswer(why));
    }
}

#[test]
fn an_unknown_verdict_is_a_failure() {
    let hook = parrot(r"\01\04");
    let mut session = hook.filter(&run(), &Cancel::new()).unwrap();
    let failure = session.decide(&batch(&["a", "b"])).unwrap_err();
    assert_eq!(
        failure.kind,
        FailureKind::BadAnswer("4 is no verdict".into())
    );
}

#[test]
fn a_phase_that_a_hook_does_not_export_is_not_called() {
    let failure = pre_backup(&Trial::of(kit::built("exclude")).load());
    assert_eq!(failure.kind, FailureKind::NotExported);
}

#[test]
fn hooks_and_sessions_may_move_between_threads() {
    fn may_move<T: Send>() {}
    may_move::<Hook>();
    may_move::<copal_hooks::FilterSession>();
    may_move::<copal_hooks::HookEngine>();
}
