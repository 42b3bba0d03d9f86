//! Each limit, crossed: the hook ends within it, what it left says what to do, and the next phase of
//! the same hook works.
#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use std::time::Duration;

use copal_core::units::ByteCount;
use copal_hooks::{Cancel, EntryKind, FailureKind, Hook, HookFailure, Limits};
use kit::{FakeHost, Trial, escape, handmade, run, tries, within};
use serde_json::{Value, json};

const SHORT: Duration = Duration::from_millis(100);

fn fails(hook: &Hook) -> HookFailure {
    kit::fails(hook, &FakeHost::default().shared())
}

/// Whether a failure is the expected one.
type Expected = fn(&FailureKind) -> bool;

/// A hook by hand: what `run` does, and what stands beside it.
fn by_hand(body: &str, beside: &str) -> Trial {
    Trial::of(handmade(
        "pre-backup-hook",
        &format!(
            r#"(module
                (import "copal:hooks/log@0.1.0" "write"
                    (func $log (param i32 i32 i32 i32 i32)))
                (import "copal:hooks/run-info@0.1.0" "config" (func $config (param i32)))
                (memory (export "memory") 32)
                {beside}
                (func (export "copal:hooks/pre-backup@0.1.0#run") (result i32) {body}))"#
        ),
    ))
}

const NO_REALLOC: &str = r#"(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    unreachable)"#;

#[test]
fn a_hook_that_failed_in_one_phase_is_well_in_the_next() {
    let acts: [(Value, Expected); 6] = [
        (json!("loop"), |kind| {
            matches!(kind, FailureKind::TimedOut { .. })
        }),
        (json!({ "sleep": 60_000 }), |kind| {
            matches!(kind, FailureKind::TimedOut { .. })
        }),
        (json!("memory"), |kind| {
            matches!(kind, FailureKind::OutOfMemory { .. })
        }),
        (json!("recurse"), |kind| {
            matches!(
                kind,
                FailureKind::OutOfStack { .. } | FailureKind::Trap { .. }
            )
        }),
        (json!("panic"), |kind| {
            matches!(kind, FailureKind::Trap { .. })
        }),
        (json!({ "flood": 20 << 20 }), |kind| {
            matches!(kind, FailureKind::BeyondLimit(_))
        }),
    ];
    for (act, is_expected) in acts {
        let hook = Trial::of(kit::built("specimen"))
            .config(json!({ "act": act, "within": "pre-backup" }))
            .limits(|limits| limits.wall = Duration::from_secs(2))
            .load();
        let failure = within(Duration::from_secs(2), || fails(&hook));
        assert!(is_expected(&failure.kind), "{act}: {failure:?}");
        hook.staged(&run(), FakeHost::default().shared(), &Cancel::new())
            .unwrap_or_else(|failure| panic!("{act}: {failure}"));
    }
}

#[test]
fn a_hook_that_sleeps_is_ended_by_its_limit_and_by_a_signal() {
    let sleep = || escape(&[json!({ "sleep": 3_600_000 })]);
    let hook = sleep().limits(|limits| limits.wall = SHORT).load();
    let failure = within(SHORT, || fails(&hook));
    assert_eq!(failure.kind, FailureKind::TimedOut { limit: SHORT });
    assert!(failure.to_string().contains("`wall`"), "{failure}");

    let hook = sleep().load();
    let cancel = Cancel::new();
    let failure = std::thread::scope(|scope| {
        let hook = &hook;
        let cancel = &cancel;
        let host = FakeHost::default().shared();
        let waiting = scope.spawn(move || hook.pre_backup(&run(), host, cancel));
        cancel.cancel();
        within(Duration::ZERO, || waiting.join().unwrap())
    });
    assert_eq!(failure.unwrap_err().kind, FailureKind::Interrupted);
}

