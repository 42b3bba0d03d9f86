//! `copal rcd-call METHOD`: one call that came over HTTP, as the command line that it stands for.
//!
//! A method takes what its command takes, by the same names and checked by the same code: `--in-place` is
//! `"in_place": true`, and a value without a flag has the name that the help shows.

use std::io;

use clap::{ArgAction, Args, CommandFactory};
use serde_json::{Map, Value};

use super::Cli;

/// The methods beside rclone's own.
pub(super) const METHODS: [Method; 15] = [
    Method::of(
        "copal/backup",
        "Take a snapshot and seal it at every destination",
    ),
    Method::of(
        "copal/check",
        "Tell whether a backup would succeed, and what to mend",
    ),
    Method::of(
        "copal/plan",
        "Show what a backup would do, without doing it",
    ),
    Method::of("copal/snapshots", "List the sealed snapshots"),
    Method::of("copal/prune", "Remove the snapshots that no rule keeps"),
    Method::of("copal/pin", "Have a snapshot stay, whatever the rules say"),
    Method::of("copal/unpin", "Leave a pinned snapshot to the rules again"),
    Method::of("copal/ls", "List what is in a snapshot"),
    Method::of("copal/diff", "Tell what differs between two snapshots"),
    Method::of(
        "copal/du",
        "Tell what snapshots take, and what is freed when one is removed",
    ),
    Method::of("copal/verify", "Check that a snapshot is what was sealed"),
    Method::of(
        "copal/drill",
        "Restore a snapshot into a scratch directory, and try whether it works",
    ),
    Method::of("copal/restore", "Put a snapshot back"),
    Method::of(
        "copal/report",
        "Write a page about the job: its state, its runs, and the last failure",
    ),
    Method {
        path: "copal/status",
        title: "List the newest runs: how each ended, and what it made",
        command: "history",
    },
];

/// A method, and the command that it stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Method {
    /// Its path.
    pub(super) path: &'static str,
    /// What it does, in a line.
    pub(super) title: &'static str,
    command: &'static str,
}

impl Method {
    const fn of(path: &'static str, title: &'static str) -> Self {
        let Some((_, command)) = path.split_at_checked("copal/".len()) else {
            panic!("every path begins with copal/");
        };
        Self {
            path,
            title,
            command,
        }
    }

    /// What it takes, for `rc/list`.
    pub(super) fn help(self) -> String {
        let command = Cli::command();
        let command = command.find_subcommand(self.command);
        let arguments = command.into_iter().flat_map(clap::Command::get_arguments);
        let lines = arguments.map(|argument| {
            let help = argument.get_help().map(ToString::to_string);
            format!("- {} - {}\n", name(argument), help.unwrap_or_default())
        });
        let lines: String = lines.collect();
        let takes = if lines.is_empty() {
            "This takes no parameters.\n".to_owned()
        } else {
            format!("This takes the following parameters:\n\n{lines}")
        };
        format!(
            "{takes}\nIt returns what `copal --json {}` prints, and its exit_code.",
            self.command
        )
    }
}

#[derive(Debug, Args)]
pub(super) struct RcdCallArgs {
    /// The method; its parameters are a JSON object on standard input
    method: String,
}

/// Why a call is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    #[error("can't read the parameters: {0}")]
    Parameters(#[from] serde_json::Error),
    #[error("there is no method `{0}`")]
    Method(String),
    #[error("`{method}` takes no parameter `{parameter}`; `rc/list` tells what it takes")]
    Parameter { method: String, parameter: String },
    #[error("the parameter `{0}` is true or false, text, a number, or a list of these")]
    Value(String),
}

impl RcdCallArgs {
    /// The words that the command would have been given.
    pub(super) fn words(&self) -> Result<Vec<String>, CallError> {
        let parameters: Map<String, Value> = serde_json::from_reader(io::stdin().lock())?;
        words(&self.method, &parameters)
    }
}

