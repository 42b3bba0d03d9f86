//! From `[command.NAME]` tables to [`Command`]s.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::named_tables::{Tables, knows, tables};
use super::reader::{Field, Span, Table, Unfit, all};
use super::secret_sections::SECRET_EXAMPLE;
use super::sections::{duration, parse_name, path_of};
use super::words::{listed, quoted, suggestion};
use super::{Command, Name, Template};

/// How long a command may run where nothing is said.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A line that could stand in `[command.NAME]`.
pub(super) const COMMAND_EXAMPLE: &str = "run = [\"pg_dump\", \"--dbname={database}\"]";

pub(super) fn commands(top: &mut Table<'_>, secrets: &BTreeSet<String>) -> Tables<Command> {
    tables(top, "command", "[command.pg_dump]", |name, field| {
        command(name, field, secrets)
    })
}

fn command(name: Name, field: &Field<'_>, secrets: &BTreeSet<String>) -> Option<Command> {
    let mut table = field.table("[command.pg_dump]")?;
    let why = "nothing says what to run";
    let run = table.require(
        "run",
        why,
        &format!("add a line such as `{COMMAND_EXAMPLE}`"),
    );
    let allow = table.take("allow");
    let env = table.take("env");
    let secret_env = table.take("secret_env");
    let timeout = table.take("timeout");
    let cwd = table.take("cwd");
    table.finish();
    let place = run.as_ref().map(Field::place);
    let run = run.and_then(|field| arguments(&field));
    let placeholders: Option<BTreeSet<&str>> = run
        .as_ref()
        .map(|(_, arguments)| arguments.iter().flat_map(Template::placeholders).collect());
    let allow = allow.map_or(Some(BTreeMap::new()), |field| {
        self::allow(&field, placeholders.as_ref())
    });
    let env = env.map_or(Some(BTreeMap::new()), |field| self::env(&field));
    let taken = env.clone().unwrap_or_default();
    let secret_env = secret_env.map_or(Some(BTreeMap::new()), |field| {
        self::secret_env(&field, &taken, secrets)
    });
    let timeout = timeout.map_or(Some(TIMEOUT), |field| duration(&field, "timeout = \"60s\""));
    // The outer `None` is a problem that was reported, the inner one a missing key.
    let cwd = cwd.map_or(Some(None), |field| {
        path_of(&field, "cwd = \"/var/lib/app\"").map(Some)
    });
    let (program, arguments) = run?;
    Some(Command {
        name,
        program,
        arguments,
        allow: allow?,
        env: env?,
        secret_env: secret_env?,
        timeout: timeout?,
        cwd: cwd?,
        place,
    })
}

/// A program and its arguments, word by word.
pub(super) fn words<'a>(field: &Field<'a>, example: &str) -> Option<Vec<(&'a str, Field<'a>)>> {
    let members = field.list("a list of a program and its arguments", example)?;
    let word = |member: &Field<'a>| {
        let text = member.read(example, |text| {
            if text.contains('\0') {
                Err(unusable(
                    field,
                    text,
                    "no argument holds a NUL character",
                    "remove it",
                ))
            } else {
                Ok(text)
            }
        });
        Some((text?, member.clone()))
    };
    let words: Vec<_> = all(members.iter().map(word))?;
    if words.first().is_none_or(|(program, _)| program.is_empty()) {
        let what = format!("`{}` names no program", field.path);
        let next = format!("write for example `{example}`");
        field
            .problems
            .report(&field.span, what, "its first member is what is run", next);
        return None;
    }
    Some(words)
}

pub(super) fn unusable(
    field: &Field<'_>,
    text: &str,
    why: impl Into<String>,
    next: impl Into<String>,
) -> Unfit {
    Unfit {
        what: format!("`{}` can't hold {}", field.path, quoted(text)),
        why: why.into(),
        next: next.into(),
    }
}

