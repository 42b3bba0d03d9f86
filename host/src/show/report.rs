//! A page about a job: one file, with nothing to fetch and nothing to run, for whoever looks from a phone.
//!
//! What hooks, names and messages say is nobody's that is trusted: all of it goes through the template, which
//! escapes it, and through `plain`, which takes what turns the direction of what follows.

mod charts;
mod runs;
mod snapshots;
mod trouble;

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::history::plain;
use super::status::{Destination, Status, Trouble, ago};
use super::{count, duration};
use crate::record::Record;

pub use runs::{Basis, Runs};

const STYLE: &str = include_str!("report/style.css");

/// The page.
pub fn page(status: &Status, runs: &Runs) -> String {
    let name = plain(&status.name);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (name) ": " (word(status)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header class=(word(status).replace(' ', "-")) {
                    h1 { (name) " " (tag(word(status))) }
                    p { (glance(status)) }
                }
                main {
                    (state(status, runs.basis()))
                    @if runs.are_none() {
                        section {
                            h2 { "Runs" }
                            @match runs.basis() {
                                Basis::History => p { "No run is known on this machine. " code { "copal snapshots" } " learns of those that made the snapshots there." },
                                Basis::Manifests => p { "There is no sealed snapshot." },
                            }
                        }
                    } @else {
                        (charts::section(runs, day(status.now)))
                        @if runs.basis() == Basis::History {
                            (trouble::section(runs.last_bad(), runs.good_since(), status.now))
                        }
                        (snapshots::section(runs, status.now))
                    }
                }
                footer { (foot(status, runs)) }
            }
        }
    };
    page.into_string()
}

fn word(status: &Status) -> &'static str {
    if status.is_well() { "ok" } else { "not ok" }
}

fn glance(status: &Status) -> &'static str {
    match (status.is_well(), status.max_age) {
        (true, Some(_)) => "Every destination has a good backup that is young enough.",
        (true, None) => "Every destination has a good backup.",
        (false, _) => worst(status),
    }
}

/// What is amiss, the worst of it.
fn worst(status: &Status) -> &'static str {
    let troubles = || status.destinations.iter().filter_map(Destination::trouble);
    if troubles().any(|it| matches!(it, Trouble::Damaged(_))) {
        "The last good backup of a destination was found to be damaged."
    } else if status.has_all_backups() && troubles().next().is_some() {
        "The last drill failed: what is there may not bring the app back."
    } else {
        "Not every destination has a good backup that is young enough."
    }
}

/// How it stands: what `copal status` tells.
fn state(status: &Status, basis: Basis) -> Markup {
    let next = match status.next {
        Some(next) => format!("due {}", time(next)),
        None => "not scheduled (`copal schedule install`)".to_owned(),
    };
    html! {
        section {
            h2 { "Destinations" }
            div class="cards" {
                @for one in &status.destinations { (destination(one, status)) }
            }
        }
        @if basis == Basis::History { section {
            h2 { "Runs" }
            dl {
                dt { "last backup" } dd { (of_run(status.last_run.as_ref(), status.now)) }
                dt { "last drill" } dd { (of_run(status.last_drill.as_ref(), status.now)) }
                dt { "next backup" } dd { (next) }
            }
        } }
    }
}

fn destination(one: &Destination, status: &Status) -> Markup {
    html! {
        div class="card" {
            p class="place" { strong { (plain(&one.place.told())) } " " (tag(one.state())) }
            p { (one.last(status)) }
            @if one.snapshot.is_some() { p { (one.proofs(status.now)) } }
            @if let Some(trouble) = one.trouble() { p class="bad" { (trouble.told(status.now)) } }
        }
    }
}

fn of_run(run: Option<&Record>, now: Timestamp) -> Markup {
    let Some(run) = run else {
        return html! { "none that this machine knows of" };
    };
    let trouble = run.errors.iter().chain(&run.shortcomings).next();
    let took = duration(Duration::from_millis(run.took_ms));
    html! {
        (tag(run.outcome.name())) " " (ago(now, run.started))
        @if !run.rebuilt { ", took " (took) }
        @if let Some(trouble) = trouble { ": " (plain(&trouble.what)) }
    }
}

fn foot(status: &Status, runs: &Runs) -> Markup {
    let left_out = runs.unreadable();
    let (missing, from) = match runs.basis() {
        Basis::History => (
            "of the history can't be read and is not in here.",
            "from the history of this machine: no destination was asked. ",
        ),
        Basis::Manifests => (
            "has a damaged manifest and is not in here.",
            "from the manifests there alone: they tell of no run that made none, and of none whose snapshot was pruned. ",
        ),
    };
    html! {
        @if left_out > 0 {
            p class="bad" { (count(left_out, "run")) " " (missing) }
        }
        p {
            "Copal " (env!("CARGO_PKG_VERSION")) ", " (time(status.now)) ", " (from)
            "Days and times are UTC."
        }
    }
}

/// A word that is told by a colour, too.
fn tag(word: &str) -> Markup {
    html! { span class={ "tag " (word.replace(' ', "-")) } { (word) } }
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%MZ").to_string()
}

fn day(at: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(at).date()
}

#[cfg(test)]
#[path = "report/tests.rs"]
mod tests;
