//! What rclone 1.76 itself says about random rules and paths; `filter/verdicts.go` asks it.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the tests of a crate without I/O still read their fixtures"
)]

use std::path::Path;

use copal_core::filter::{FilterRules, Verdict};
use copal_core::path::RelPath;

#[derive(serde::Deserialize)]
struct Verdicts {
    rules: Vec<String>,
    refused: Option<String>,
    #[serde(default)]
    keep: Vec<String>,
    #[serde(default)]
    skip: Vec<String>,
}

fn is_kept(rules: &FilterRules, path: &str) -> bool {
    let (path, is_dir) = match path.strip_suffix('/') {
        Some(directory) => (directory, true),
        None => (path, false),
    };
    let path: RelPath = path.parse().unwrap();
    rules.verdict(&path, is_dir) == Verdict::Keep
}

/// How Copal and rclone differ about a set of rules.
fn difference(expected: &Verdicts) -> Option<String> {
    let rules = match (FilterRules::parse(&expected.rules), &expected.refused) {
        (Ok(rules), None) => rules,
        (Ok(_), Some(error)) => return Some(format!("rclone refuses this: {error}")),
        (Err(_), Some(_)) => return None,
        (Err(error), None) => return Some(format!("rclone takes this: {error}")),
    };
    let skipped = expected.keep.iter().find(|path| !is_kept(&rules, path));
    let kept = expected.skip.iter().find(|path| is_kept(&rules, path));
    let skipped = skipped.map(|path| format!("rclone keeps {path:?}"));
    skipped.or(kept.map(|path| format!("rclone skips {path:?}")))
}

#[test]
fn rules_are_read_and_paths_decided_as_rclone_does() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filter/verdicts.jsonl");
    let text = std::fs::read_to_string(file).unwrap();
    let mut differences = Vec::new();
    for line in text.lines() {
        let expected: Verdicts = serde_json::from_str(line).unwrap();
        if let Some(difference) = difference(&expected) {
            differences.push(format!("{:?}: {difference}", expected.rules));
        }
    }
    assert!(
        differences.is_empty(),
        "{}:\n{}",
        differences.len(),
        differences.join("\n")
    );
}
