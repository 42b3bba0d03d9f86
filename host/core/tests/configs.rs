//! Every file of `tests/configs/valid` and `tests/configs/invalid`, beside what is made of it.
//!
//! The text beside a valid file is the configuration as `Debug` shows it; beside an invalid one, it
//! is what a person reads. With `UPDATE=1` in the environment the texts are written anew.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the tests of a crate without I/O still read their fixtures"
)]

use std::fs;
use std::path::{Path, PathBuf};

use copal_core::config::Config;

fn fixtures(kind: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/configs")
        .join(kind);
    let entries = fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_toml = |path: &PathBuf| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
    };
    let mut files: Vec<_> = entries.filter(is_toml).collect();
    files.sort();
    assert!(!files.is_empty(), "no fixtures in {}", dir.display());
    files
}

/// Compares with the text beside each file, and names every file that differs.
fn compare(kind: &str, outcome: impl Fn(&str) -> String) {
    let update = std::env::var_os("UPDATE").is_some();
    let mut differing = Vec::new();
    for file in fixtures(kind) {
        let actual = outcome(&fs::read_to_string(&file).unwrap()) + "\n";
        let beside = file.with_extension("txt");
        if update {
            fs::write(&beside, &actual).unwrap();
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        if actual != expected {
            let file = file.display();
            differing.push(format!(
                "{file}\n--- expected\n{expected}--- actual\n{actual}"
            ));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn valid_files_become_the_configuration_beside_them() {
    compare("valid", |text| match Config::parse(text, "copal.toml") {
        Ok(config) => format!("{config:#?}"),
        Err(invalid) => panic!("{invalid}"),
    });
}

#[test]
fn invalid_files_are_refused_with_the_text_beside_them() {
    compare("invalid", |text| match Config::parse(text, "copal.toml") {
        Ok(config) => panic!("accepted: {config:#?}"),
        Err(invalid) => invalid.to_string(),
    });
}

/// Fixtures mark each secret by this word.
#[test]
fn no_secret_of_any_fixture_is_ever_shown() {
    for file in [fixtures("valid"), fixtures("invalid")].concat() {
        let text = fs::read_to_string(&file).unwrap();
        let shown = match Config::parse(&text, "copal.toml") {
            Ok(config) => format!("{config:?}"),
            Err(invalid) => format!("{invalid} {invalid:?}"),
        };
        assert!(!shown.contains("SECRET"), "{}: {shown}", file.display());
    }
}