fn arguments(field: &Field<'_>) -> Option<(String, Vec<Template>)> {
    let words = words(field, COMMAND_EXAMPLE)?;
    let (&(program, ref member), arguments) = words.split_first()?;
    if Template::read(program).placeholders().next().is_some() {
        let why = "what is run is its owner's choice alone";
        let Unfit { what, why, next } = unusable(field, program, why, "write the program out");
        field.problems.report(&member.span, what, why, next);
        return None;
    }
    let arguments = arguments.iter().map(|(text, _)| Template::read(text));
    Some((program.to_owned(), arguments.collect()))
}

fn allow(
    field: &Field<'_>,
    placeholders: Option<&BTreeSet<&str>>,
) -> Option<BTreeMap<String, BTreeSet<String>>> {
    let example = "allow = { database = [\"openwebui\"] }";
    let entry = |(name, span, field): (&str, Span, Field<'_>)| {
        if let Some(known) = placeholders.filter(|known| !known.contains(name)) {
            let known: Vec<_> = known.iter().copied().collect();
            let what = format!("{} names no placeholder", quoted(&field.path));
            let why = if known.is_empty() {
                "the command has no placeholder".to_owned()
            } else {
                format!("the placeholders of the command are {}", listed(&known))
            };
            let next = suggestion(name, &known)
                .unwrap_or_else(|| format!("write `{{{name}}}` into `run`, or remove it here"));
            field.problems.report(&span, what, why, next);
        }
        let values = field.list("a list of values", example)?;
        if values.is_empty() {
            let next = "name the values, or remove the list to allow every sound one";
            field.problems.report(
                &span,
                format!("`{}` is empty", field.path),
                "no value would be allowed",
                next,
            );
        }
        let value = |member: &Field<'_>| {
            member.read(example, |text| {
                if text.chars().any(char::is_control) {
                    Err(unusable(
                        &field,
                        text,
                        "a hook's values have no control characters",
                        "remove it",
                    ))
                } else {
                    Ok(text.to_owned())
                }
            })
        };
        Some((name.to_owned(), all(values.iter().map(value))?))
    };
    all(field.table(example)?.into_fields().into_iter().map(entry))
}

/// Whether a variable of the environment can have this name.
pub(super) fn is_variable(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}

fn variable(name: &str, span: &Span, field: &Field<'_>, example: &str) -> Option<String> {
    if is_variable(name) {
        return Some(name.to_owned());
    }
    let what = format!("{} is no variable of the environment", quoted(&field.path));
    let next = format!("write for example `{example}`");
    field
        .problems
        .report(span, what, "its name is not empty and has no `=`", next);
    None
}

fn env(field: &Field<'_>) -> Option<BTreeMap<String, String>> {
    let example = "env = { PGHOST = \"/run/postgresql\" }";
    let fields = field.table(example)?.into_fields();
    all(fields.into_iter().map(|(name, span, field)| {
        let name = variable(name, &span, &field, example);
        let value = field.read(example, |text| {
            if text.contains('\0') {
                Err(unusable(
                    &field,
                    "…",
                    "no variable holds a NUL character",
                    "remove it",
                ))
            } else {
                Ok(text.to_owned())
            }
        });
        Some((name?, value?))
    }))
}

fn secret_env(
    field: &Field<'_>,
    taken: &BTreeMap<String, String>,
    secrets: &BTreeSet<String>,
) -> Option<BTreeMap<String, Name>> {
    let example = "secret_env = { PGPASSWORD = \"token\" }";
    let fields = field.table(example)?.into_fields();
    all(fields.into_iter().map(|(name, span, field)| {
        let variable = variable(name, &span, &field, example);
        if taken.contains_key(name) {
            let what = format!("variable {} has two values", quoted(name));
            let next = "keep it in `env` or in `secret_env`";
            field
                .problems
                .report(&span, what, "`env` sets it too", next);
        }
        let secret = field.read(example, |text| parse_name("a secret's name", text, example))?;
        let known = knows(secrets, "secret", secret.as_str(), &field, SECRET_EXAMPLE);
        known.then_some((variable?, secret))
    }))
}
