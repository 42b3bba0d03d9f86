//! The built-in components, as they are shipped, against a host that only remembers.
#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use std::collections::BTreeMap;

use copal_hooks::{
    Approach, BUILTIN_NAMES, Cancel, Capabilities, CapabilityError, FailureKind, Hook, HookFailure,
    Outcome, Phase, Report, builtin,
};
use kit::{FakeHost, Trial, built, run};
use serde_json::json;
use std::sync::Arc;

fn pre_backup(hook: &Hook, host: Arc<dyn Capabilities>) -> Result<(), HookFailure> {
    hook.pre_backup(&run(), host, &Cancel::new()).map(drop)
}

fn error(failure: HookFailure) -> (String, String) {
    match failure.kind {
        FailureKind::Error { code, message } => (code, message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_built_in_name_has_a_component_that_loads() {
    for name in BUILTIN_NAMES {
        let hook = Trial::of(builtin(name).unwrap()).load();
        let phases = match name {
            // Before a backup, around a restore, and in a drill.
            "open-webui" => 4,
            // Before a backup and before a restore.
            "quiesce" => 2,
            _ => 1,
        };
        assert_eq!(hook.phases().count(), phases, "{name}");
    }
    assert_eq!(builtin("unheard-of"), None);
}

#[test]
fn exclude_answers_by_rules_that_are_anchored_at_the_top() {
    let hook = Trial::of(built("exclude")).load();
    assert!(hook.has(Phase::Filter));
    let session = hook.filter(&run(), &Cancel::new()).unwrap();
    let rules = ["- /cache/**", "- /audit.log"].map(str::to_owned);
    assert_eq!(
        session.approach(),
        &Approach {
            rules: rules.to_vec(),
            ask: None
        }
    );
}

#[test]
fn exclude_takes_paths_and_rules_of_its_owner() {
    let config = json!({ "paths": ["tmp/"], "rules": ["- *.bak"] });
    let hook = Trial::of(built("exclude")).config(config).load();
    let session = hook.filter(&run(), &Cancel::new()).unwrap();
    assert_eq!(session.approach().rules, ["- *.bak", "- /tmp/**"]);
    assert!(session.approach().ask.is_none());
}

#[test]
fn a_misspelt_key_in_a_config_is_an_error_that_names_it() {
    let config = json!({ "pathes": [] });
    let hook = Trial::of(built("exclude")).config(config).load();
    let failure = hook.filter(&run(), &Cancel::new()).err().unwrap();
    let (code, message) = error(failure);
    assert_eq!(code, "invalid");
    assert!(message.contains("unknown field `pathes`"), "{message}");
}

#[test]
fn sqlite_backup_copies_all_that_was_found_and_granted() {
    let host = FakeHost::with(&["webui.db", "vector_db/chroma.sqlite3"]).shared();
    let hook = Trial::of(built("sqlite-backup"))
        .grant("sqlite", "*")
        .load();
    pre_backup(&hook, host.clone()).unwrap();
    assert_eq!(
        host.done(),
        ["copy vector_db/chroma.sqlite3", "copy webui.db"]
    );
}

#[test]
fn sqlite_backup_is_offered_only_what_is_granted() {
    let host = FakeHost::with(&["webui.db", "other.db"]).shared();
    let hook = Trial::of(built("sqlite-backup"))
        .grant("sqlite", "webui.db")
        .load();
    pre_backup(&hook, host.clone()).unwrap();
    assert_eq!(host.done(), ["copy webui.db"]);
}

#[test]
fn sqlite_backup_is_content_where_there_is_no_database() {
    let hook = Trial::of(built("sqlite-backup"))
        .grant("sqlite", "*")
        .load();
    pre_backup(&hook, FakeHost::with(&[]).shared()).unwrap();
}

#[test]
fn sqlite_backup_misses_a_database_that_its_owner_named() {
    let hook = Trial::of(built("sqlite-backup"))
        .config(json!({ "databases": ["webui.db", "gone.db"] }))
        .grant("sqlite", "*")
        .load();
    let failure = pre_backup(&hook, FakeHost::with(&["webui.db"]).shared()).unwrap_err();
    let (code, message) = error(failure);
    assert_eq!((&*code, &*message), ("missing", "`gone.db` does not exist"));
}

#[test]
fn sqlite_backup_fails_with_the_first_database_that_fails_and_names_it() {
    let host = FakeHost::with(&["a.db", "b.db"])
        .failing("a.db", CapabilityError::Failed("page 3 is torn".into()));
    let hook = Trial::of(built("sqlite-backup"))
        .grant("sqlite", "*")
        .load();
    let failure = pre_backup(&hook, host.shared()).unwrap_err();
    assert_eq!(
        failure.to_string(),
        "hook `tried` failed in pre-backup: a.db: page 3 is torn"
    );
}

#[test]
fn a_database_whose_name_is_not_utf8_is_copied_by_its_encoded_name() {
    let host = FakeHost::with(&["odd%FF.db"]).shared();
    let hook = Trial::of(built("sqlite-backup"))
        .grant("sqlite", "odd%FF.db")
        .load();
    pre_backup(&hook, host.clone()).unwrap();
    assert_eq!(host.done(), ["copy odd%FF.db"]);
}

#[test]
fn archive_archives_each_path_in_the_format_that_its_owner_chose() {
    let host = FakeHost::default().shared();
    let hook = Trial::of(built("archive"))
        .config(json!({ "paths": ["vector_db/", "uploads"], "format": "tar" }))
        .grant("archive", "vector_db")
        .grant("archive", "uploads")
        .load();
    pre_backup(&hook, host.clone()).unwrap();
    assert_eq!(
        host.done(),
        ["archive Tar vector_db", "archive Tar uploads"]
    );
}

#[test]
fn archive_without_paths_says_so() {
    let hook = Trial::of(built("archive")).grant("archive", "*").load();
    let failure = pre_backup(&hook, FakeHost::default().shared()).unwrap_err();
    assert!(error(failure).1.contains("missing field `paths`"));
}

#[test]
fn log_outcome_accepts_every_outcome() {
    let hook = Trial::of(built("log-outcome")).load();
    let outcomes = [
        Outcome::Succeeded,
        Outcome::Warned,
        Outcome::Failed,
        Outcome::Interrupted,
        Outcome::Abandoned,
    ];
    for outcome in outcomes {
        let report = Report {
            outcome,
            message: Some("the disk is full".into()),
            snapshot: Some("2026-11-24T030000Z".into()),
            counters: BTreeMap::from([("files".into(), 3)]),
        };
        let account = hook
            .post_backup(&run(), report, FakeHost::default().shared(), &Cancel::new())
            .unwrap();
        assert!(account.deeds.is_empty());
    }
}
