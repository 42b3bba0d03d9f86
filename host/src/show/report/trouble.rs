//! The last run that did not go well, in full: what failed, why, what to do next, and the last lines of its log.

use std::time::Duration;

use jiff::Timestamp;
use maud::{Markup, html};

use super::{ago, count, duration, plain, tag, time};
use crate::record::{Ended, HookStory, Record, Trouble};

/// Tells of it, and how many have gone well since.
pub(super) fn section(bad: Option<&Record>, good_since: u64, now: Timestamp) -> Markup {
    html! {
        section {
            h2 { "The last run that did not go well" }
            @match bad {
                None => p { "None is known." },
                Some(record) => (told(record, good_since, now)),
            }
        }
    }
}

fn told(record: &Record, good_since: u64, now: Timestamp) -> Markup {
    let took = duration(Duration::from_millis(record.took_ms));
    let since = match good_since {
        0 => "It is the last one there was.".to_owned(),
        good => format!("After it, {} went well.", count(good, "run")),
    };
    let failed = record.hooks.iter().filter(|hook| hook.failure.is_some());
    html! {
        p {
            (tag(record.outcome.name())) " " (record.kind.name()) " of " (time(record.started)) ", "
            (ago(now, record.started)) ", took " (took)
            // Nobody saw with what a killed run ended.
            @if record.outcome != Ended::Abandoned { ", exit code " (record.exit) }
            ". " (since)
        }
        @for error in &record.errors { (trouble("error", error)) }
        @for shortcoming in &record.shortcomings { (trouble("fell short", shortcoming)) }
        @for hook in failed { (of_hook(hook)) }
        @if !record.log.is_empty() {
            h3 { "The last lines of its log" }
            pre { @for line in &record.log { (plain(line)) "\n" } }
        }
        @if let Some(file) = &record.log_file {
            p class="key" { "Its whole log is in " code { (plain(file)) } "." }
        }
        p class="key" { "All of it: " code { "copal history show " (plain(&record.run)) } }
    }
}

fn trouble(label: &str, trouble: &Trouble) -> Markup {
    html! {
        dl class="trouble" {
            dt { (label) } dd { strong { (plain(&trouble.what)) } }
            @for why in &trouble.why { dt { "why" } dd { (plain(why)) } }
            @if !trouble.next.is_empty() { dt { "next" } dd { (plain(&trouble.next)) } }
        }
    }
}

fn of_hook(hook: &HookStory) -> Markup {
    html! {
        h3 { "Hook " code { (plain(&hook.hook)) } " failed in " (plain(&hook.phase)) }
        pre {
            @if let Some(failure) = &hook.failure { (plain(failure)) "\n" }
            @for words in &hook.last_words { (plain(words)) "\n" }
        }
    }
}
