//! No right without a grant, whatever a component tries.
#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use copal_core::grants::Capability;
use copal_hooks::{Cancel, Cause, Denial, FailureKind, HookFailure, Outcome, Report};
use kit::{FakeHost, Trial, run};
use serde_json::json;

fn denial(failure: HookFailure) -> Denial {
    match failure.kind {
        FailureKind::Denied(denial) => *denial,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_denial_names_hook_capability_value_and_the_line_that_mends_it() {
    let host = FakeHost::with(&["webui.db", "other.db"]).shared();
    let trial = || Trial::specimen(json!({ "copy": "webui.db" })).grant("sqlite", "other.db");
    let failure = trial()
        .load()
        .pre_backup(&run(), host.clone(), &Cancel::new())
        .unwrap_err();
    assert_eq!(
        denial(failure),
        Denial {
            hook: "tried".into(),
            capability: Capability::Sqlite,
            value: "webui.db".into(),
            cause: Cause::NotGranted {
                line: r#"grants = { sqlite = ["other.db", "webui.db"] }"#.into(),
            },
        }
    );
    assert!(host.done().is_empty());

    // With what the line says, the same run passes.
    let granted = trial().grant("sqlite", "webui.db").load();
    granted
        .pre_backup(&run(), host.clone(), &Cancel::new())
        .unwrap();
    assert_eq!(host.done(), ["copy webui.db"]);
}

#[test]
fn asking_for_all_without_any_grant_is_denied_with_a_line_for_all() {
    let hook = Trial::of(kit::built("sqlite-backup")).load();
    let host = FakeHost::with(&["webui.db"]).shared();
    let failure = hook.pre_backup(&run(), host, &Cancel::new()).unwrap_err();
    let denial = denial(failure);
    assert_eq!(denial.value, "*");
    assert_eq!(denial.remedy(), r#"grants = { sqlite = ["*"] }"#);
}

#[test]
fn a_grant_of_one_capability_is_none_of_another() {
    let hook = Trial::specimen(json!({ "archive": "uploads" }))
        .grant("sqlite", "*")
        .load();
    let host = FakeHost::default().shared();
    let failure = hook.pre_backup(&run(), host, &Cancel::new()).unwrap_err();
    assert_eq!(
        denial(failure).remedy(),
        r#"grants = { sqlite = ["*"], archive = ["uploads"] }"#
    );
}

#[test]
fn a_name_that_leads_out_of_the_source_is_refused_even_where_all_is_granted() {
    for name in ["../other/webui.db", "/etc/passwd", "", "a/./b", "a//b"] {
        let host = FakeHost::with(&["webui.db"]).shared();
        let hook = Trial::specimen(json!({ "copy": name }))
            .grant("sqlite", "*")
            .load();
        let failure = hook
            .pre_backup(&run(), host.clone(), &Cancel::new())
            .unwrap_err();
        match failure.kind {
            FailureKind::Error { code, .. } => assert_eq!(code, "invalid", "{name}"),
            other => panic!("{name}: {other:?}"),
        }
        assert!(host.done().is_empty());
    }
}

#[test]
fn a_denial_that_the_gate_never_spoke_is_not_believed() {
    let hook = Trial::specimen(json!("forge-denial")).load();
    let host = FakeHost::default().shared();
    let failure = hook.pre_backup(&run(), host, &Cancel::new()).unwrap_err();
    assert!(!failure.to_string().contains("archive"), "{failure}");
    match failure.kind {
        FailureKind::Error { code, .. } => assert_eq!(code, "denied"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refusal_that_the_hook_swallows_is_still_in_the_account() {
    let hook = Trial::specimen(json!({ "copy-anyway": "webui.db" })).load();
    let host = FakeHost::with(&["webui.db"]).shared();
    let account = hook.pre_backup(&run(), host, &Cancel::new()).unwrap();
    let [deed] = account.deeds.as_slice() else {
        panic!("{account:?}");
    };
    assert_eq!(deed.arguments, [("name".to_owned(), "webui.db".to_owned())]);
    let why = deed.result.as_ref().unwrap_err();
    assert!(why.contains("not granted"), "{why}");
}

#[test]
fn no_capability_works_outside_of_its_phase() {
    let hook = Trial::specimen(json!({ "copy": "webui.db" }))
        .grant("sqlite", "*")
        .load();
    let mut session = hook.filter(&run(), &Cancel::new()).unwrap();
    let mut batch = session.batch();
    batch.push(b"a", copal_hooks::EntryKind::File, 0, 0);
    let in_filter = session.decide(&batch).unwrap_err();
    let report = Report {
        outcome: Outcome::Succeeded,
        message: None,
        snapshot: None,
        counters: [].into(),
    };
    let after = hook
        .post_backup(&run(), report, FakeHost::default().shared(), &Cancel::new())
        .unwrap_err();
    for (failure, why) in [
        (in_filter, "can't be used in filter"),
        (
            after,
            "`backup` of `sqlite` can be used in pre-backup alone, and this is post-backup",
        ),
    ] {
        match failure.kind {
            FailureKind::Error { message, .. } => assert!(message.contains(why), "{message}"),
            other => panic!("{other:?}"),
        }
    }
}
