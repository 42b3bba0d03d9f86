//! Every import, without a grant and with another: no right without its own grant, and each denial
//! says which line gives it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use copal_core::grants::{Capability, Grants};
use copal_hooks::{Cause, FailureKind, add_requests};
use kit::{FakeHost, Trial, escape};
use serde_json::{Value, json};

/// An import that is used on something, and all the grants that it takes, in the order in which they
/// are missed.
struct Import {
    name: &'static str,
    trial: fn() -> Trial,
    needs: &'static [(&'static str, &'static str)],
}

fn act(act: Value) -> Trial {
    Trial::specimen(act)
}

fn request() -> Value {
    json!({ "send": { "method": "POST", "scheme": "https", "authority": "ntfy.sh" } })
}

#[expect(clippy::too_many_lines, reason = "it is a table")]
fn imports() -> [Import; 21] {
    let one = |name, trial, needs| Import { name, trial, needs };
    [
        one(
            "sqlite.databases",
            || Trial::of(kit::built("sqlite-backup")),
            &[("sqlite", "*")],
        ),
        one(
            "sqlite.backup",
            || act(json!({ "copy": "a.db" })),
            &[("sqlite", "a.db")],
        ),
        one(
            "sqlite.check",
            || act(json!({ "check": "a.db" })),
            &[("sqlite", "a.db")],
        ),
        one(
            "archive.create",
            || act(json!({ "archive": "dir" })),
            &[("archive", "dir")],
        ),
        one(
            "sqlite.backup-with",
            || act(json!({ "copy-with": ["a.db", "dir"] })),
            &[("sqlite", "a.db"), ("archive", "dir")],
        ),
        one(
            "sqlite.holders",
            || act(json!({ "holders": "a.db" })),
            &[("sqlite", "a.db")],
        ),
        one(
            "sqlite.query",
            || act(json!({ "query": "a.db" })),
            &[("query", "a.db")],
        ),
        one(
            "service.state-of",
            || act(json!({ "state-of": "app" })),
            &[("service", "app")],
        ),
        one(
            "service.pause",
            || act(json!({ "pause": "app" })),
            &[("service", "app")],
        ),
        one(
            "service.stop",
            || act(json!({ "stop": "app" })),
            &[("service", "app")],
        ),
        one(
            "service.release",
            || act(json!({ "release": "app" })),
            &[("service", "app")],
        ),
        one(
            "command.run",
            || act(json!({ "command": "pg" })),
            &[("command", "pg")],
        ),
        one(
            "command.capture",
            || act(json!({ "capture": "pg" })),
            &[("command", "pg")],
        ),
        one(
            "state.get",
            || act(json!({ "count": "key" })),
            &[("state", "true")],
        ),
        one(
            "state.set",
            || act(json!({ "store": ["key", "value"] })),
            &[("state", "true")],
        ),
        one(
            "state.delete",
            || act(json!({ "forget": "key" })),
            &[("state", "true")],
        ),
        one("state.keys", || act(json!("keys")), &[("state", "true")]),
        one(
            "secrets.reveal",
            || act(json!({ "spill": "token" })),
            &[("reveal", "token")],
        ),
        one(
            "secrets.bind-header",
            || act(json!({ "bind": ["token", "https://ntfy.sh"] })),
            &[("secrets", "token"), ("http", "https://ntfy.sh")],
        ),
        one(
            "secrets.bind-path",
            || act(json!({ "bind-path": ["token", "https://ntfy.sh", "https://ntfy.sh/{token}"] })),
            &[("secrets", "token"), ("http", "https://ntfy.sh")],
        ),
        one(
            "wasi:http",
            || escape(&[request()]),
            &[("http", "POST https://ntfy.sh")],
        ),
    ]
}

/// Grants of everything else, on the very same names where they fit.
const OTHERS: [(&str, &str); 17] = [
    ("query", "other.db"),
    ("service", "other"),
    ("command", "app"),
    ("sqlite", "other.db"),
    ("sqlite", "dir"),
    ("archive", "a.db"),
    ("archive", "other"),
    ("command", "token"),
    ("command", "key"),
    ("http", "http://ntfy.sh"),
    ("http", "https://ntfy.sh:444"),
    ("http", "GET https://ntfy.sh"),
    ("secrets", "pg"),
    ("reveal", "other"),
    ("files", "source"),
    ("state", "true"),
    ("secrets", "token"),
];

