//! The bench, with a component that behaves as its config says.

use std::path::{Path, PathBuf};

use copal_hooks::{HookEngine, inspect};

use super::*;

pub(super) fn component(name: &str) -> Vec<u8> {
    let committed = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-hooks/prebuilt");
    let directory = std::env::var_os("COPAL_PREBUILT_DIR").map_or_else(committed, PathBuf::from);
    std::fs::read(directory.join(name)).unwrap()
}

fn try_cases(text: &str) -> Vec<Tried> {
    let component = component("specimen.wasm");
    let engine = HookEngine::new().unwrap();
    let subject = Subject {
        engine: &engine,
        name: "specimen",
        component: &component,
        inspection: &inspect(&component).unwrap(),
    };
    run(&subject, toml::from_str(text).unwrap()).unwrap()
}

/// What differs, as lines.
fn differences(text: &str) -> Vec<String> {
    let tried = try_cases(text);
    let all = tried.iter().flat_map(|one| &one.differences);
    all.map(|d| format!("{}: {:?} / {:?}", d.what, d.expected, d.found))
        .collect()
}

#[track_caller]
pub(super) fn passes(text: &str) {
    assert_eq!(differences(text), [""; 0]);
}

#[test]
fn deeds_requests_and_answers_are_compared() {
    passes(
        r#"
        [[case]]
        name = "posts"
        phase = "post-backup"
        config = { act = { post = "https://a.example/x" } }
        grants = { http = ["POST https://a.example"] }
        given.http = [{ request = "POST https://a.example/x", status = 204 }]
        [case.expect]
        requests = [{ request = "POST https://a.example/x", body = "posted" }]
        log = ["acting in post-backup"]
        "#,
    );
}

#[test]
fn a_request_without_an_answer_is_told_where_others_have_one() {
    let all = differences(
        r#"
        [[case]]
        name = "posts elsewhere"
        phase = "post-backup"
        config = { act = { post = "https://a.example/x" } }
        grants = { http = ["POST https://a.example"] }
        given.http = [{ request = "POST https://a.example/y" }]
        "#,
    );
    assert!(
        all[0].contains("the test has no answer for POST https://a.example/x"),
        "{all:?}"
    );
}

#[test]
fn what_is_not_granted_is_denied_as_in_a_run() {
    passes(
        r#"
        [[case]]
        name = "copies"
        phase = "pre-backup"
        config = { act = { copy = "app.db" } }
        grants = {}
        given.databases = ["app.db"]
        [case.expect]
        result = "denied"
        message = "`sqlite` on `app.db`"
        "#,
    );
}

#[test]
fn each_way_to_fail_has_a_word() {
    passes(
        r#"
        [[case]]
        name = "an error"
        phase = "staged"
        config = { act = "fail" }
        expect = { result = "error", code = "told-so", message = "as it was told" }
        [[case]]
        name = "a panic"
        phase = "drill"
        config = { act = "panic" }
        expect = { result = "trap", log = ["panics as it was told"] }
        [[case]]
        name = "a memory bomb"
        phase = "pre-restore"
        config = { act = "memory" }
        expect.result = "out-of-memory"
        "#,
    );
}

#[test]
fn a_missing_database_and_a_damaged_one_are_the_tests_to_say() {
    passes(
        r#"
        grants = { sqlite = ["*"] }
        [[case]]
        name = "missing"
        phase = "pre-backup"
        config = { act = { copy = "no.db" } }
        expect = { result = "error", code = "missing" }
        [[case]]
        name = "damaged"
        phase = "drill"
        config = { act = { check = "app.db" } }
        given = { databases = ["app.db"], damaged = { "app.db" = ["row 3 missing"] } }
        expect = { result = "error", message = "row 3 missing" }
        "#,
    );
}

#[test]
fn state_goes_on_from_case_to_case_where_it_is_said() {
    passes(
        r#"
        config = { act = { count = "runs" } }
        grants = { state = true }
        [[case]]
        name = "first"
        phase = "post-backup"
        given.state = { runs = "xx" }
        expect.state = { runs = "xxx" }
        [[case]]
        name = "second"
        phase = "post-backup"
        continues = true
        expect.state = { runs = "xxxx" }
        [[case]]
        name = "another beginning"
        phase = "post-backup"
        expect.state = { runs = "x" }
        "#,
    );
}

#[test]
fn a_captured_output_is_staged() {
    passes(
        r#"
        [[case]]
        name = "dumps"
        phase = "pre-backup"
        config = { act = { capture = "dump" } }
        grants = { command = ["dump"] }
        given.command.dump = { stdout = "-- all of it" }
        expect.staged = { dump = "-- all of it" }
        [[case]]
        name = "a dump that fails"
        phase = "pre-backup"
        config = { act = { capture = "dump" } }
        grants = { command = ["dump"] }
        given.command.dump = { exit-code = 3, stderr = "no such database" }
        expect = { result = "error", message = "no such database", staged = {} }
        "#,
    );
}

