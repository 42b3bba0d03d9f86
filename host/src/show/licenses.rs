//! Copal's own licence, and those of what its binary contains of others.

use std::fmt::Write as _;

use copal_core::notices::{Part, kinds};
use serde_json::json;

use super::Output;
use crate::error::CopalError;

const NOTICES: &str = include_str!("../../../THIRD-PARTY-NOTICES");
const OWN: &str = env!("CARGO_PKG_LICENSE");
const OWN_TEXTS: [&str; 2] = [
    include_str!("../../../LICENSE-MIT"),
    include_str!("../../../LICENSE-APACHE"),
];

/// Prints them, with their texts if they are wanted in full.
pub fn print(full: bool, output: Output) -> Result<(), CopalError> {
    match (output.json, full) {
        (true, _) => super::json(&as_json(full)),
        (false, true) => super::result(&format!("{}\n{NOTICES}", own_texts())),
        (false, false) => super::result(&list()),
    }
}

fn own_texts() -> String {
    format!(
        "Copal is under {OWN}, at your choice.\n\n{}",
        OWN_TEXTS.join("\n")
    )
}

fn list() -> String {
    let mut text = format!("Copal is under {OWN}, at your choice. It contains\n");
    let kinds = kinds(NOTICES);
    let parts = kinds.iter().flat_map(|kind| &kind.parts);
    let width = parts.map(|part| called(part).len()).max().unwrap_or(0);
    for kind in &kinds {
        let mut line = |line: &str| writeln!(text, "{line}").expect("a String takes every write");
        line("");
        line(kind.title);
        for part in &kind.parts {
            line(&format!("  {:width$}  {}", called(part), part.license));
        }
    }
    text
}

fn called(part: &Part<'_>) -> String {
    let version = part.version.unwrap_or_default();
    format!("{} {version}", part.name).trim_end().to_owned()
}

fn as_json(full: bool) -> serde_json::Value {
    let kinds = kinds(NOTICES);
    let parts = kinds.iter().flat_map(|kind| {
        kind.parts.iter().map(|part| {
            json!({
                "kind": kind.title,
                "name": part.name,
                "version": part.version,
                "license": part.license,
            })
        })
    });
    let mut told = json!({ "license": OWN, "parts": parts.collect::<Vec<_>>() });
    if full {
        told["texts"] = json!([own_texts(), NOTICES]);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_linked_is_listed_with_a_licence_each() {
        let kinds = kinds(NOTICES);
        let titles: Vec<_> = kinds.iter().map(|kind| kind.title).collect();
        assert_eq!(
            titles,
            [
                "Rust crates",
                "Rust crates in the built-in hooks",
                "Go modules",
                "Other libraries"
            ]
        );
        let has = |kind: usize, name: &str| kinds[kind].parts.iter().any(|part| part.name == name);
        assert!(has(0, "wasmtime") && has(1, "wit-bindgen"));
        assert!(has(2, "github.com/rclone/rclone") && has(3, "SQLite"));
        for part in kinds.iter().flat_map(|kind| &kind.parts) {
            assert!(!part.license.is_empty(), "{part:?}");
        }
    }

    #[test]
    fn rclone_is_listed_in_the_version_that_is_linked() {
        let kinds = kinds(NOTICES);
        let mut parts = kinds.iter().flat_map(|kind| &kind.parts);
        let rclone = parts.find(|part| part.name == "github.com/rclone/rclone");
        let version = rclone.and_then(|part| part.version);
        assert_eq!(version, Some(copal_rclone::RCLONE_VERSION));
    }
}