fn capability(name: &str) -> Capability {
    name.parse().unwrap()
}

fn grants(entries: &[(&str, &str)]) -> Grants {
    let mut grants = Grants::default();
    for (name, entry) in entries {
        grants.add_entry(capability(name), entry).unwrap();
    }
    grants
}

/// Calls `pre-backup`; the denial, if there was one.
fn denial(trial: Trial, granted: &Grants) -> (Option<copal_hooks::Denial>, Vec<String>) {
    let hook = trial.grants(granted.clone()).load();
    let host = FakeHost::with(&["a.db"]).secret(b"hunter22").shared();
    let denial = match kit::pre_backup(&hook, &host).map_err(|failure| failure.kind) {
        Err(FailureKind::Denied(denial)) => Some(*denial),
        _ => None,
    };
    (denial, host.done())
}

#[test]
fn without_a_grant_and_with_any_other_each_import_is_denied_and_does_nothing() {
    for import in imports() {
        let asked = capability(import.needs[0].0);
        let mut granted = vec![Vec::new()];
        granted.extend(OTHERS.iter().map(|other| vec![*other]));
        for granted in granted {
            let covers = |need: &(&str, &str)| granted.contains(need);
            if import.needs.iter().all(covers) {
                continue;
            }
            // What has more needs than one misses the first that is not granted.
            let missed = import.needs.iter().find(|need| !covers(need)).unwrap();
            let (denial, done) = denial((import.trial)(), &grants(&granted));
            if asked == Capability::Sqlite
                && import.name == "sqlite.databases"
                && granted.iter().any(|(name, _)| *name == "sqlite")
            {
                assert!(done.is_empty(), "{}: it was told of none", import.name);
                continue;
            }
            let denial = denial.unwrap_or_else(|| panic!("{} with {granted:?}", import.name));
            assert_eq!(denial.capability, capability(missed.0), "{}", import.name);
            assert_eq!(denial.hook, "tried");
            assert!(
                done.is_empty(),
                "{} with {granted:?}: {done:?}",
                import.name
            );
        }
    }
}

#[test]
fn adding_the_line_that_each_denial_says_is_enough() {
    for import in imports() {
        let (denied, _) = denial((import.trial)(), &Grants::default());
        let line = denied.unwrap_or_else(|| panic!("{}", import.name)).remedy();
        let table: toml::Table = line.parse().unwrap();
        let json = serde_json::to_value(&table["grants"]).unwrap();
        let granted = Grants::from_json(&json).unwrap();
        let (denied, _) = denial((import.trial)(), &granted);
        assert_eq!(denied, None, "{} with {line}", import.name);
    }
}

