//! Tables with names of the owner's, which other parts of the file refer to.

use std::collections::BTreeSet;

use super::Name;
use super::reader::{Field, Span, Table, Unfit, all};
use super::sections::parse_name;
use super::words::{listed, quoted, suggestion};

/// The tables of one kind that the file has, each sound or not.
pub(super) struct Tables<T> {
    /// The sound ones; `None` if one is not.
    pub(super) sound: Option<Vec<T>>,
    /// The names of all of them, for those who refer to them.
    pub(super) names: BTreeSet<String>,
}

/// Reads each `[KIND.NAME]`.
pub(super) fn tables<'a, T>(
    top: &mut Table<'a>,
    kind: &'static str,
    header: &str,
    read: impl Fn(Name, &Field<'a>) -> Option<T>,
) -> Tables<T> {
    let mut names = BTreeSet::new();
    let Some(field) = top.take(kind) else {
        return Tables {
            sound: Some(Vec::new()),
            names,
        };
    };
    let Some(table) = field.table(header) else {
        return Tables { sound: None, names };
    };
    let one = |(name, span, field): (&'a str, Span, Field<'a>)| {
        names.insert(name.to_owned());
        let parsed = parse_name(&format!("a {kind}'s name"), name, header);
        let parsed = parsed
            .map_err(|Unfit { what, why, next }| field.problems.report(&span, what, why, next));
        read(parsed.ok()?, &field)
    };
    let sound = all(table.into_fields().into_iter().map(one));
    Tables { sound, names }
}

/// Reports a name that no table has. Whether it has one.
pub(super) fn knows(
    names: &BTreeSet<String>,
    kind: &str,
    name: &str,
    field: &Field<'_>,
    line: &str,
) -> bool {
    if names.contains(name) {
        return true;
    }
    let known: Vec<_> = names.iter().map(String::as_str).collect();
    let next = suggestion(name, &known)
        .unwrap_or_else(|| format!("add `[{kind}.{name}]`, and below it for example `{line}`"));
    let what = format!("there is no {kind} {}", quoted(name));
    let why = if known.is_empty() {
        format!("this file has no `[{kind}.{name}]`")
    } else {
        format!("the {kind}s of this file are {}", listed(&known))
    };
    field.problems.report(&field.span, what, why, next);
    false
}
