//! What a prune removed and what it kept, each with its reason.

use std::fmt::Write as _;

use copal_core::retention::LeftOver;
use serde_json::{Value, json};

use super::{Output, count};
use crate::error::CopalError;
use crate::outcome::Outcome;
use crate::prune::PrunedAll;
use crate::step::prune::{Fate, Judged, Left, Pruned};

/// Prints what became of every destination.
pub fn print(outcome: &Outcome<PrunedAll>, output: Output) -> Result<(), CopalError> {
    let pruned: &[Pruned] = match &outcome.result {
        Ok(all) => &all.pruned,
        Err(_) => &[],
    };
    if output.json {
        return super::json(&pruned.iter().map(to_json).collect::<Vec<_>>());
    }
    let mut text = String::new();
    for one in pruned {
        writeln!(text, "{}", in_a_line(one)).expect("a String takes every write");
        if !output.quiet {
            text += &table(one, "  ");
        }
    }
    super::result(&text)
}

/// `pruned app at vault: 2 removed, 1.2 GiB freed, 7 kept`
fn in_a_line(pruned: &Pruned) -> String {
    let is_gone = |fate: &Fate| *fate != Fate::NotGone;
    let gone = pruned.going().filter(|(_, fate)| is_gone(fate)).count();
    let kept = pruned.snapshots.iter().filter(|one| one.verdict.stays());
    let (name, place, most) = (&pruned.name, &pruned.place, pruned.at_most());
    let freed = pruned.freed();
    let kept = kept.count();
    if pruned.rehearsed {
        return format!(
            "dry run, nothing was removed: of {name} at {place} {gone} would go, {most}{freed}, and {kept} would stay"
        );
    }
    format!("pruned {name} at {place}: {gone} removed, {most}{freed} freed, {kept} kept")
}

/// A line for each snapshot and each left-over, newest first; `indent` before each.
pub(super) fn table(pruned: &Pruned, indent: &str) -> String {
    let left = pruned.left.iter();
    let snapshots = pruned.snapshots.iter();
    let mut lines: Vec<_> = snapshots
        .map(|one| (one.id, snapshot(one, pruned.at_most())))
        .chain(left.map(|one| (one.id, left_over(one, pruned.at_most()))))
        .collect();
    lines.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
    let mut text = String::new();
    for (id, (word, why)) in lines {
        writeln!(text, "{indent}{word:<11}  {id}  {why}").expect("a String takes every write");
    }
    if !pruned.any_verified && !pruned.snapshots.is_empty() {
        let told = "none of these is known to have been verified: `copal verify` makes it known";
        writeln!(text, "{indent}{told}").expect("a String takes every write");
    }
    text
}

/// What becomes of it, and why.
fn snapshot(one: &Judged, most: &str) -> (&'static str, String) {
    let why = one.verdict.reasons().join("; ");
    match &one.fate {
        None => (one.verdict.word(), why),
        Some(fate) => with_fate(fate, &why, most),
    }
}

fn left_over(one: &Left, most: &str) -> (&'static str, String) {
    let why = why_left(one.verdict);
    match &one.fate {
        None => ("leave alone", why.to_owned()),
        Some(fate) => with_fate(fate, why, most),
    }
}

fn why_left(verdict: LeftOver) -> &'static str {
    match verdict {
        LeftOver::Finish => "not sealed any more: the rest of an interrupted prune",
        LeftOver::Remove => "never sealed, and of a run that began more than thirty days ago",
        LeftOver::Young => "not sealed: a run may still be at it",
        LeftOver::Unknown => "no manifest, and nothing of Copal's says whose it is",
    }
}

fn with_fate(fate: &Fate, why: &str, most: &str) -> (&'static str, String) {
    match fate {
        Fate::Would(Some(bytes)) => ("remove", format!("{why} ({most}{bytes})")),
        Fate::Would(None) => ("remove", why.to_owned()),
        Fate::Gone { bytes, others: 0 } => ("removed", format!("{why} ({most}{bytes} freed)")),
        Fate::Gone { bytes, others } => {
            let others = count(*others, "file");
            let told = format!(
                "{why} ({most}{bytes} freed; {others} that Copal does not know left there)"
            );
            ("removed", told)
        }
        Fate::NotGone => ("not removed", why.to_owned()),
    }
}

