//! `[command.NAME]`: a program of the owner's, and what of its arguments a hook may fill in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use super::{ConfigPath, Name, Template};
use crate::diagnostic::Place;

/// The longest value for a placeholder, in bytes.
const LONGEST_VALUE: usize = 4096;

/// One `[command.NAME]`.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Command {
    /// What grants and hooks call it.
    pub name: Name,
    /// The program: a name to look up in PATH, or a path.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<Template>,
    /// The values that a placeholder may have, where they are not all that is sound.
    pub allow: BTreeMap<String, BTreeSet<String>>,
    /// Its environment, besides the few variables that every command gets.
    pub env: BTreeMap<String, String>,
    /// Variables of its environment that hold secrets, by the secrets' names.
    pub secret_env: BTreeMap<String, Name>,
    /// How long it may run.
    pub timeout: Duration,
    /// Its working directory.
    pub cwd: Option<ConfigPath>,
    /// Where the configuration says what runs.
    pub place: Option<Place>,
}

/// Why a hook's values don't fill a command's placeholders.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unfillable {
    /// The command has no such placeholder.
    #[error("command `{command}` has no placeholder `{{{placeholder}}}`")]
    Unknown {
        /// The command.
        command: Name,
        /// What the hook named, escaped.
        placeholder: String,
    },
    /// A value was given twice.
    #[error("placeholder `{{{placeholder}}}` of command `{command}` was given several values")]
    Twice {
        /// The command.
        command: Name,
        /// The placeholder.
        placeholder: String,
    },
    /// No value was given.
    #[error("placeholder `{{{placeholder}}}` of command `{command}` was given no value")]
    Missing {
        /// The command.
        command: Name,
        /// The placeholder.
        placeholder: String,
    },
    /// The value is not what a placeholder may hold, or not what the owner allows.
    #[error("placeholder `{{{placeholder}}}` of command `{command}` can't be `{value}`: {why}")]
    Value {
        /// The command.
        command: Name,
        /// The placeholder.
        placeholder: String,
        /// The beginning of the value, escaped.
        value: String,
        /// The rule that it breaks.
        why: &'static str,
    },
}

impl Command {
    /// The names of its placeholders.
    pub fn placeholders(&self) -> BTreeSet<&str> {
        self.arguments
            .iter()
            .flat_map(Template::placeholders)
            .collect()
    }

    /// Its arguments with the hook's values in them. Each value stays within one argument, and never
    /// makes an option of it.
    pub fn fill(&self, given: &[(String, String)]) -> Result<Vec<String>, Unfillable> {
        let values = self.values(given)?;
        let value = |name: &str| values.get(name).copied().unwrap_or_default();
        let filled = self.arguments.iter().map(|template| {
            let argument = template.fill(value);
            match template.first_placeholder() {
                Some(first) if argument.starts_with('-') => {
                    let why = "an argument that begins with it would be an option";
                    Err(self.refuse(first, value(first), why))
                }
                _ => Ok(argument),
            }
        });
        filled.collect()
    }

    /// The value of each placeholder.
    fn values<'a>(
        &self,
        given: &'a [(String, String)],
    ) -> Result<BTreeMap<&'a str, &'a str>, Unfillable> {
        let placeholders = self.placeholders();
        let command = || self.name.clone();
        let mut values = BTreeMap::new();
        for (name, value) in given {
            let placeholder = short(name);
            if !placeholders.contains(name.as_str()) {
                return Err(Unfillable::Unknown {
                    command: command(),
                    placeholder,
                });
            }
            if values.insert(name.as_str(), value.as_str()).is_some() {
                return Err(Unfillable::Twice {
                    command: command(),
                    placeholder,
                });
            }
            if let Some(why) = self.objection(name, value) {
                return Err(self.refuse(name, value, why));
            }
        }
        match placeholders
            .into_iter()
            .find(|name| !values.contains_key(name))
        {
            Some(name) => Err(Unfillable::Missing {
                command: command(),
                placeholder: name.to_owned(),
            }),
            None => Ok(values),
        }
    }

    /// What speaks against a value.
    fn objection(&self, placeholder: &str, value: &str) -> Option<&'static str> {
        if value.len() > LONGEST_VALUE {
            Some("values have at most 4096 bytes")
        } else if value.chars().any(char::is_control) {
            Some("values have no control characters")
        } else if self
            .allow
            .get(placeholder)
            .is_some_and(|allowed| !allowed.contains(value))
        {
            Some("it is not among the values that its owner allows")
        } else {
            None
        }
    }

    fn refuse(&self, placeholder: &str, value: &str, why: &'static str) -> Unfillable {
        Unfillable::Value {
            command: self.name.clone(),
            placeholder: placeholder.to_owned(),
            value: short(value),
            why,
        }
    }
}

