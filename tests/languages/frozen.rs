//! Components of published versions of the contract, which never change and have to run.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use copal_hooks::{Cancel, EntryKind, FailureKind, Limits, Phase, RunInfo, Verdict};
use copal_testkit::sha256;
use serde_json::{Value, json};

use crate::in_each_language;
use crate::kit::{self, Language, Noting};

/// Every version that was ever published.
const VERSIONS: [&str; 1] = ["0.1.0"];

in_each_language!(a_frozen_component_filters_and_posts_as_on_its_first_day);

fn directory(version: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("../tests/frozen").join(version)
}

fn component(version: &str, name: &str) -> Vec<u8> {
    let path = directory(version).join(format!("{name}.wasm.zst"));
    let packed = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut component = Vec::new();
    let mut decoder = ruzstd::decoding::StreamingDecoder::new(packed.as_slice()).unwrap();
    decoder.read_to_end(&mut component).unwrap();
    component
}

#[test]
fn frozen_components_never_change() {
    for version in VERSIONS {
        let directory = directory(version);
        let sums = fs::read_to_string(directory.join("SHA256SUMS")).unwrap();
        let mut listed: Vec<_> = sums
            .lines()
            .map(|line| line.split_once("  ").unwrap())
            .collect();
        listed.sort_by_key(|(_, name)| *name);
        let names: Vec<_> = listed.iter().map(|(_, name)| *name).collect();
        assert_eq!(
            names,
            ["c", "everything", "js", "python", "rust"].map(|name| format!("{name}.wasm.zst"))
        );
        for (digest, name) in listed {
            let found = sha256(fs::read(directory.join(name)).unwrap());
            assert_eq!(found, digest, "{version}/{name}");
        }
    }
}

fn a_frozen_component_filters_and_posts_as_on_its_first_day(language: Language) {
    for version in VERSIONS {
        let component = component(version, language.name());
        filters(&component);
        posts(&component);
    }
}

fn filters(component: &[u8]) {
    let config = json!({ "suffixes": [".tmp"], "max-size": 1000 });
    let hook = kit::load(component, config, &json!({}), Limits::default());
    let mut session = kit::filter(&hook).unwrap();
    let mut batch = session.batch();
    for (path, size) in [(&b"letter.txt"[..], 13), (b"\xff.tmp", 1), (b"large", 1001)] {
        batch.push(path, EntryKind::File, size, 0);
    }
    let verdicts = session.decide(&batch).unwrap();
    assert_eq!(verdicts, [Verdict::Keep, Verdict::Skip, Verdict::Skip]);
}

fn posts(component: &[u8]) {
    let config = json!({ "url": "https://hooks.example.com/told" });
    let grants = json!({ "http": ["POST https://hooks.example.com"] });
    let host = Arc::new(Noting::default());
    let denied = kit::load(component, config.clone(), &json!({}), Limits::default());
    let failure = kit::post_backup(&denied, &host).unwrap_err();
    assert!(matches!(failure.kind, FailureKind::Denied(_)), "{failure}");

    let granted = kit::load(component, config, &grants, Limits::default());
    kit::post_backup(&granted, &host).unwrap();
    let requests = host.requests();
    let bodies: Vec<Value> = requests
        .iter()
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect();
    let wanted = json!({ "outcome": "succeeded", "snapshot": "20261125T030000Z", "files": 42 });
    assert_eq!(bodies, [wanted]);
}

/// Loading compares the types of all that it imports and exports.
#[test]
fn a_frozen_component_with_all_phases_and_imports_loads_and_runs_in_each() {
    for version in VERSIONS {
        let component = component(version, "everything");
        let hook = kit::load(&component, json!({}), &json!({}), Limits::default());
        let phases: Vec<_> = hook.phases().collect();
        assert_eq!(phases, Phase::ALL);
        let (run, cancel) = (RunInfo::default(), Cancel::new());
        let host = || -> Arc<Noting> { Arc::default() };
        hook.pre_backup(&run, host(), &cancel).unwrap();
        hook.staged(&run, host(), &cancel).unwrap();
        hook.pre_restore(&run, host(), &cancel).unwrap();
        hook.drill(&run, host(), &cancel).unwrap();
        kit::filter(&hook).unwrap();
        kit::post_backup(&hook, &host()).unwrap();
    }
}
