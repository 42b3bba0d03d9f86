//! From the TOML tree to a [`Config`], section by section.

use std::collections::BTreeSet;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::reader::{Field, Problems, Table, Unfit, quoted};
use super::{
    Config, ConfigPath, Destination, Hook, InvalidConfig, Layout, Name, OptionValue, RcloneOption,
    RemoteSpec, Source, Staging, hook_sections, redact, refused,
};
use crate::diagnostic::SourceText;
use crate::path::RelPath;

/// Reads a whole file.
pub(super) fn read(text: &str, file_name: &str) -> Result<Config, InvalidConfig> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut secrets = redact::secrets(text, document.get_ref());
    if !errors.is_empty() {
        secrets.extend(redact::suspects(text));
    }
    let problems = Problems::new(SourceText::new(file_name, text, secrets));
    let config = if errors.is_empty() {
        config(Table::top(document.get_ref(), &problems))
    } else {
        report_syntax(&errors, &problems);
        None
    };
    let problems = problems.into_sorted();
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(InvalidConfig { problems }),
    }
}

fn report_syntax(errors: &[toml::de::Error], problems: &Problems) {
    for error in errors {
        let next = match error.message() {
            "duplicate key" => "keep one of them",
            _ => "mend it here or just before; text needs quotes, a table begins with `[name]`",
        };
        let span = error.span().unwrap_or(0..0);
        problems.report(&span, "the file is not valid TOML", error.message(), next);
    }
}

fn config(mut top: Table<'_>) -> Option<Config> {
    let name = name(&mut top);
    let source = source(&mut top);
    let destinations = destinations(&mut top);
    let staging = staging(&mut top);
    let rclone = rclone(&mut top);
    let hooks = hook_sections::hooks(&mut top);
    let live_databases = live_databases(&mut top);
    top.finish();
    Some(Config {
        name: name?,
        source: source?,
        destinations: destinations?,
        staging: staging?,
        rclone: rclone?,
        hooks: hooks.unwrap_or_else(Hook::defaults),
        live_databases: live_databases?,
    })
}

fn name(top: &mut Table<'_>) -> Option<Name> {
    let example = "name = \"open-webui\"";
    let why = "the job's name is the directory of its snapshots on every destination";
    let field = top.require("name", why, &format!("add a line such as `{example}`"))?;
    field.read(example, |text| parse_name("`name`", text, example))
}

pub(super) fn parse_name(key: &str, text: &str, example: &str) -> Result<Name, Unfit> {
    text.parse::<Name>().map_err(|reason| Unfit {
        what: format!("{key} can't be {}", quoted(text)),
        why: reason.to_string(),
        next: format!("write for example `{example}`"),
    })
}

fn source(top: &mut Table<'_>) -> Option<Source> {
    let why = "nothing says what to back up";
    let next = "add the lines `[source]` and `path = \"/opt/open-webui\"`";
    let field = top.require("source", why, next)?;
    if let DeValue::Array(_) = field.value() {
        let next = "write `[source]` once; a second source needs a file of its own";
        top.problems.report(
            &field.span,
            "`source` is a list",
            "a job has one source",
            next,
        );
        return None;
    }
    let mut source = field.table("[source]")?;
    let example = "path = \"/opt/open-webui\"";
    let is_elsewhere = source.has("volume") || source.has("container");
    // Those keys are refused with a remedy of their own: to set `path`.
    let path = if is_elsewhere {
        source.take("path")
    } else {
        source.require("path", why, &format!("add a line such as `{example}`"))
    };
    let path = path.and_then(|field| {
        Some(Source {
            path: path_of(&field, example)?,
            place: Some(field.place()),
        })
    });
    source.finish();
    path
}

/// A path of this computer.
pub(super) fn path_of(field: &Field<'_>, example: &str) -> Option<ConfigPath> {
    let unfit = |why: &str, next: String| Unfit {
        what: format!("`{}` is not a usable path", field.path),
        why: why.to_owned(),
        next,
    };
    field.read(example, |text| {
        if text.is_empty() {
            Err(unfit(
                "it is empty",
                format!("write for example `{example}`"),
            ))
        } else if text.contains('\0') {
            Err(unfit(
                "no path holds a NUL character",
                "remove it".to_owned(),
            ))
        } else if text == "~" || text.starts_with("~/") {
            let next =
                "write the home directory out; a relative path begins at this file's directory";
            Err(unfit(
                "`~` means a home directory in a shell only",
                next.to_owned(),
            ))
        } else {
            Ok(ConfigPath::new(text))
        }
    })
}

fn destinations(top: &mut Table<'_>) -> Option<Vec<Destination>> {
    let example = "remote = \"b2:my-bucket/copal\"";
    let next = format!("add the lines `[[destination]]` and `{example}`");
    let field = top.require("destination", "nothing says where snapshots go", &next)?;
    let members = field.list("a list of tables", "[[destination]]")?;
    if members.is_empty() {
        let what = "`destination` is empty";
        field
            .problems
            .report(&field.span, what, "nothing says where snapshots go", next);
    }
    members
        .iter()
        .map(destination)
        .collect::<Vec<_>>()
        .into_iter()
        .collect()
}