/// What a hook wrote, as it may stand in a message.
fn short(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = text
        .chars()
        .take(LONGEST)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

/// Values of the environment are not shown: an owner may have put a password there.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments: Vec<_> = self.arguments.iter().map(ToString::to_string).collect();
        f.debug_struct("Command")
            .field("name", &self.name)
            .field("program", &self.program)
            .field("arguments", &arguments)
            .field("allow", &self.allow)
            .field("env", &self.env.keys().collect::<Vec<_>>())
            .field("secret_env", &self.secret_env)
            .field("timeout", &self.timeout)
            .field("cwd", &self.cwd)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn command(lines: &str) -> Command {
        let head =
            "name = 'n'\nsource.path = 'd'\ndestination = [{ remote = 'b2:' }]\n[command.dump]\n";
        let config = Config::parse(&format!("{head}{lines}"), "copal.toml").unwrap();
        config.commands()[0].clone()
    }

    fn dump() -> Command {
        command(
            "run = ['pg_dump', '-Fc', '--dbname={database}', '{table}']\nallow = { database = ['app', '-x'] }",
        )
    }

    fn fill(given: &[(&str, &str)]) -> Result<Vec<String>, Unfillable> {
        let given: Vec<_> = given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        dump().fill(&given)
    }

    #[test]
    fn a_value_stays_within_its_argument_whatever_is_in_it() {
        for value in [
            "a b",
            "'; rm -rf /",
            "$(id)",
            "{database}",
            "",
            "a --file=/etc/passwd",
            "*",
        ] {
            let filled = fill(&[("database", "app"), ("table", value)]).unwrap();
            assert_eq!(filled, ["-Fc", "--dbname=app", value]);
        }
    }

    #[test]
    fn a_value_that_would_make_an_option_of_its_argument_is_refused() {
        assert!(fill(&[("database", "app"), ("table", "--file=/etc/passwd")]).is_err());
        // After the owner's own text it makes none.
        assert!(fill(&[("database", "-x"), ("table", "t")]).is_ok());
    }

    #[test]
    fn two_values_do_not_make_an_option_together() {
        let command = command("run = ['x', '{a}{b}']");
        let given = [
            ("a".to_owned(), String::new()),
            ("b".to_owned(), "-x".to_owned()),
        ];
        assert!(matches!(
            command.fill(&given),
            Err(Unfillable::Value { .. })
        ));
    }

    #[test]
    fn each_placeholder_takes_one_value_that_its_owner_allows() {
        let long = "x".repeat(4097);
        for given in [
            &[("database", "app")][..],
            &[("database", "app"), ("table", "t"), ("table", "t")],
            &[("database", "app"), ("table", "t"), ("other", "t")],
            &[("database", "other"), ("table", "t")],
            &[("database", "app"), ("table", "a\0b")],
            &[("database", "app"), ("table", "a\nb")],
            &[("database", "app"), ("table", "a\u{85}b")],
            &[("database", "app"), ("table", &long)],
        ] {
            assert!(fill(given).is_err(), "{given:?}");
        }
    }

    #[test]
    fn a_refusal_shows_no_control_characters() {
        let told = fill(&[("\u{1b}[2J", "x")]).unwrap_err().to_string();
        assert!(!told.contains('\u{1b}'), "{told:?}");
    }
}