#[test]
fn a_filter_decides_as_in_a_walk() {
    passes(
        r#"
        [[case]]
        name = "asked and by rules"
        phase = "filter"
        config = { skip = "cache", rules = ["- *.tmp"] }
        tree = [
            { path = "a.tmp", expect = "skip" },
            { path = "cache/", expect = "skip-subtree" },
            { path = "cache/b.txt", expect = "skip-subtree" },
            { path = "c.txt", size = "1 MiB", age = "2d", expect = "keep" },
        ]
        [case.expect]
        rules = ["- *.tmp"]
        "#,
    );
}

#[test]
fn a_wrong_verdict_is_told_by_its_path() {
    let all = differences(
        r#"
        [[case]]
        name = "a wish"
        phase = "filter"
        tree = [{ path = "a.txt", expect = "skip" }]
        "#,
    );
    assert_eq!(all, [r#"a.txt: ["skip"] / ["keep"]"#]);
}

#[test]
fn cases_that_make_no_sense_are_refused_with_what_would() {
    for (text, why) in [
        (
            "[[case]]\nname = 'x'\nphase = 'post'",
            "there are `pre-backup`",
        ),
        (
            "[[case]]\nname = 'x'\nphase = 'drill'\ngiven = { databse = [] }",
            "databse",
        ),
        ("grants = { htp = [] }", "htp"),
        (
            "[[case]]\nname = 'x'\nphase = 'filter'\ntree = [{ path = 'a', age = '3 years' }]",
            "30d",
        ),
        (
            "[[case]]\nname = 'x'\nphase = 'filter'\ntree = [{ path = 'a', expect = 'drop' }]",
            "keep-subtree",
        ),
    ] {
        let error = toml::from_str::<Spec>(text).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn a_config_that_no_hook_could_be_given_is_refused_and_dates_are_texts_as_in_a_run() {
    let try_config = |config: &str| {
        let text = format!(
            "[[case]]\nname = 'x'\nphase = 'pre-backup'\n\
             config = {{ act = {{ store = ['key', {config}] }} }}\n\
             grants = {{ state = true }}\nexpect.state = {{ key = '2026-01-02' }}"
        );
        let component = component("specimen.wasm");
        let subject = Subject {
            engine: &HookEngine::new().unwrap(),
            name: "specimen",
            component: &component,
            inspection: &inspect(&component).unwrap(),
        };
        run(&subject, toml::from_str(&text).unwrap())
    };
    let tried = try_config("2026-01-02").unwrap();
    assert!(tried[0].differences.is_empty(), "{tried:?}");
    let refused = try_config("nan");
    assert!(
        matches!(refused, Err(HookTestError::Config { .. })),
        "{refused:?}"
    );
}

const TO_UPDATE: &str = r#"# Kept.
config = { act = { post = "https://a.example/x" } }
grants = { http = ["POST https://a.example"] }

[[case]]
name = "new" # also kept
phase = "post-backup"

[[case]]
name = "old"
phase = "post-backup"
[case.expect]
deeds = ["something else"] # why
log = ["acting"]

[[case]]
name = "tree"
phase = "filter"
config = { skip = ".log" }
tree = [
    { path = "a.log" }, # the log
    { path = "b.txt" },
]
"#;

#[test]
fn an_update_takes_over_what_happens_and_then_everything_is_as_expected() {
    let (updated, rewritten) = update(TO_UPDATE, &try_cases(TO_UPDATE)).unwrap();
    assert_eq!(rewritten, TO_UPDATE.matches("[[case]]").count());
    passes(&updated);
    let again = update(&updated, &try_cases(&updated)).unwrap();
    assert_eq!(again.0, updated, "there is nothing left to change");
    assert_eq!(again.1, 0);
    for kept in [
        "# Kept.\n",
        "# also kept\n",
        "# why\n",
        "# the log\n",
        "log = [\"acting\"]",
    ] {
        assert!(updated.contains(kept), "{kept} in\n{updated}");
    }
    insta::assert_snapshot!(updated);
}

#[test]
fn a_probe_calls_each_phase_once() {
    let component = component("specimen.wasm");
    let engine = HookEngine::new().unwrap();
    let subject = Subject {
        engine: &engine,
        name: "specimen",
        component: &component,
        inspection: &inspect(&component).unwrap(),
    };
    let phases: Vec<_> = probe(&subject)
        .unwrap()
        .iter()
        .map(|one| one.case.phase)
        .collect();
    assert_eq!(phases, subject.inspection.phases);
}
