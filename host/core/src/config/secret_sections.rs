//! From `[secret.NAME]` tables to [`Secret`]s.

use super::command_sections::{is_variable, unusable, words};
use super::named_tables::{Tables, tables};
use super::reader::{Field, Table};
use super::sections::path_of;
use super::{Name, Secret, SecretOrigin};

/// A line that could stand in `[secret.NAME]`.
pub(super) const SECRET_EXAMPLE: &str = "file = \"token.txt\"";

pub(super) fn secrets(top: &mut Table<'_>) -> Tables<Secret> {
    tables(top, "secret", "[secret.token]", secret)
}

fn secret(name: Name, field: &Field<'_>) -> Option<Secret> {
    let mut table = field.table("[secret.token]")?;
    let origins = [table.take("env"), table.take("file"), table.take("command")];
    table.finish();
    let given = origins.iter().flatten().count();
    let [env, file, command] = origins;
    if given != 1 {
        let what = match given {
            0 => format!("`{}` says nowhere where its bytes are", field.path),
            _ => format!(
                "`{}` has several of `env`, `file` and `command`",
                field.path
            ),
        };
        let next = "keep one of `env = \"TOKEN\"`, `file = \"token.txt\"` and `command = [\"pass\", \"show\", \"token\"]`";
        field
            .problems
            .report(&field.span, what, "a secret is read from one place", next);
        return None;
    }
    let place = [&env, &file, &command]
        .into_iter()
        .flatten()
        .next()
        .map(Field::place);
    let env = env.map(|field| {
        let text = field.read("env = \"TOKEN\"", |text| {
            if is_variable(text) {
                Ok(text)
            } else {
                Err(unusable(
                    &field,
                    text,
                    "this is no name of a variable",
                    "write for example `env = \"TOKEN\"`",
                ))
            }
        });
        text.map(|text| SecretOrigin::Env(text.to_owned()))
    });
    let file = file.map(|field| path_of(&field, SECRET_EXAMPLE).map(SecretOrigin::File));
    let command = command.map(|field| {
        let words = words(&field, "command = [\"pass\", \"show\", \"token\"]")?;
        let words = words.into_iter().map(|(text, _)| text.to_owned());
        Some(SecretOrigin::Command(words.collect()))
    });
    let origin = [env, file, command].into_iter().flatten().next()??;
    Some(Secret {
        name,
        origin,
        place,
    })
}
