//! Compares what happened with what was expected.

use std::collections::BTreeMap;

use super::case::Observed;
use super::spec::{Case, Expect, Request};
use super::words::verdict_name;

/// Something that is not as expected.
#[derive(Debug, PartialEq, Eq)]
pub struct Difference {
    /// What: the key of `expect`, or a path of the tree.
    pub what: String,
    /// What was expected, line by line.
    pub expected: Vec<String>,
    /// What came, line by line.
    pub found: Vec<String>,
}

fn differ(what: &str, expected: Vec<String>, found: Vec<String>) -> Option<Difference> {
    (expected != found).then(|| Difference {
        what: what.to_owned(),
        expected,
        found,
    })
}

/// All that is not as the case expects it.
pub(super) fn judge(case: &Case, observed: &Observed) -> Vec<Difference> {
    let expect = &case.expect;
    let mut differences: Vec<_> = [
        result(expect, observed),
        message(expect, observed),
        expect
            .deeds
            .as_ref()
            .and_then(|deeds| differ("deeds", deeds.clone(), observed.deeds.clone())),
        expect
            .requests
            .as_ref()
            .and_then(|requests| of_requests(requests, &observed.requests)),
        expect
            .log
            .as_ref()
            .and_then(|log| of_log(log, &observed.log)),
        expect
            .rules
            .as_ref()
            .and_then(|rules| differ("rules", rules.clone(), observed.rules.clone())),
        expect
            .state
            .as_ref()
            .and_then(|state| differ("state", pairs(state), pairs(&texts(&observed.state)))),
        expect
            .facts
            .as_ref()
            .and_then(|facts| differ("facts", pairs(facts), pairs(&observed.facts))),
        expect
            .staged
            .as_ref()
            .and_then(|staged| differ("staged", pairs(staged), pairs(&observed.staged))),
    ]
    .into_iter()
    .flatten()
    .collect();
    differences.extend(of_tree(case, observed));
    differences
}

fn result(expect: &Expect, observed: &Observed) -> Option<Difference> {
    let expected = expect.result.as_deref().unwrap_or("ok").to_owned();
    let mut found = vec![observed.result.to_owned()];
    if expected != observed.result {
        // The reason is what one wants to see next.
        found.extend(
            observed
                .message
                .iter()
                .flat_map(|text| text.lines())
                .map(str::to_owned),
        );
    }
    differ("result", vec![expected], found).or_else(|| {
        let code = expect.code.as_ref()?;
        let found = observed.code.clone().into_iter().collect();
        differ("code", vec![code.clone()], found)
    })
}

fn message(expect: &Expect, observed: &Observed) -> Option<Difference> {
    let part = expect.message.as_ref()?;
    let message = observed.message.as_deref().unwrap_or_default();
    if message.contains(part.as_str()) {
        return None;
    }
    let found = message.lines().map(str::to_owned).collect();
    differ("message", vec![format!("… {part} …")], found)
}

fn of_requests(expected: &[Request], found: &[Request]) -> Option<Difference> {
    let fits = |(wanted, sent): (&Request, &Request)| {
        let has = |(name, value): (&String, &String)| {
            sent.headers.get(&name.to_ascii_lowercase()) == Some(value)
        };
        wanted.request == sent.request
            && wanted.headers.iter().all(has)
            && (wanted.body.is_none() || wanted.body == sent.body)
    };
    let is_same = expected.len() == found.len() && expected.iter().zip(found).all(fits);
    if is_same {
        return None;
    }
    // Of what was sent, only what is spoken of is worth a line.
    let shown = |at: usize, sent: &Request| {
        let wanted = expected.get(at);
        let mut sent = sent.clone();
        if let Some(wanted) = wanted {
            let is_named =
                |name: &String| wanted.headers.keys().any(|w| w.eq_ignore_ascii_case(name));
            sent.headers.retain(|name, _| is_named(name));
            sent.body = sent.body.filter(|_| wanted.body.is_some());
        }
        lines_of(&sent)
    };
    let found = found.iter().enumerate();
    let found = found.flat_map(|(at, sent)| shown(at, sent)).collect();
    differ(
        "requests",
        expected.iter().flat_map(lines_of).collect(),
        found,
    )
}

fn lines_of(request: &Request) -> Vec<String> {
    let mut lines = vec![request.request.clone()];
    let headers = request.headers.iter();
    lines.extend(headers.map(|(name, value)| format!("  {}: {value}", name.to_ascii_lowercase())));
    let body = request.body.iter().flat_map(|body| body.lines());
    lines.extend(body.map(|line| format!("  {line}")));
    lines
}

/// Each part in a line of its own, in this order; other lines may stand between.
fn of_log(parts: &[String], lines: &[String]) -> Option<Difference> {
    let mut left = lines.iter();
    let all = parts
        .iter()
        .all(|part| left.any(|line| line.contains(part.as_str())));
    if all {
        return None;
    }
    let expected = parts.iter().map(|part| format!("… {part} …")).collect();
    differ("log", expected, lines.to_vec())
}

fn of_tree(case: &Case, observed: &Observed) -> Vec<Difference> {
    // A filter that failed says why; that it did not decide the rest follows from it.
    if observed.result != "ok" {
        return Vec::new();
    }
    let pairs = case.tree.iter().zip(&observed.verdicts);
    pairs
        .filter_map(|(entry, found)| {
            let expected = verdict_name(entry.expect?);
            let found = verdict_name(*found);
            differ(
                &entry.path,
                vec![expected.to_owned()],
                vec![found.to_owned()],
            )
        })
        .collect()
}

/// Values as text; what is not UTF-8 can't be expected.
pub(super) fn texts(state: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, String> {
    let text = |(key, value): (&String, &Vec<u8>)| {
        (key.clone(), String::from_utf8_lossy(value).into_owned())
    };
    state.iter().map(text).collect()
}

fn pairs(map: &BTreeMap<String, String>) -> Vec<String> {
    map.iter()
        .map(|(key, value)| format!("{key} = {value:?}"))
        .collect()
}