#[test]
fn what_a_component_does_not_request_is_denied_though_all_is_granted() {
    for import in imports() {
        let requests = json!({ "requests": { "archive": ["nothing"] } }).to_string();
        let trial = (import.trial)().map(|component| add_requests(&component, &requests).unwrap());
        let (denial, done) = denial(trial, &grants(import.needs));
        let denial = denial.unwrap_or_else(|| panic!("{}", import.name));
        let Cause::NotRequested { requests, lacks } = &denial.cause else {
            panic!("{}: {denial:?}", import.name)
        };
        assert_eq!(requests, r#"{ archive = ["nothing"] }"#);
        let asked: toml::Table = lacks.parse().unwrap();
        assert_eq!(asked.keys().collect::<Vec<_>>(), [denial.capability.name()]);
        assert!(done.is_empty(), "{}", import.name);
    }
}

#[test]
fn names_that_are_none_never_reach_the_host_though_all_is_granted() {
    let long = "x/".repeat(9000);
    let names = [
        "..",
        "../a.db",
        "/a.db",
        "a/../../b",
        "a//b",
        "a/./b",
        "",
        ".",
        "a\0b",
        "%00",
        "%2e%2e/x",
        &long,
    ];
    for name in names {
        for (kind, capability) in [
            ("copy", "sqlite"),
            ("check", "sqlite"),
            ("archive", "archive"),
            ("holders", "sqlite"),
            ("query", "query"),
        ] {
            let trial = Trial::specimen(json!({ kind: name })).grant(capability, "*");
            let host = FakeHost::with(&["a.db"]).shared();
            let outcome = kit::pre_backup(&trial.load(), &host);
            let reached = host.done();
            assert!(outcome.is_err(), "{kind} {name:?}");
            assert!(reached.is_empty(), "{kind} {name:?}: {reached:?}");
        }
    }
    for name in ["", "a b", "a/b", "../x", "a\0", "é"] {
        for kind in ["command", "spill", "pause", "stop", "state-of"] {
            let trial = Trial::specimen(json!({ kind: name }))
                .grant("service", "app")
                .grant("command", "pg")
                .grant("reveal", "token");
            let host = FakeHost::default().shared();
            assert!(kit::pre_backup(&trial.load(), &host).is_err());
            assert!(host.done().is_empty(), "{kind} {name:?}");
        }
    }
    for key in ["", &"k".repeat(257)] {
        let trial = Trial::specimen(json!({ "count": key })).grant("state", "true");
        let host = FakeHost::default().shared();
        assert!(kit::pre_backup(&trial.load(), &host).is_err());
        assert!(host.done().is_empty());
    }
}

#[test]
fn a_captured_file_stays_inside_of_the_source() {
    for path in ["../x", "/etc/cron.d/x", "", "a//b", "a\0"] {
        let trial = Trial::specimen(json!({ "capture-as": ["pg", path] })).grant("command", "pg");
        let host = FakeHost::default().shared();
        let failure = kit::fails(&trial.load(), &host);
        assert!(host.done().is_empty(), "{path:?}: {failure}");
    }
}

#[test]
fn a_secret_that_a_command_was_given_is_seen_in_no_account() {
    for act in [
        json!({ "store": ["hunter22", "x"] }),
        json!({ "post": "http://hunter22/" }),
    ] {
        let config = json!({ "tell": "pg", "act": act });
        let trial = Trial::of(kit::built("specimen")).config(config);
        let hook = trial.grant("command", "pg").load();
        let host = FakeHost::default().secret(b"hunter22").shared();
        let failure = kit::fails(&hook, &host);
        assert_eq!(host.done(), ["run pg"]);
        let told = format!("{failure} {failure:?}");
        assert!(told.contains("***") && !told.contains("hunter22"), "{told}");
    }
}

#[test]
fn a_secret_that_was_revealed_is_seen_in_no_account() {
    let hook = Trial::specimen(json!({ "spill": "token" }))
        .grant("reveal", "token")
        .load();
    let host = FakeHost::default().secret(b"hunter22").shared();
    let failure = kit::fails(&hook, &host);
    assert_eq!(host.done(), ["secret token"]);
    let told = format!("{failure} {failure:?}");
    assert!(told.contains("***") && !told.contains("hunter22"), "{told}");
}

#[test]
fn a_hold_is_released_as_often_as_the_hook_likes_and_let_go_of_without_a_word() {
    let release = Trial::specimen(json!({ "release": "app" })).grant("service", "app");
    let host = FakeHost::default().shared();
    kit::pre_backup(&release.load(), &host).unwrap();
    assert_eq!(host.done(), ["Pause app", "release 7", "release 7"]);

    let pause = Trial::specimen(json!({ "pause": "app" })).grant("service", "app");
    let host = FakeHost::default().shared();
    kit::pre_backup(&pause.load(), &host).unwrap();
    assert_eq!(host.done(), ["Pause app"]);
}

#[test]
fn facts_need_no_grant_and_have_a_form() {
    let record = |key: &str, value: &str| {
        let hook = Trial::specimen(json!({ "record": [key, value] })).load();
        let host = FakeHost::default().shared();
        let outcome = kit::pre_backup(&hook, &host);
        (outcome.is_ok(), host.done())
    };
    let (is_fine, done) = record("open-webui.schema_1", "a2f3 (head)");
    assert!(is_fine);
    assert_eq!(done, ["record open-webui.schema_1=a2f3 (head)"]);
    let long = "k".repeat(65);
    for key in ["", "A", "a b", "a/b", "é", &long] {
        assert_eq!(record(key, "x"), (false, Vec::new()), "{key}");
    }
    for value in ["a\nb", "\u{1b}[2J", &"v".repeat(1025)] {
        assert_eq!(record("key", value), (false, Vec::new()), "{value:?}");
    }
}

#[test]
fn what_is_for_pre_backup_reaches_the_host_before_a_restore_at_most_and_in_no_other_phase() {
    for (act, also_before_a_restore) in [
        (json!({ "pause": "app" }), false),
        (json!({ "stop": "app" }), true),
        (json!({ "record": ["key", "value"] }), true),
        (json!({ "copy-with": ["a.db", "dir"] }), false),
    ] {
        let trial = Trial::specimen(act.clone())
            .grant("service", "app")
            .grant("sqlite", "*")
            .grant("archive", "*");
        let hook = trial.load();
        let host = FakeHost::with(&["a.db"]).shared();
        let run = copal_hooks::RunInfo::default();
        let cancel = copal_hooks::Cancel::new();
        let as_host =
            || std::sync::Arc::clone(&host) as std::sync::Arc<dyn copal_hooks::Capabilities>;
        for outcome in [
            hook.staged(&run, as_host(), &cancel),
            hook.drill(&run, as_host(), &cancel),
        ] {
            let failure = outcome.unwrap_err().to_string();
            assert!(failure.contains("pre-backup"), "{failure}");
            assert!(failure.contains("alone"), "{failure}");
        }
        assert!(host.done().is_empty(), "{act}: {:?}", host.done());
        let before = hook.pre_restore(&run, as_host(), &cancel);
        assert_eq!(before.is_ok(), also_before_a_restore, "{act}");
        assert_eq!(!host.done().is_empty(), also_before_a_restore, "{act}");
    }
}

#[test]
fn to_copy_a_database_is_not_to_read_its_rows() {
    let all = grants(&[("sqlite", "*"), ("archive", "*")]);
    let (denied, done) = denial(act(json!({ "query": "a.db" })), &all);
    assert_eq!(
        denied.map(|denial| denial.capability),
        Some(Capability::Query)
    );
    assert!(done.is_empty(), "{done:?}");
}

#[test]
fn rows_are_changed_after_a_restore_alone_and_by_a_grant_of_its_own() {
    let update = || act(json!({ "update": "a.db" }));
    let after = |trial: Trial| {
        let (hook, host) = (trial.load(), FakeHost::with(&["a.db"]).shared());
        let as_host = std::sync::Arc::<FakeHost>::clone(&host);
        let cancel = copal_hooks::Cancel::new();
        let outcome = hook.post_restore(&kit::run(), kit::report(), as_host, &cancel);
        (outcome, host.done())
    };
    let (outcome, done) = after(update().grant("update", "a.db"));
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(done, ["update a.db"]);

    let mut others = update();
    for (name, entry) in [("sqlite", "*"), ("query", "*"), ("update", "other.db")] {
        others = others.grant(name, entry);
    }
    let (outcome, done) = after(others);
    match outcome.unwrap_err().kind {
        FailureKind::Denied(denial) => {
            assert_eq!(denial.capability, Capability::Update);
            assert!(
                denial
                    .remedy()
                    .contains("update = [\"other.db\", \"a.db\"]")
            );
        }
        other => panic!("{other:?}"),
    }
    assert!(done.is_empty(), "{done:?}");

    let hook = update().grant("update", "*").load();
    let host = FakeHost::with(&["a.db"]).shared();
    let failure = kit::fails(&hook, &host);
    assert!(
        failure.to_string().contains("post-restore alone"),
        "{failure}"
    );
    assert!(host.done().is_empty(), "{:?}", host.done());
}