fn destination(member: &Field<'_>) -> Option<Destination> {
    let example = "remote = \"b2:my-bucket/copal\"";
    let mut table = member.table("[[destination]]")?;
    let why = "nothing says where these snapshots go";
    let remote = table.require("remote", why, &format!("add a line such as `{example}`"));
    let layout = table.take("layout");
    table.finish();
    let layout = layout.map_or(Some(Layout::default()), |field| self::layout(&field));
    let field = remote?;
    let remote = field.read(example, |text| {
        RemoteSpec::parse(text).map_err(|reason| Unfit {
            what: format!("`{}` is nothing that rclone can read", field.path),
            why: reason.to_string(),
            next: format!("write a remote's name, `:` and a path, for example `{example}`"),
        })
    });
    Some(Destination {
        remote: remote?,
        layout: layout?,
        place: Some(field.place()),
    })
}

fn layout(field: &Field<'_>) -> Option<Layout> {
    let example = "layout = \"snapshots\"";
    let text = field.text(example)?;
    if text == "snapshots" {
        return Some(Layout::Snapshots);
    }
    match refused::layout(text) {
        Some(refused) => {
            refused.report(field.problems, &field.span, &format!("layout = \"{text}\""));
        }
        None => field.problems.report(
            &field.span,
            format!("unknown layout {}", quoted(text)),
            "snapshots are the one layout there is",
            format!("write `{example}`"),
        ),
    }
    None
}

fn staging(top: &mut Table<'_>) -> Option<Staging> {
    let Some(field) = top.take("staging") else {
        return Some(Staging::default());
    };
    let mut table = field.table("[staging]")?;
    let dir = table.take("dir");
    let max_pause = table.take("max_pause");
    table.finish();
    let mut staging = Staging::default();
    if let Some(field) = dir {
        staging.dir = Some(path_of(&field, "dir = \"/var/tmp/copal\"")?);
        staging.place = Some(field.place());
    }
    if let Some(field) = max_pause {
        staging.max_pause = duration(&field, "max_pause = \"30s\"")?;
    }
    Some(staging)
}

/// A stretch of time longer than none.
pub(super) fn duration(field: &Field<'_>, example: &str) -> Option<Duration> {
    let unfit = |text: &str, why: &str| Unfit {
        what: format!("`{}` can't be {}", field.path, quoted(text)),
        why: why.to_owned(),
        next: format!("write a number and a unit (`ms`, `s`, `m`, `h`), for example `{example}`"),
    };
    field.read(example, |text| {
        let signed: jiff::SignedDuration = text
            .parse()
            .map_err(|_| unfit(text, "this is not a length of time"))?;
        match Duration::try_from(signed) {
            Ok(duration) if !duration.is_zero() => Ok(duration),
            _ => Err(unfit(text, "it has to be longer than nothing")),
        }
    })
}

fn rclone(top: &mut Table<'_>) -> Option<Vec<RcloneOption>> {
    let Some(field) = top.take("rclone") else {
        return Some(Vec::new());
    };
    let mut options = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, span, field) in field.table("[rclone]")?.into_fields() {
        if !seen.insert(name.replace('-', "_")) {
            let why = "rclone takes `-` and `_` for the same";
            let what = format!("{} is set twice", quoted(&field.path));
            field
                .problems
                .report(&span, what, why, "keep one of the two spellings");
        }
        options.push(option_value(&field).map(|value| RcloneOption {
            name: name.to_owned(),
            value,
            place: Some(field.place()),
        }));
    }
    options.into_iter().collect()
}

fn option_value(field: &Field<'_>) -> Option<OptionValue> {
    let mistyped = || {
        field.mistyped(
            "text, a whole number, true or false, or a list of text",
            "bwlimit = \"10M\"",
        )
    };
    match field.value() {
        DeValue::Boolean(value) => Some(OptionValue::Bool(*value)),
        DeValue::String(text) => Some(OptionValue::Text(text.to_string())),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Some(OptionValue::Integer(number)),
            Err(_) => mistyped(),
        },
        DeValue::Array(members) => {
            let text = |value: &DeValue<'_>| value.as_str().map(str::to_owned);
            let texts: Option<Vec<_>> = members.iter().map(|m| text(m.get_ref())).collect();
            texts.map(OptionValue::List).or_else(mistyped)
        }
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => mistyped(),
    }
}

fn live_databases(top: &mut Table<'_>) -> Option<BTreeSet<RelPath>> {
    let Some(field) = top.take("database") else {
        return Some(BTreeSet::new());
    };
    let mut live = BTreeSet::new();
    let header = "[database.\"cache/index.db\"]";
    for (name, span, field) in field.table(header)?.into_fields() {
        let path = name.parse::<RelPath>();
        if path.is_err() {
            let what = format!("{} names no database in the source", quoted(&field.path));
            let why = "a database is named by its path inside the source, as seen from its top";
            let next = format!("write for example `{header}`");
            field.problems.report(&span, what, why, next);
        }
        if allows_live(&field, header) {
            live.extend(path);
        }
    }
    Some(live)
}

fn allows_live(field: &Field<'_>, header: &str) -> bool {
    let example = "live = \"allow\"";
    let Some(mut table) = field.table(header) else {
        return false;
    };
    let why = "the section says nothing about the database";
    let live = table.require(
        "live",
        why,
        &format!("add the line `{example}`, or remove the section"),
    );
    table.finish();
    let allowed = live.and_then(|field| {
        field.read(example, |text| match text {
            "allow" => Ok(()),
            _ => Err(Unfit {
                what: format!("`live` can't be {}", quoted(text)),
                why: "`allow` is the one thing to say here".to_owned(),
                next: format!("write `{example}`, or remove the section"),
            }),
        })
    });
    allowed.is_some()
}
