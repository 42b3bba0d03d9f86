//! Writes what happened into the file of cases, in place of what was expected.

use std::collections::BTreeMap;

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::Tried;
use super::judge::texts;
use super::spec::Request;
use super::words::verdict_name;
use crate::hook_edit::append;

/// Why a file of cases can't be updated.
#[derive(Debug, thiserror::Error)]
pub enum NotUpdatable {
    /// It is no TOML.
    #[error(transparent)]
    Syntax(#[from] toml_edit::TomlError),
    /// Its cases are not written as tables of their own.
    #[error("its cases are not written as `[[case]]`, each a table of its own")]
    Shape,
}

/// The text of a file of cases with what happened in place of what was expected and did not come. A
/// case that expects nothing yet gets all that happened. Everything else stays as it is, comments
/// and layout too. With it, how many cases are written anew.
pub fn update(text: &str, tried: &[Tried]) -> Result<(String, usize), NotUpdatable> {
    let mut document: DocumentMut = text.parse()?;
    let cases = document
        .get_mut("case")
        .and_then(Item::as_array_of_tables_mut);
    let cases = cases.ok_or(NotUpdatable::Shape)?;
    let mut rewritten = 0;
    for (table, tried) in cases.iter_mut().zip(tried) {
        let before = alone(table);
        let is_new = !table.contains_key("expect");
        if is_new {
            table.insert("expect", Item::Table(all_of(tried)));
        } else if let Some(expect) = table.get_mut("expect").and_then(Item::as_table_like_mut) {
            correct(expect, tried);
        }
        if let Some(tree) = table.get_mut("tree") {
            correct_tree(tree, tried, is_new);
        }
        rewritten += usize::from(alone(table) != before);
    }
    Ok((document.to_string(), rewritten))
}

/// The text of one case, with the tables in it.
fn alone(case: &Table) -> String {
    let mut document = DocumentMut::new();
    document.insert("case", Item::Table(case.clone()));
    document.to_string()
}

/// A new `[case.expect]`. The log is left out: it is for people, and changes often.
fn all_of(tried: &Tried) -> Table {
    let observed = &tried.observed;
    let mut table = Table::new();
    correct_result(&mut table, tried);
    let texts = texts(&observed.state);
    let lists = [("rules", &observed.rules), ("deeds", &observed.deeds)];
    for (key, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        table.insert(key, Item::Value(lines(list)));
    }
    if !observed.requests.is_empty() {
        let all: Vec<_> = observed.requests.iter().map(whole).collect();
        table.insert("requests", Item::Value(rows(all)));
    }
    let maps = [
        ("state", &texts),
        ("facts", &observed.facts),
        ("staged", &observed.staged),
    ];
    for (key, map) in maps {
        if !map.is_empty() {
            table.insert(key, Item::Value(map_of(map)));
        }
    }
    table
}

/// Rewrites what differs.
fn correct(expect: &mut dyn TableLike, tried: &Tried) {
    let observed = &tried.observed;
    for difference in &tried.differences {
        match difference.what.as_str() {
            "result" | "code" => correct_result(expect, tried),
            "message" => set(
                expect,
                "message",
                observed.message.clone().unwrap_or_default(),
            ),
            "deeds" => set(expect, "deeds", lines(&observed.deeds)),
            "rules" => set(expect, "rules", lines(&observed.rules)),
            "log" => set(expect, "log", lines(&observed.log)),
            "state" => set(expect, "state", map_of(&texts(&observed.state))),
            "facts" => set(expect, "facts", map_of(&observed.facts)),
            "staged" => set(expect, "staged", map_of(&observed.staged)),
            "requests" => {
                let wanted = tried.case.expect.requests.as_deref().unwrap_or_default();
                let found = observed.requests.iter().enumerate();
                let as_wanted = found.map(|(at, sent)| {
                    wanted
                        .get(at)
                        .map_or_else(|| whole(sent), |w| part(sent, w))
                });
                set(expect, "requests", rows(as_wanted.collect()));
            }
            // A path of the tree, which has a place of its own.
            _ => {}
        }
    }
}

fn correct_result(expect: &mut dyn TableLike, tried: &Tried) {
    let observed = &tried.observed;
    set(expect, "result", observed.result);
    match &observed.code {
        Some(code) => set(expect, "code", code.as_str()),
        None => drop(expect.remove("code")),
    }
    match &observed.message {
        Some(message) => set(expect, "message", message.as_str()),
        None => drop(expect.remove("message")),
    }
}

fn correct_tree(tree: &mut Item, tried: &Tried, is_new: bool) {
    let found = tried.case.tree.iter().zip(&tried.observed.verdicts);
    let differing = found.map(|(entry, verdict)| {
        let differs = entry.expect.map_or(is_new, |expected| expected != *verdict);
        differs.then(|| verdict_name(*verdict))
    });
    match tree {
        Item::ArrayOfTables(tables) => {
            for (row, verdict) in tables.iter_mut().zip(differing) {
                if let Some(verdict) = verdict {
                    set(row, "expect", verdict);
                }
            }
        }
        Item::Value(Value::Array(array)) => {
            let rows = array.iter_mut().filter_map(Value::as_inline_table_mut);
            for (row, verdict) in rows.zip(differing) {
                match verdict {
                    Some(verdict) if row.contains_key("expect") => set(row, "expect", verdict),
                    Some(verdict) => append(row, "expect", verdict.into()),
                    None => {}
                }
            }
        }
        _ => {}
    }
}

/// Sets a key, and leaves the space around what was there.
fn set(table: &mut dyn TableLike, key: &str, value: impl Into<Value>) {
    let mut value = value.into();
    if let Some(before) = table.get(key).and_then(Item::as_value) {
        *value.decor_mut() = before.decor().clone();
    }
    table.insert(key, Item::Value(value));
}

/// A list with a line for each entry, as soon as there are several.
fn lines(entries: &[String]) -> Value {
    rows(entries.iter().map(|entry| entry.as_str().into()).collect())
}

fn rows(values: Vec<Value>) -> Value {
    let mut array = Array::new();
    let is_long = values.len() > 1 || values.iter().any(|value| value.to_string().len() > 60);
    for mut value in values {
        if is_long {
            value.decor_mut().set_prefix("\n    ");
        }
        array.push_formatted(value);
    }
    if is_long {
        array.set_trailing_comma(true);
        array.set_trailing("\n");
    }
    Value::Array(array)
}

fn map_of(map: &BTreeMap<String, String>) -> Value {
    let mut table = InlineTable::new();
    for (key, value) in map {
        table.insert(key, value.as_str().into());
    }
    Value::InlineTable(table)
}

/// A request with its body. Most headers are the library's, not the hook's.
fn whole(request: &Request) -> Value {
    let mut table = InlineTable::new();
    table.insert("request", request.request.as_str().into());
    if let Some(body) = request.body.as_deref().filter(|body| !body.is_empty()) {
        table.insert("body", body.into());
    }
    Value::InlineTable(table)
}

/// As much of a request as was spoken of.
fn part(request: &Request, wanted: &Request) -> Value {
    let mut spoken_of = request.clone();
    let is_named = |name: &String| wanted.headers.keys().any(|w| w.eq_ignore_ascii_case(name));
    spoken_of.headers.retain(|name, _| is_named(name));
    spoken_of.body = spoken_of.body.filter(|_| wanted.body.is_some());
    let Value::InlineTable(mut table) = whole(&spoken_of) else {
        unreachable!("a request is a table")
    };
    if !spoken_of.headers.is_empty() {
        table.insert("headers", map_of(&spoken_of.headers));
    }
    Value::InlineTable(table)
}