/// The same with documented fields.
pub(super) fn to_json(pruned: &Pruned) -> Value {
    let snapshot = |one: &Judged| {
        let mut told = json!({
            "snapshot": one.id,
            "verdict": one.verdict.word(),
            "reasons": one.verdict.reasons(),
        });
        tell_fate(&mut told, one.fate.as_ref());
        told
    };
    let left = |one: &Left| {
        let mut told = json!({
            "directory": one.id,
            "verdict": match one.verdict {
                LeftOver::Finish | LeftOver::Remove => "remove",
                LeftOver::Young | LeftOver::Unknown => "leave",
            },
            "reasons": [why_left(one.verdict)],
        });
        tell_fate(&mut told, one.fate.as_ref());
        told
    };
    json!({
        "name": pruned.name,
        "destination": pruned.place,
        "dry_run": pruned.rehearsed,
        "snapshots": pruned.snapshots.iter().map(snapshot).collect::<Vec<_>>(),
        "not_sealed": pruned.left.iter().map(left).collect::<Vec<_>>(),
        "freed_bytes": pruned.freed(),
        "any_verified": pruned.any_verified,
    })
}

fn tell_fate(told: &mut Value, fate: Option<&Fate>) {
    told["removed"] = matches!(fate, Some(Fate::Gone { .. })).into();
    match fate {
        Some(Fate::Gone { bytes, others }) => {
            told["bytes"] = json!(bytes);
            told["others_left"] = (*others).into();
        }
        Some(Fate::Would(Some(bytes))) => told["bytes"] = json!(bytes),
        Some(Fate::Would(None) | Fate::NotGone) | None => {}
    }
}

#[cfg(test)]
mod tests {
    use copal_core::retention::{Goes, Rule, Stays, Verdict};
    use copal_core::units::ByteCount;

    use super::*;

    fn judged(id: &str, verdict: Verdict, fate: Option<Fate>) -> Judged {
        let id = id.parse().unwrap();
        Judged { id, verdict, fate }
    }

    fn pruned(rehearsed: bool) -> Pruned {
        let bytes = ByteCount::mebibytes(141);
        let fate = |others| {
            Some(if rehearsed {
                Fate::Would(Some(bytes))
            } else {
                Fate::Gone { bytes, others }
            })
        };
        let newest = Stays::Counted {
            rule: Rule::Daily,
            place: 1,
            of: 7,
        };
        let by = "2026-11-24T030000Z".parse().unwrap();
        let passed = Goes::Passed {
            rule: Rule::Daily,
            by,
        };
        let left = |id: &str, verdict, fate| Left {
            id: id.parse().unwrap(),
            verdict,
            fate,
        };
        Pruned {
            may_share: false,
            place: "b2:my-bucket/copal".to_owned(),
            name: "open-webui".to_owned(),
            rehearsed,
            snapshots: vec![
                judged(
                    "2026-11-24T030000Z",
                    Verdict::Stays(vec![Stays::Newest, newest]),
                    None,
                ),
                judged("2026-11-24T010000Z", Verdict::Goes(passed), fate(0)),
                judged(
                    "2026-11-20T030000Z",
                    Verdict::Stays(vec![Stays::Pinned]),
                    None,
                ),
                judged("2026-10-01T030000Z", Verdict::Goes(Goes::Beyond), fate(2)),
                judged(
                    "2026-09-01T030000Z",
                    Verdict::Goes(Goes::Beyond),
                    Some(Fate::NotGone),
                ),
            ],
            left: vec![
                left("2026-08-01T030000Z", LeftOver::Remove, fate(0)),
                left("2026-11-23T030000Z", LeftOver::Young, None),
                left("2026-01-01T000000Z", LeftOver::Unknown, None),
            ],
            any_verified: false,
        }
    }

    #[test]
    fn every_snapshot_has_a_line_with_what_becomes_of_it_and_why() {
        let text = |rehearsed| {
            let pruned = pruned(rehearsed);
            format!("{}\n{}", in_a_line(&pruned), table(&pruned, "  "))
        };
        insta::assert_snapshot!("a_prune", text(false));
        insta::assert_snapshot!("a_rehearsed_prune", text(true));
    }

    #[test]
    fn programs_are_told_the_same() {
        let told = to_json(&pruned(false));
        assert_eq!(told["snapshots"][1]["removed"], true, "{told:#}");
        assert_eq!(told["snapshots"][1]["verdict"], "remove", "{told:#}");
        assert_eq!(
            told["snapshots"][0]["reasons"][1], "daily 1 of 7",
            "{told:#}"
        );
        assert_eq!(told["not_sealed"][2]["verdict"], "leave", "{told:#}");
        assert_eq!(told["freed_bytes"], (3 * 141) << 20, "{told:#}");
    }
}
