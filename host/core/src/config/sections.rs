//! From the TOML tree to a [`Config`], section by section.

use std::collections::BTreeSet;
use std::time::Duration;

use toml::de::DeTable;

use super::grant_sections::Known;
use super::reader::{Field, Problems, Table, Unfit};
use super::words::quoted;
use super::{
    Config, ConfigPath, Hook, InvalidConfig, Name, command_sections, hook_sections, log_sections,
    metrics_sections, redact, remote_sections, retention_sections, run_limit_sections,
    secret_sections, service_sections, source_sections, staging_sections,
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
        report_syntax(text, &errors, &problems);
        None
    };
    let problems = problems.into_sorted();
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(InvalidConfig { problems }),
    }
}

/// Reports the first error of each line: the others there are its consequences.
fn report_syntax(text: &str, errors: &[toml::de::Error], problems: &Problems) {
    let mut lines = BTreeSet::new();
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let line = text
            .bytes()
            .take(span.start)
            .filter(|&b| b == b'\n')
            .count();
        if !lines.insert(line) {
            continue;
        }
        let next = match error.message() {
            "duplicate key" => "keep one of them",
            _ => "mend it here or just before; text needs quotes, a table begins with `[name]`",
        };
        problems.report(&span, "the file is not valid TOML", error.message(), next);
    }
}

fn config(mut top: Table<'_>) -> Option<Config> {
    let name = name(&mut top);
    let source = source_sections::source(&mut top);
    let docker = source_sections::docker(&mut top);
    let destinations = remote_sections::destinations(&mut top);
    let staging = staging_sections::staging(&mut top);
    let limits = run_limit_sections::run_limits(&mut top);
    let log = log_sections::log(&mut top);
    let max_age = top.take("max_age").map_or(Some(None), |field| {
        duration(&field, "max_age = \"26h\"").map(Some)
    });
    let metrics = metrics_sections::metrics(&mut top);
    let retention = retention_sections::retention(&mut top);
    let rclone = remote_sections::rclone(&mut top);
    let secrets = secret_sections::secrets(&mut top);
    let commands = command_sections::commands(&mut top, &secrets.names);
    let services = service_sections::services(&mut top);
    let known = Known {
        commands: &commands.names,
        secrets: &secrets.names,
        services: &services.names,
    };
    let hooks = hook_sections::hooks(&mut top, &known);
    let live_databases = live_databases(&mut top);
    top.finish();
    Some(Config {
        name: name?,
        source: source?,
        destinations: destinations?,
        staging: staging?,
        limits: limits?,
        log: log?,
        max_age: max_age?,
        metrics: metrics?.file,
        retention: retention?,
        rclone: rclone?,
        hooks: hooks.unwrap_or_else(Hook::defaults),
        live_databases: live_databases?,
        commands: commands.sound?,
        secrets: secrets.sound?,
        services: services.sound?,
        docker: docker?,
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
