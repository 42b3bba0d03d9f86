//! What is not a hook is refused when it is loaded, in words of ours.
#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use copal_core::units::ByteCount;
use copal_hooks::{FailureKind, Flaw, Phase};
use kit::{Trial, built, dummy, handmade};
use serde_json::json;

#[test]
fn an_empty_file_is_refused() {
    assert_eq!(Trial::of([]).flaw(), Flaw::Empty);
}

#[test]
fn a_text_file_is_refused_even_if_it_is_webassembly_text() {
    assert_eq!(Trial::of(*b"hello").flaw(), Flaw::NotWasm);
    assert_eq!(Trial::of(*b"(component)").flaw(), Flaw::NotWasm);
}

#[test]
fn a_core_module_is_refused() {
    let module = wat::parse_str("(module)").unwrap();
    assert_eq!(Trial::of(module).flaw(), Flaw::CoreModule);
}

#[test]
fn a_truncated_component_is_refused_wherever_it_was_cut() {
    let whole = built("exclude");
    for length in [1, 4, 7, 8, 9, 100, whole.len() / 2, whole.len() - 1] {
        let flaw = Trial::of(&whole[..length]).flaw();
        let plausible = match length {
            // Nothing but a header is a whole, though empty, component.
            8 => flaw == Flaw::NoPhase,
            _ => matches!(flaw, Flaw::Damaged(_)),
        };
        assert!(plausible, "cut at {length}: {flaw:?}");
    }
}

#[test]
fn a_component_that_exports_no_phase_is_refused() {
    let component = dummy("package a:b; world w { export c: func(); }");
    assert_eq!(Trial::of(component).flaw(), Flaw::NoPhase);
}

#[test]
fn a_component_of_another_version_is_refused_by_that_version() {
    let component = dummy(
        "package copal:hooks@0.2.0;
         interface pre-backup { run: func(); }
         world w { export pre-backup; }",
    );
    assert_eq!(
        Trial::of(component).flaw(),
        Flaw::OtherVersion {
            interface: "pre-backup".into(),
            found: "0.2.0".into(),
            offered: "0.1.0",
        }
    );
}

#[test]
fn an_interface_that_is_not_offered_is_refused_by_name() {
    let shell = dummy(
        "package copal:hooks@0.1.0;
         interface shell { run: func(line: string); }
         world w { import shell; }",
    );
    let name = "copal:hooks/shell@0.1.0".to_owned();
    assert_eq!(Trial::of(shell).flaw(), Flaw::UnknownImport(name));

    let wasi = dummy(
        "package wasi:keyvalue@0.2.6;
         interface store { get: func() -> list<string>; }
         world w { import store; }",
    );
    let name = "wasi:keyvalue/store@0.2.6".to_owned();
    assert_eq!(Trial::of(wasi).flaw(), Flaw::UnknownImport(name));
}

#[test]
fn a_phase_that_is_never_called_here_is_refused_by_name() {
    let component = dummy(
        "package copal:hooks@0.1.0;
         interface noon { run: func(); }
         world w { export noon; }",
    );
    let name = "copal:hooks/noon@0.1.0".to_owned();
    assert_eq!(Trial::of(component).flaw(), Flaw::UnknownPhase(name));
}

#[test]
fn a_phase_of_another_type_is_refused_before_any_run() {
    let component = dummy(
        "package copal:hooks@0.1.0;
         interface pre-backup { run: func() -> u32; }
         world w { export pre-backup; }",
    );
    match Trial::of(component).flaw() {
        Flaw::UnfitPhase { phase, why } => {
            assert_eq!(phase, Phase::PreBackup);
            assert!(why.contains("expected `result` found `u32`"), "{why}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_import_of_another_type_is_refused() {
    let component = dummy(
        "package copal:hooks@0.1.0;
         interface run-info { dry-run: func() -> u32; }
         interface pre-backup { run: func(); }
         world w { import run-info; export pre-backup; }",
    );
    match Trial::of(component).flaw() {
        Flaw::UnfitImports(why) => assert!(why.contains("u32"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_component_that_wants_more_memory_than_it_may_have_from_the_start_is_refused() {
    let component = handmade(
        "pre-backup-hook",
        r#"(module
            (memory (export "memory") 2000)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
            (func (export "copal:hooks/pre-backup@0.1.0#run") (result i32) unreachable))"#,
    );
    assert_eq!(
        Trial::of(component).flaw(),
        Flaw::CannotStart(FailureKind::OutOfMemory {
            limit: ByteCount::mebibytes(64),
            wanted: ByteCount(2000 * 65536),
        })
    );
}

#[test]
fn a_config_that_is_no_table_is_refused() {
    let trial = Trial::of(built("exclude")).config(json!(["cache/"]));
    assert_eq!(trial.flaw(), Flaw::ConfigNotATable);
}
