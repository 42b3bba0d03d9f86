//! `copal hook test` and `copal hook bench`, and the cache that they share with runs.

use std::fs;

use crate::common::PATIENCE;
use crate::specimen::{configure, hook, world_with_specimen};
use crate::told::refused;

const CASES: &str = r#"
[[case]]
name = "counts"
phase = "post-backup"
config = { act = { count = "runs" } }
grants = { state = true }
expect.state = { runs = "x" }

[[case]]
name = "leaves logs out"
phase = "filter"
config = { skip = ".log" }
tree = [{ path = "a.log", expect = "skip" }, { path = "b.txt", expect = "skip" }]

[[case]]
name = "posts"
phase = "post-backup"
config = { act = { post = "https://a.example/x" } }
grants = { http = ["POST https://a.example"] }
expect.deeds = ['http.send method=POST url=https://a.example/y body="6 bytes" -> 200']
"#;

#[test]
fn test_shows_each_difference_and_update_takes_over_what_happens() {
    let world = world_with_specimen();
    world.write("hooks/hook-test.toml", CASES);
    let test = ["hook", "test", "hooks/own.wasm"];
    let differing = world.copal(&test);
    differing
        .exits_with(1)
        .says("2 of 3 cases")
        .says("`copal hook test hooks/own.wasm --update`");
    assert_told!("test_differs", differing.redacted_stdout());
    assert_told!("test_differs_why", differing.redacted_stderr());
    let json = world
        .copal(&["hook", "test", "hooks/own.wasm", "--json"])
        .json();
    assert_eq!(json[1]["differences"][0]["what"], "b.txt");
    let updated = world.copal(&["hook", "test", "hooks/own.wasm", "--update"]);
    assert_told!("test_updated", updated.succeeds().redacted_stdout());
    let passing = world.copal(&test);
    assert_told!("test_passes", passing.succeeds().redacted_stdout());
}

/// A hook that is refused what it asks for, and says so, as its case expects.
const LOUD: &str = r#"
[[case]]
name = "is refused"
phase = "pre-backup"
config = { act = { copy-anyway = "app.db" } }
given.databases = ["app.db"]
expect.deeds = ['sqlite.backup database=app.db !! it is not granted']
"#;

#[test]
fn a_case_that_passes_is_quiet_unless_asked_and_one_that_fails_shows_all() {
    let world = world_with_specimen();
    world.write("hooks/hook-test.toml", LOUD);
    let test = ["hook", "test", "hooks/own.wasm"];
    world.copal(&[&test[..], &["--update"]].concat()).succeeds();
    let passing = world.copal(&test);
    assert_eq!(passing.succeeds().stderr(), "", "{passing}");
    let verbose = world.copal(&[&test[..], &["-v"]].concat());
    verbose.succeeds().says("may not use `sqlite` on `app.db`");
    let denied = "    denied: hook `own` may not use `sqlite` on `app.db`: it is not granted; what would help: \
                  grants = { sqlite = [\"app.db\"] }\n";
    assert!(verbose.stdout().contains(denied), "{verbose}");

    let failing = fs::read_to_string(world.path("hooks/hook-test.toml")).unwrap();
    let failing = failing.replace("[[case]]", "[[case]]\nexpect.result = \"error\"");
    world.write("hooks/hook-test.toml", failing);
    let failing = world.copal(&test);
    let shown = failing.exits_with(1).redacted_stdout();
    assert!(shown.contains("did: sqlite.backup"), "{shown}");
}

#[test]
fn an_update_counts_the_cases_that_it_writes() {
    let world = world_with_specimen();
    let silent = "[[case]]\nname = \"new\"\nphase = \"drill\"\n";
    world.write("hooks/hook-test.toml", silent);
    let update = ["hook", "test", "hooks/own.wasm", "--update"];
    for rewritten in [1, 0] {
        let told = world.copal(&update);
        let line = format!("1 case, {rewritten} rewritten\n");
        assert!(told.succeeds().stdout().ends_with(&line), "{told}");
    }
}

#[test]
fn a_denial_that_ends_a_case_is_told_with_what_would_help_if_somebody_asks() {
    let world = world_with_specimen();
    let cases = "[[case]]\nname = \"x\"\nphase = \"pre-backup\"\nconfig = { act = { copy = \"app.db\" } }\n\
                 grants = {}\nexpect.result = \"denied\"\n";
    world.write("hooks/hook-test.toml", cases);
    let test = world.copal(&["hook", "test", "hooks/own.wasm", "-v"]);
    let denied = "what would help: grants = { sqlite = [\"app.db\"] }\n";
    assert!(test.succeeds().stdout().contains(denied), "{test}");
}