#[test]
fn a_filter_that_sleeps_or_computes_is_ended_by_the_limit_of_a_batch() {
    let computing = Trial::specimen(json!("loop"));
    let sleeping = Trial::specimen(json!({ "sleep": 60_000 }));
    for trial in [computing, sleeping] {
        let hook = trial.limits(|limits| limits.filter_wall = SHORT).load();
        let mut session = hook.filter(&run(), &Cancel::new()).unwrap();
        let mut batch = session.batch();
        batch.push(b"a", EntryKind::File, 0, 0);
        let failure = within(SHORT, || session.decide(&batch).unwrap_err());
        assert_eq!(failure.kind, FailureKind::TimedOut { limit: SHORT });
        assert!(failure.to_string().contains("`filter_wall`"), "{failure}");
    }
}

#[test]
fn sleeping_for_a_while_is_no_failure_and_is_counted() {
    let hook = Trial::specimen(json!({ "sleep": 30 })).load();
    let account = kit::pre_backup(&hook, &FakeHost::default().shared()).unwrap();
    assert!(account.computed >= Duration::from_millis(30), "{account:?}");
}

/// Calls itself as deep as the number in its config says.
fn recursive(depth: u32, stack: ByteCount) -> Hook {
    let body = format!("(drop (call $down (i32.const {depth}))) (i32.const 0)");
    let beside = format!(
        r"{NO_REALLOC}
        (func $down (param i32) (result i32)
            (if (result i32) (i32.eqz (local.get 0))
                (then (i32.const 0))
                (else (i32.add (i32.const 1)
                    (call $down (i32.sub (local.get 0) (i32.const 1)))))))"
    );
    by_hand(&body, &beside)
        .limits(|limits| limits.stack = stack)
        .load()
}

#[test]
fn each_hook_has_the_stack_that_its_limits_say() {
    let small = ByteCount(64 * 1024);
    let failure = fails(&recursive(20_000, small));
    assert_eq!(failure.kind, FailureKind::OutOfStack { limit: small });
    assert!(failure.to_string().contains("`stack`"), "{failure}");
    let large = recursive(20_000, ByteCount::mebibytes(8));
    kit::pre_backup(&large, &FakeHost::default().shared()).unwrap();
}

#[test]
fn a_gigabyte_of_log_and_of_output_does_no_harm() {
    // A kibibyte of text, a million times.
    let body = r"(local i32)
        (loop $again
            (call $log (i32.const 2) (i32.const 0) (i32.const 1048576) (i32.const 0) (i32.const 0))
            (local.set 0 (i32.add (local.get 0) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get 0) (i32.const 1024))))
        (i32.const 0)";
    let wall = Duration::from_secs(20);
    let limit = |limits: &mut Limits| limits.wall = wall;
    let logging = by_hand(body, NO_REALLOC).limits(limit).load();
    let is_fine = |failure: &HookFailure| matches!(failure.kind, FailureKind::TimedOut { .. });
    let host = FakeHost::default().shared();
    if let Err(failure) = within(wall, || kit::pre_backup(&logging, &host)) {
        assert!(is_fine(&failure), "{failure}");
    }
    let writing = escape(&[json!({ "stdout": 1024 })]).limits(limit).load();
    let failure = within(wall, || fails(&writing));
    assert!(
        is_fine(&failure) || failure.to_string().contains("got done"),
        "{failure}"
    );
    assert!(failure.last_words.len() <= 20);
}

#[test]
fn a_hoard_of_the_hosts_own_things_has_an_end() {
    let failure = fails(&escape(&[json!({ "hoard": 1_000_000 })]).load());
    assert!(
        matches!(&failure.kind, FailureKind::BeyondLimit(what) if what.contains("512")),
        "{failure}"
    );
    let few = escape(&[json!({ "hoard": 500 })]).load();
    let answers = tries(&few, &FakeHost::default().shared());
    assert_eq!(answers, ["got 500 kept"]);
}

#[test]
fn what_a_hook_wrote_last_to_its_standard_error_are_its_last_words() {
    let failure = fails(&escape(&[json!({ "abort": "the last\nwords" })]).load());
    assert!(
        matches!(failure.kind, FailureKind::Trap { .. }),
        "{failure}"
    );
    assert_eq!(failure.last_words, ["the last", "words"]);
}

#[test]
fn a_trap_is_told_with_the_names_of_the_functions_that_were_running() {
    let failure = fails(&Trial::specimen(json!("panic")).load());
    let FailureKind::Trap { backtrace, .. } = &failure.kind else {
        panic!("{failure:?}")
    };
    let frames = backtrace.join("\n");
    assert!(frames.contains("specimen::Config::follow"), "{frames}");
}

