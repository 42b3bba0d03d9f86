//! From `[[hook]]` tables to [`Hook`]s.

use std::collections::BTreeSet;

use serde_json::{Map, Number, Value};
use toml::de::DeValue;

use super::reader::{Field, Table, Unfit, all};
use super::sections::{duration, parse_name, path_of};
use super::words::{listed, quoted, suggestion};
use super::{Builtin, Component, Grant, Grants, Hook, Limits, Name, refused};
use crate::path::RelPath;
use crate::units::ByteCount;

/// The hooks of the file; `None` where it names none, or none that is sound.
pub(super) fn hooks(top: &mut Table<'_>) -> Option<Vec<Hook>> {
    let field = top.take("hook")?;
    let members = field.list("a list of tables", "[[hook]]")?;
    let hooks: Vec<_> = members.iter().filter_map(hook).collect();
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

fn hook(member: &Field<'_>) -> Option<(Hook, std::ops::Range<usize>)> {
    let mut table = member.table("[[hook]]")?;
    let component = component(&mut table);
    let given = table.take("name");
    let config = table
        .take("config")
        .map_or(Some(Value::Object(Map::new())), |f| config(&f));
    let grants = table
        .take("grants")
        .map_or(Some(Grants::default()), |f| grants(&f));
    let limits = table
        .take("limits")
        .map_or(Some(Limits::default()), |f| limits(&f));
    table.finish();
    let example = "name = \"nightly-notes\"";
    let given = given.map(|f| f.read(example, |text| parse_name("a hook's `name`", text, example)));
    let (component, field) = component?;
    let name = match given {
        Some(name) => name?,
        None => default_name(&component, &field)?,
    };
    let hook = Hook {
        name,
        component,
        config: config?,
        grants: grants?,
        limits: limits?,
        place: Some(field.place()),
    };
    Some((hook, field.span))
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
    if let Some(refused) = refused::builtin(text) {
        refused.report(field.problems, &field.span, &format!("use = \"{text}\""));
        return None;
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

fn grants(field: &Field<'_>) -> Option<Grants> {
    let mut table = field.table("grants = { sqlite = [\"*\"] }")?;
    let sqlite = table.take("sqlite");
    let archive = table.take("archive");
    table.finish();
    let sqlite = sqlite.map_or(Some(Grant::default()), |f| {
        grant(&f, "sqlite = [\"webui.db\"]")
    });
    let archive = archive.map_or(Some(Grant::default()), |f| {
        grant(&f, "archive = [\"vector_db\"]")
    });
    Some(Grants {
        sqlite: sqlite?,
        archive: archive?,
    })
}

fn grant(field: &Field<'_>, example: &str) -> Option<Grant> {
    const EXPECTED: &str = "a list of names, or `\"*\"` for all";
    if field.value().as_str() == Some("*") {
        return Some(Grant::All);
    }
    let members = field.list(EXPECTED, example)?;
    let names: BTreeSet<_> = all(members.iter().map(|member| granted_name(member, example)))?;
    Some(if names.contains("*") {
        Grant::All
    } else {
        Grant::Named(names)
    })
}

/// One name, in the form in which the host speaks of it.
fn granted_name(field: &Field<'_>, example: &str) -> Option<String> {
    field.read(example, |text| {
        let unfit = |why: String, next: String| Unfit {
            what: format!("`{}` can't name {}", field.path, quoted(text)),
            why,
            next,
        };
        if text == "*" {
            return Ok(text.to_owned());
        }
        if text.contains('*') {
            let next = "name each one, or grant all with `\"*\"`; a star that is part of a name is written `%2A`";
            return Err(unfit("names are no patterns".to_owned(), next.to_owned()));
        }
        let path = text.strip_suffix('/').unwrap_or(text).parse::<RelPath>();
        path.map(|path| path.to_string()).map_err(|_| {
            let why = "names are paths inside the source, as seen from its top".to_owned();
            unfit(why, format!("write for example `{example}`"))
        })
    })
}

fn limits(field: &Field<'_>) -> Option<Limits> {
    let mut table = field.table("limits = { memory = \"64 MiB\", wall = \"60s\" }")?;
    let memory = table.take("memory");
    let wall = table.take("wall");
    table.finish();
    let memory = memory.map(|field| size(&field));
    let wall = wall.map(|field| duration(&field, "wall = \"60s\""));
    // The outer `None` is a missing key, the inner one a problem that was reported.
    Some(Limits {
        memory: memory.map_or(Some(None), |memory| memory.map(Some))?,
        wall: wall.map_or(Some(None), |wall| wall.map(Some))?,
    })
}

fn size(field: &Field<'_>) -> Option<ByteCount> {
    let example = "memory = \"64 MiB\"";
    let unfit = |text: &str, why: &str| Unfit {
        what: format!("`{}` can't be {}", field.path, quoted(text)),
        why: why.to_owned(),
        next: format!(
            "write a whole number and a unit (`KiB`, `MiB`, `GiB`), for example `{example}`"
        ),
    };
    field.read(example, |text| match text.parse::<ByteCount>() {
        Ok(ByteCount::ZERO) => Err(unfit(text, "nothing runs without memory")),
        Ok(size) => Ok(size),
        Err(_) => Err(unfit(text, "this is not a size")),
    })
}