fn words(method: &str, parameters: &Map<String, Value>) -> Result<Vec<String>, CallError> {
    let known = METHODS.iter().find(|known| known.path == method);
    let command = Cli::command();
    let command = known.and_then(|known| command.find_subcommand(known.command));
    let Some(command) = command else {
        return Err(CallError::Method(method.to_owned()));
    };
    for parameter in parameters.keys() {
        if command
            .get_arguments()
            .all(|argument| name(argument) != *parameter)
        {
            return Err(CallError::Parameter {
                method: method.to_owned(),
                parameter: parameter.clone(),
            });
        }
    }
    // In the command's own order, in which values without a flag have to come.
    let (mut words, mut values) = (vec![command.get_name().to_owned()], Vec::new());
    for argument in command.get_arguments() {
        let name = name(argument);
        let Some(value) = parameters.get(&name) else {
            continue;
        };
        match (argument.get_long(), argument.get_action(), value) {
            (_, _, Value::Null) => {}
            (Some(long), ArgAction::SetTrue, value) => {
                if is_true(&name, value)? {
                    words.push(format!("--{long}"));
                }
            }
            (Some(_), _, Value::Bool(false)) => {}
            (Some(long), _, Value::Bool(true)) => words.push(format!("--{long}")),
            (Some(long), ArgAction::Append, Value::Array(many)) => {
                for one in many {
                    words.push(format!("--{long}={}", text(&name, one)?));
                }
            }
            (Some(long), _, one) => words.push(format!("--{long}={}", text(&name, one)?)),
            (None, ArgAction::Append, Value::Array(many)) => {
                for one in many {
                    values.push(text(&name, one)?);
                }
            }
            (None, _, one) => values.push(text(&name, one)?),
        }
    }
    words.push("--".to_owned());
    words.extend(values);
    Ok(words)
}

/// The name of an argument as a parameter.
fn name(argument: &clap::Arg) -> String {
    match argument.get_long() {
        Some(long) => long.replace('-', "_"),
        None => argument.get_id().to_string(),
    }
}

/// `rclone rc METHOD key=true` sends text.
fn is_true(name: &str, value: &Value) -> Result<bool, CallError> {
    match value {
        Value::Bool(is_true) => Ok(*is_true),
        Value::String(text) => text.parse().map_err(|_| CallError::Value(name.to_owned())),
        _ => Err(CallError::Value(name.to_owned())),
    }
}

fn text(name: &str, value: &Value) -> Result<String, CallError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(CallError::Value(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(method: &str, parameters: Value) -> Result<String, String> {
        let Value::Object(parameters) = parameters else {
            panic!("parameters are an object");
        };
        let words = words(method, &parameters).map_err(|error| error.to_string())?;
        Ok(words.join(" "))
    }

    #[test]
    fn a_call_says_what_its_command_would_have_been_told() {
        let parameters =
            json!({ "to": "/r", "snapshot": "latest", "path": ["a", "b"], "in_place": false });
        assert_eq!(
            said("copal/restore", parameters).unwrap(),
            "restore --to=/r --path=a --path=b -- latest"
        );
        let parameters = json!({ "path": "uploads", "snapshot": "--help" });
        assert_eq!(
            said("copal/ls", parameters).unwrap(),
            "ls -- --help uploads"
        );
        let parameters = json!({ "wait": "30m", "dry_run": true });
        assert_eq!(
            said("copal/backup", parameters).unwrap(),
            "backup --wait=30m --dry-run --"
        );
        assert_eq!(
            said("copal/status", json!({ "limit": 3 })).unwrap(),
            "history --limit=3 --"
        );
        assert_eq!(
            said("copal/report", json!({ "from": "b2:x" })).unwrap(),
            "report --from=b2:x --"
        );
        assert_eq!(
            said("copal/du", json!({ "snapshots": ["a", "b"] })).unwrap(),
            "du -- a b"
        );
    }

    #[test]
    fn true_and_false_may_come_as_text() {
        let words = said(
            "copal/verify",
            json!({ "full": "true", "snapshot": "latest" }),
        );
        assert_eq!(words.unwrap(), "verify --full -- latest");
        assert_eq!(
            said("copal/verify", json!({ "full": "false" })).unwrap(),
            "verify --"
        );
        assert!(said("copal/verify", json!({ "full": "yes" })).is_err());
    }

    #[test]
    fn a_call_can_name_nothing_that_its_command_does_not_take() {
        for parameter in [
            "config",
            "verbose",
            "json",
            "dry-run",
            "--dry-run",
            "nonsense",
        ] {
            let refused = said("copal/backup", json!({ parameter: "x" }));
            assert!(
                refused.unwrap_err().contains("takes no parameter"),
                "{parameter}"
            );
        }
        assert!(
            said("copal/rcd", json!({}))
                .unwrap_err()
                .contains("no method")
        );
        let refused = said("copal/ls", json!({ "snapshot": { "a": 1 } }));
        assert!(refused.unwrap_err().contains("true or false"));
    }

    #[test]
    fn every_method_has_a_command_and_tells_what_it_takes() {
        for method in METHODS {
            assert!(
                Cli::command().find_subcommand(method.command).is_some(),
                "{method:?}"
            );
        }
        assert!(METHODS[0].help().contains("- dry_run - Only tell"));
    }
}
