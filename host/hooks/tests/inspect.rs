//! What is seen of a component without running it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use copal_hooks::{Flaw, Phase, add_requests, inspect};
use kit::{Trial, built, escape};

#[test]
fn phases_imports_version_size_and_digest_are_seen() {
    let component = built("specimen");
    let seen = inspect(&component).unwrap();
    assert_eq!(seen.phases, Phase::ALL);
    assert_eq!(seen.wit_version, "0.1.0");
    assert_eq!(seen.size.0, component.len() as u64);
    assert_eq!(seen.digest, Trial::of(component).load().digest());
    for import in [
        "archive", "command", "log", "run-info", "secrets", "sqlite", "state",
    ] {
        assert!(seen.imports.iter().any(|one| one == import), "{import}");
    }
    let is_http = |name: &String| name.starts_with("wasi:http/outgoing-handler@0.2.");
    assert!(seen.wasi.iter().any(is_http), "{:?}", seen.wasi);
}

#[test]
fn requests_that_were_added_are_seen_and_narrow_what_is_granted() {
    let component = built("exclude");
    assert_eq!(inspect(&component).unwrap().requests, None);
    let requests = r#"{"requests": {"sqlite": ["webui.db"], "state": true}}"#;
    let packed = add_requests(&component, requests).unwrap();
    let seen = inspect(&packed).unwrap().requests.unwrap();
    assert_eq!(
        seen.line(),
        r#"grants = { sqlite = ["webui.db"], state = true }"#
    );
    let hook = Trial::of(packed.clone()).grant("sqlite", "*").load();
    assert_eq!(hook.in_force().requests, Some(seen));
    // Packed anew, the old ones are gone.
    let again = add_requests(&packed, r#"{"requests": {}}"#).unwrap();
    assert!(inspect(&again).unwrap().requests.unwrap().is_empty());
}

#[test]
fn malformed_requests_are_refused_by_the_name_of_their_section() {
    let component = built("exclude");
    let packed = add_requests(&component, r#"{"requests": {}}"#).unwrap();
    let end = packed.len() - 1;
    let broken = [&packed[..end], b"]"].concat();
    for flaw in [inspect(&broken).unwrap_err(), Trial::of(broken).flaw()] {
        assert!(matches!(flaw, Flaw::Requests(_)), "{flaw:?}");
        assert!(flaw.to_string().contains("`copal-hook`"), "{flaw}");
    }
}

#[test]
fn what_can_not_be_a_hook_is_refused_without_compiling_it() {
    assert_eq!(inspect(b""), Err(Flaw::Empty));
    assert_eq!(inspect(b"hello"), Err(Flaw::NotWasm));
    assert_eq!(inspect(b"\0asm\x01\0\0\0"), Err(Flaw::CoreModule));
    assert_eq!(inspect(b"\0asm\x0d\0\x01\0"), Err(Flaw::NoPhase));
    let whole = built("specimen");
    for length in (9..whole.len()).step_by(97) {
        let flaw = inspect(&whole[..length]).unwrap_err();
        assert!(matches!(flaw, Flaw::Damaged(_) | Flaw::NoPhase), "{flaw:?}");
    }
}

#[test]
fn a_component_over_all_of_wasi_is_a_hook_like_others() {
    escape(&[]).load();
}
