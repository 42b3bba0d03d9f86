//! A hook in each language that comes to a bad end: the operator reads why, and the next call is as good
//! as any.

use std::time::{Duration, Instant};

use copal_core::units::ByteCount;
use copal_hooks::{FailureKind, HookFailure, Limits};
use serde_json::json;

use crate::in_each_language;
use crate::kit::{self, Language};

in_each_language!(
    the_text_of_an_exception_is_shown,
    an_endless_loop_ends_with_its_time,
    a_hoarder_ends_with_its_memory,
    endless_recursion_ends_with_its_stack,
);

/// What becomes of a misdeed; twice, since the first must leave nothing behind.
#[track_caller]
fn failure(language: Language, misdeed: &str, limits: Limits) -> Option<HookFailure> {
    let component = kit::component(&format!("{}-misbehaving", language.name()))?;
    let hook = kit::load(&component, json!({ "url": misdeed }), &json!({}), limits);
    let first = kit::post_backup(&hook, &std::sync::Arc::default()).unwrap_err();
    let again = kit::post_backup(&hook, &std::sync::Arc::default()).unwrap_err();
    assert_eq!(
        std::mem::discriminant(&first.kind),
        std::mem::discriminant(&again.kind),
        "{first}\n{again}"
    );
    Some(first)
}

fn the_text_of_an_exception_is_shown(language: Language) {
    let Some(failure) = failure(language, "throw", Limits::default()) else {
        return;
    };
    let shown = format!("{failure}\n{}", failure.last_words.join("\n"));
    assert!(shown.contains("the sky falls as it was told"), "{shown}");
    // Where it happened.
    let place = match language {
        Language::Rust => "src/post_backup.rs",
        Language::JavaScript => "post-backup.js",
        Language::Python => "post_backup.py",
        Language::C => "src/post_backup.c",
    };
    assert!(shown.contains(place), "{shown}");
}

fn an_endless_loop_ends_with_its_time(language: Language) {
    let wall = Duration::from_millis(300);
    let limits = Limits {
        wall,
        ..Limits::default()
    };
    let began = Instant::now();
    let Some(failure) = failure(language, "loop", limits) else {
        return;
    };
    assert_eq!(failure.kind, FailureKind::TimedOut { limit: wall });
    // Generous, since loading may have to compile the component.
    assert!(began.elapsed() < Duration::from_mins(2));
}

fn a_hoarder_ends_with_its_memory(language: Language) {
    let limit = ByteCount::mebibytes(96);
    let limits = Limits {
        memory: Some(limit),
        ..Limits::default()
    };
    let Some(failure) = failure(language, "memory", limits) else {
        return;
    };
    let FailureKind::OutOfMemory { limit: shown, .. } = failure.kind else {
        panic!("{failure}\n{}", failure.last_words.join("\n"));
    };
    assert_eq!(shown, limit);
}

fn endless_recursion_ends_with_its_stack(language: Language) {
    let Some(failure) = failure(language, "recursion", Limits::default()) else {
        return;
    };
    // Each runtime notices in its own way; none of them goes on.
    let shown = format!("{failure}\n{}", failure.last_words.join("\n"));
    let told = match language {
        Language::JavaScript => "too much recursion",
        Language::Python => "RecursionError",
        Language::Rust | Language::C => "failed in post-backup",
    };
    assert!(shown.contains(told), "{shown}");
}
