//! The snapshots that were sealed, each with what was found when somebody looked at it last.

use copal_core::units::ByteCount;
use jiff::Timestamp;
use maud::{Markup, html};

use super::runs::{Check, Checks};
use super::{Basis, Runs, ago, count, plain, tag};
use crate::record::{Ended, SnapshotRecord};

/// Rows, at the most.
const ROWS: usize = 60;

/// The newest first.
pub(super) fn section(runs: &Runs, now: Timestamp) -> Markup {
    let sealed = runs.backups().iter().flat_map(|record| &record.snapshots);
    let sealed: Vec<_> = sealed.take(ROWS).collect();
    html! {
        section {
            h2 { "Snapshots" }
            @if sealed.is_empty() {
                p { "None is known." }
            } @else {
                table {
                    thead { tr { th { "sealed" } th { "size" } th { "found" } } }
                    tbody {
                        @for one in &sealed {
                            tr {
                                td { (which(one)) }
                                td { (ByteCount(one.bytes)) br; small { (count(one.files, "file")) } }
                                td { (found(runs.checks_of(one.id, &one.destination), now)) }
                            }
                        }
                    }
                }
                @if runs.basis() == Basis::History {
                    p class="key" {
                        "Some may have been pruned since: " code { "copal snapshots" } " lists those that are there."
                    }
                }
            }
        }
    }
}

fn which(one: &SnapshotRecord) -> Markup {
    html! {
        span class="id" { (one.id) }
        @if one.is_mirror { " (mirror)" }
        br;
        small { (plain(&one.destination)) }
    }
}

fn found(checks: Checks, now: Timestamp) -> Markup {
    if checks.verified.is_none() && checks.drilled.is_none() {
        return html! { span class="soft" { "not looked at" } };
    }
    let line = |check: Option<Check>, good: &str, bad: &str| {
        let check = check?;
        let word = match check.outcome {
            Ended::Succeeded => good,
            _ => bad,
        };
        Some(html! { div { (tag(word)) " " small { (ago(now, check.at)) } } })
    };
    html! {
        @if let Some(line) = line(checks.verified, "verified", "damaged") { (line) }
        @if let Some(line) = line(checks.drilled, "drilled", "drill not well") { (line) }
    }
}