#[test]
fn a_trap_while_the_host_hands_something_over_is_a_trap_like_others() {
    let body = "(call $config (i32.const 16)) (i32.const 0)";
    let failure = fails(&by_hand(body, NO_REALLOC).load());
    assert!(
        matches!(&failure.kind, FailureKind::Trap { what, .. } if what.contains("unreachable")),
        "{failure}"
    );
}

#[test]
fn an_answer_that_is_not_in_the_hooks_memory_is_a_trap() {
    // An error with a text of 4 GiB.
    let body = r"(i32.store (i32.const 64) (i32.const 1))
        (i32.store (i32.const 68) (i32.const 1))
        (i32.store (i32.const 72) (i32.const 0))
        (i32.store (i32.const 76) (i32.const -1))
        (i32.const 64)";
    let failure = fails(&by_hand(body, NO_REALLOC).load());
    assert!(
        matches!(failure.kind, FailureKind::Trap { .. }),
        "{failure}"
    );
}

#[test]
fn a_huge_answer_is_beyond_the_limit_that_it_names() {
    let body = r"(i32.store (i32.const 64) (i32.const 1))
        (i32.store (i32.const 68) (i32.const 1))
        (i32.store (i32.const 72) (i32.const 0))
        (i32.store (i32.const 76) (i32.const 1000000))
        (i32.const 64)";
    let hook = by_hand(body, NO_REALLOC)
        .limits(|limits| limits.hostcall = ByteCount(100_000))
        .load();
    let failure = fails(&hook);
    assert!(
        matches!(&failure.kind, FailureKind::BeyondLimit(what) if what.contains("`hostcall`")),
        "{failure}"
    );
}

#[test]
fn a_panic_in_a_deed_is_told_as_copals_own_fault_and_the_hook_goes_on_in_the_next_phase() {
    let hook = Trial::of(kit::built("specimen"))
        .config(json!({ "act": { "copy-anyway": "webui.db" }, "within": "pre-backup" }))
        .grant("sqlite", "*")
        .load();
    let host = FakeHost::panicking().shared();
    let failure = kit::fails(&hook, &host);
    assert!(
        matches!(&failure.kind, FailureKind::Host(why) if why.contains("as it was told")),
        "{failure}"
    );
    assert!(failure.account.deeds[0].result.is_err());
    hook.staged(&run(), host, &Cancel::new()).unwrap();
}

#[test]
fn memory_is_what_the_limits_say_and_more_for_an_interpreter() {
    let limits = Limits::default();
    assert_eq!(limits.memory_of(100_000), ByteCount::mebibytes(64));
    assert_eq!(limits.memory_of(12 << 20), ByteCount::mebibytes(256));
    let hook = Trial::specimen(json!("memory"))
        .limits(|limits| limits.memory = Some(ByteCount::mebibytes(3)))
        .load();
    let failure = fails(&hook);
    let FailureKind::OutOfMemory { limit, .. } = failure.kind else {
        panic!("{failure:?}")
    };
    assert_eq!(limit, ByteCount::mebibytes(3));
}

#[test]
fn the_calls_of_a_phase_have_a_limit_and_all_of_them_are_in_the_account() {
    let hook = Trial::specimen(json!("ask-for-ever"))
        .grant("sqlite", "*")
        .limits(|limits| limits.calls = 5)
        .load();
    let failure = fails(&hook);
    assert!(
        matches!(&failure.kind, FailureKind::BeyondLimit(what) if what.contains("`calls`")),
        "{failure}"
    );
    assert_eq!(failure.account.deeds.len(), 5);
}

#[test]
fn a_value_larger_than_the_whole_store_is_refused_by_the_limit_that_it_names() {
    let hook = Trial::specimen(json!({ "count": "key" }))
        .grant("state", "true")
        .limits(|limits| limits.state = ByteCount(0))
        .load();
    let failure = fails(&hook);
    assert!(
        failure.to_string().contains("`state` in its `limits`"),
        "{failure}"
    );
}
