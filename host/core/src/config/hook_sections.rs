//! From `[[hook]]` tables to [`Hook`]s.

use std::collections::BTreeSet;

use serde_json::{Map, Number, Value};
use toml::de::DeValue;

use super::grant_sections::{Known, grants};
use super::limit_sections::limits;
use super::reader::{Field, Table, Unfit};
use super::sections::{parse_name, path_of};
use super::words::{listed, quoted, suggestion};
use super::{Builtin, Component, Hook, Limits, Name, OnError};
use crate::digest::Sha256;
use crate::grants::Grants;

/// The hooks of the file; `None` where it names none, or none that is sound.
pub(super) fn hooks(top: &mut Table<'_>, known: &Known<'_>) -> Option<Vec<Hook>> {
    let field = top.take("hook")?;
    let members = field.list("a list of tables", "[[hook]]")?;
    let hooks: Vec<_> = members
        .iter()
        .filter_map(|member| hook(member, known))
        .collect();
    let mut names = BTreeSet::new();
    for (hook, span) in &hooks {
        if !names.insert(&hook.name) {
            let what = format!("two hooks are named `{}`", hook.name);
            let why = "logs and the manifest tell hooks apart by their names";
            let next = "give one of them a `name` of its own";
            field.problems.report(span, what, why, next);
        }
    }
    Some(hooks.into_iter().map(|(hook, _)| hook).collect())
}

fn hook(member: &Field<'_>, known: &Known<'_>) -> Option<(Hook, std::ops::Range<usize>)> {
    let mut table = member.table("[[hook]]")?;
    let component = component(&mut table);
    let given = table.take("name");
    let config = table
        .take("config")
        .map_or(Some(Value::Object(Map::new())), |f| config(&f));
    let grants = table
        .take("grants")
        .map_or(Some(Grants::default()), |f| grants(&f, known));
    let limits = table
        .take("limits")
        .map_or(Some(Limits::default()), |f| limits(&f));
    let sha256 = table.take("sha256");
    let on_error = table.take("on_error");
    table.finish();
    let on_error = on_error.map_or(Some(OnError::default()), |f| self::on_error(&f));
    let example = "name = \"nightly-notes\"";
    let given = given.map(|f| f.read(example, |text| parse_name("a hook's `name`", text, example)));
    let (component, field) = component?;
    // The outer `None` is a problem that was reported, the inner one a missing key.
    let sha256 = sha256.map_or(Some(None), |f| self::sha256(&f, &component).map(Some));
    let name = match given {
        Some(name) => name?,
        None => default_name(&component, &field)?,
    };
    let hook = Hook {
        name,
        component,
        sha256: sha256?,
        config: config?,
        grants: grants?,
        limits: limits?,
        on_error: on_error?,
        place: Some(field.place()),
    };
    Some((hook, field.span))
}

/// The digest that a file has to have.
fn sha256(field: &Field<'_>, component: &Component) -> Option<Sha256> {
    if let Component::Builtin(_) = component {
        let what = "a built-in hook has a `sha256`";
        let why = "it is part of Copal itself, and changes with it alone";
        field
            .problems
            .report(&field.span, what, why, "remove `sha256`");
        return None;
    }
    let example = "sha256 = \"…\"";
    field.read(example, |text| {
        text.parse().map_err(|_| Unfit {
            what: format!("`{}` is no SHA-256 digest", field.path),
            why: "a digest has 64 hexadecimal digits".to_owned(),
            next: "`copal hook grant NAME` writes the line, and `sha256sum FILE` prints the digest"
                .to_owned(),
        })
    })
}

fn on_error(field: &Field<'_>) -> Option<OnError> {
    let example = "on_error = \"warn\"";
    field.read(example, |text| match text {
        "abort" => Ok(OnError::Abort),
        "warn" => Ok(OnError::Warn),
        _ => Err(Unfit {
            what: format!("`{}` can't be {}", field.path, quoted(text)),
            why: "a failing hook ends the run (`abort`), or makes it one that fell short (`warn`)"
                .to_owned(),
            next: format!("write `on_error = \"abort\"` or `{example}`"),
        }),
    })
}

/// The component, and the key that names it.
fn component<'a>(table: &mut Table<'a>) -> Option<(Component, Field<'a>)> {
    match (table.take("use"), table.take("file")) {
        (Some(field), None) => Some((Component::Builtin(builtin(&field)?), field)),
        (None, Some(field)) => {
            let path = path_of(&field, "file = \"hooks/notes.wasm\"")?;
            Some((Component::File(path), field))
        }
        (Some(_), Some(field)) => {
            let what = "a hook has both `use` and `file`";
            let next = "keep one of the two, or write a second `[[hook]]`";
            table
                .problems
                .report(&field.span, what, "a hook is one component", next);
            None
        }
        (None, None) => {
            let next =
                "add `use = \"exclude\"` or another built-in, or `file = \"hooks/notes.wasm\"`";
            let what = "a hook has neither `use` nor `file`";
            table.problems.report(
                &table.span,
                what,
                "nothing says which component to run",
                next,
            );
            None
        }
    }
}

fn builtin(field: &Field<'_>) -> Option<Builtin> {
    let text = field.text("use = \"exclude\"")?;
    if let Ok(builtin) = text.parse() {
        return Some(builtin);
    }
    let known = Builtin::ALL.map(Builtin::name);
    let why = format!("the built-in hooks are {}", listed(&known));
    let next = suggestion(text, &known)
        .unwrap_or_else(|| "for a component of your own write `file = \"….wasm\"`".to_owned());
    let what = format!("no built-in hook is named {}", quoted(text));
    field.problems.report(&field.span, what, why, next);
    None
}

/// The built-in's name, or the file's without its extension.
fn default_name(component: &Component, field: &Field<'_>) -> Option<Name> {
    let stem = match component {
        Component::Builtin(builtin) => builtin.name(),
        Component::File(path) => path.as_written().file_stem()?.to_str()?,
    };
    let parsed = stem.parse::<Name>();
    if let Err(reason) = &parsed {
        let what = format!("the file's name {} can't be the hook's name", quoted(stem));
        let next = "give the hook a `name`";
        field
            .problems
            .report(&field.span, what, reason.to_string(), next);
    }
    parsed.ok()
}

fn config(field: &Field<'_>) -> Option<Value> {
    field.table("config = { paths = [\"cache/\"] }")?;
    let json = json(field.value());
    if json.is_none() {
        let what = "a hook's `config` holds a number that JSON does not have";
        let why = "hooks read their configuration as JSON, which has whole numbers of 64 bits and finite ones";
        field
            .problems
            .report(&field.span, what, why, "write the number as text");
    }
    json
}

fn json(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Integer(n) => Value::from(i64::from_str_radix(n.as_str(), n.radix()).ok()?),
        DeValue::Float(n) => Value::Number(Number::from_f64(n.as_str().parse().ok()?)?),
        DeValue::Array(members) => members
            .iter()
            .map(|m| json(m.get_ref()))
            .collect::<Option<_>>()?,
        DeValue::Table(table) => {
            let entries = table.iter();
            let entry = entries
                .map(|(key, value)| Some((key.get_ref().to_string(), json(value.get_ref())?)));
            Value::Object(entry.collect::<Option<_>>()?)
        }
    })
}
