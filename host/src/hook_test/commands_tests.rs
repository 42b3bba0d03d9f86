use copal_hooks::{HookEngine, inspect};

use super::super::tests::{component, passes};
use super::super::{HookTestError, Subject, run};

#[test]
fn arguments_have_to_fit_a_command_that_is_spelled_out() {
    passes(
        r#"
        grants = { command = ["dump"] }
        [[case]]
        name = "one that takes none"
        phase = "pre-backup"
        config = { tell = "dump" }
        given.command.dump = { run = ["pg_dump"] }
        expect = { result = "error", code = "invalid", message = "placeholder" }
        [[case]]
        name = "one that takes what the hook says"
        phase = "pre-backup"
        config = { tell = "dump" }
        given.command.dump = { run = ["pg_dump", "{phase}", "x{outcome}"] }
        [[case]]
        name = "one that takes less"
        phase = "pre-backup"
        config = { tell = "dump" }
        [case.given.command.dump]
        run = ["pg_dump", "{phase}", "x{outcome}"]
        allow = { phase = ["staged"] }
        [case.expect]
        result = "error"
        message = "not among the values"
        "#,
    );
}

#[test]
fn a_command_that_copal_toml_could_not_have_is_refused() {
    let text = "[[case]]\nname = 'x'\nphase = 'pre-backup'\n\
                given.command.dump = { run = ['pg_dump'], allow = { x = ['a'] } }";
    let component = component("specimen.wasm");
    let subject = Subject {
        engine: &HookEngine::new().unwrap(),
        name: "specimen",
        component: &component,
        inspection: &inspect(&component).unwrap(),
    };
    let refused = run(&subject, toml::from_str(text).unwrap()).unwrap_err();
    let HookTestError::Given { source, .. } = refused else {
        panic!("{refused:?}")
    };
    assert!(source.to_string().contains("`dump`"), "{source}");
}

#[test]
fn an_output_is_not_captured_over_anything() {
    for given in [
        "databases = ['dump']",
        "directories = ['dump']",
        "files.dump = ''",
    ] {
        passes(&format!(
            "[[case]]\nname = 'x'\nphase = 'pre-backup'\n\
             config = {{ act = {{ capture = 'dump' }} }}\ngrants = {{ command = ['dump'] }}\n\
             given.{given}\n\
             expect = {{ result = 'error', code = 'invalid', message = 'in the source already' }}"
        ));
    }
}

#[test]
fn a_dry_run_is_answered_with_zeros_and_captures_nothing() {
    passes(
        r#"
        [[case]]
        name = "captures"
        phase = "pre-backup"
        dry-run = true
        config = { act = { capture = "dump" } }
        grants = { command = ["dump"] }
        given.command.dump = { stdout = "all of it", exit-code = 3 }
        [case.expect]
        deeds = ['command.capture name=dump path=dump -> 0 B']
        staged = {}
        [[case]]
        name = "copies"
        phase = "pre-backup"
        dry-run = true
        config = { act = { copy = "a.db" } }
        grants = { sqlite = ["a.db"] }
        given.databases = ["a.db"]
        expect.deeds = ['sqlite.backup name=a.db -> 0 pages of 0 bytes']
        [[case]]
        name = "posts"
        phase = "post-backup"
        dry-run = true
        config = { act = { post = "https://a.example/x" } }
        grants = { http = ["https://a.example"] }
        given.http = [{ request = "POST https://a.example/x", status = 500 }]
        expect.requests = [{ request = "POST https://a.example/x" }]
        "#,
    );
}