#[test]
fn test_without_cases_tells_what_each_phase_does() {
    let world = world_with_specimen();
    let probed = world.copal(&["hook", "test", "hooks/own.wasm"]);
    assert_told!("test_probed", probed.succeeds().redacted_stdout());
}

#[test]
fn cases_that_make_no_sense_are_refused_with_their_place() {
    let world = world_with_specimen();
    let cases = "[[case]]\nname = \"x\"\nphase = \"after-backup\"\n";
    world.write("cases.toml", cases);
    let output = world.copal(&["hook", "test", "hooks/own.wasm", "--spec", "cases.toml"]);
    refused(&output);
    assert_told!("test_bad_cases", output.redacted_stderr());
    let missing = world.copal(&["hook", "test", "hooks/own.wasm", "--spec", "none.toml"]);
    refused(&missing);
}

#[test]
fn a_trap_is_told_with_that_no_snapshot_was_made_and_with_where_it_was_if_somebody_asks() {
    let world = world_with_specimen();
    for within in ["filter", "pre-backup", "staged"] {
        let lines = format!("config = {{ act = \"panic\", within = \"{within}\" }}");
        configure(&world, &hook("own", &lines));
        let plain = world.copal(&["backup"]);
        plain.exits_with(1).says(" next: no snapshot was made; ");
        assert!(!plain.stderr().contains("\n   in: "), "{plain}");
        let verbose = world.copal(&["backup", "-v"]);
        verbose.exits_with(1).says("\n   in: 0: ");
        assert!(verbose.stderr().contains("perform"), "{verbose}");
    }
    let rehearsed = world.copal(&["backup", "--dry-run"]);
    rehearsed.exits_with(1);
    assert!(!rehearsed.stderr().contains("no snapshot"), "{rehearsed}");
}

#[test]
fn bench_measures_what_there_is() {
    let world = world_with_specimen();
    let json = world
        .copal(&["hook", "bench", "hooks/own.wasm", "--json"])
        .json();
    for key in ["bytes", "cold_load_ms", "warm_load_ms", "instance_us"] {
        assert!(json[key].as_f64().unwrap() > 0.0, "{key}");
    }
    let batches: Vec<_> = json["filter"]["asked"].as_array().unwrap().iter().collect();
    let sizes: Vec<_> = batches
        .iter()
        .map(|rate| rate["batch"].as_u64().unwrap())
        .collect();
    assert_eq!(sizes, [1000, 4096, 10_000]);
    assert!(
        batches
            .iter()
            .all(|rate| rate["per_second"].as_f64().unwrap() > 0.0)
    );
    let no_json = world.copal(&["hook", "bench", "hooks/own.wasm", "--hook-config", "{"]);
    refused(&no_json);
    no_json
        .says("error: `--hook-config` is no JSON")
        .says("copal hook bench FILE --hook-config");
}

#[test]
fn processes_that_fill_the_cache_at_once_do_each_other_no_harm() {
    let world = world_with_specimen();
    let test = ["hook", "test", "hooks/own.wasm"];
    let running: Vec<_> = (0..4).map(|_| world.start(&test)).collect();
    for one in running {
        one.finish(PATIENCE).unwrap().succeeds();
    }
    let kept = || {
        let directory = fs::read_dir(world.path("home/.cache/copal/hooks")).unwrap();
        let names = directory.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect::<Vec<_>>()
    };
    let first = kept();
    assert_eq!(
        first.len(),
        1,
        "one entry, and nothing unfinished: {first:?}"
    );
    world.copal(&test).succeeds();
    assert_eq!(kept(), first);
}

#[test]
fn a_damaged_entry_of_the_cache_is_a_silent_miss() {
    let world = world_with_specimen();
    let test = ["hook", "test", "hooks/own.wasm"];
    let expected = world.copal(&test);
    let directory = world.path("home/.cache/copal/hooks");
    let entry = fs::read_dir(&directory)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let whole = fs::read(&entry).unwrap();
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    for bytes in [changed, whole[..whole.len() / 3].to_vec(), Vec::new()] {
        fs::write(&entry, bytes).unwrap();
        let output = world.copal(&test);
        output.succeeds();
        assert_eq!(output.redacted_stdout(), expected.redacted_stdout());
        assert_eq!(output.stderr(), "");
        assert_eq!(
            fs::read(&entry).unwrap(),
            whole,
            "it was compiled anew, and kept"
        );
    }
}
