//! Commands that a person is told to give: they speak of the same configuration as the one that was given.

use std::path::Path;
use std::sync::OnceLock;

use copal_core::grants::Capability;

/// The file that this process was told to read with `-c`, as a shell takes it.
static CONFIGURATION: OnceLock<String> = OnceLock::new();

/// Commands about a component or a project, which no configuration concerns.
const WITHOUT: [&str; 5] = ["new", "inspect", "pack", "test", "bench"];

/// Remembers the configuration that was named on the command line.
pub fn start(configuration: Option<&Path>) {
    if let Some(path) = configuration {
        // It is set once, before anything is told.
        drop(CONFIGURATION.set(quoted(&path.display().to_string())));
    }
}

/// A text with each `` `copal …` `` in it as it has to be given here.
pub fn here(text: &str) -> String {
    of(text, CONFIGURATION.get().map(String::as_str))
}

/// A command as it has to be given here: `hook list` becomes `copal -c FILE hook list`.
pub fn command(arguments: &str) -> String {
    one(arguments, CONFIGURATION.get().map(String::as_str))
}

/// An entry as `copal hook grant` takes it, quoted for a shell.
pub fn argument((capability, entry): &(Capability, String)) -> String {
    quoted(&format!("{capability}={entry}"))
}

fn of(text: &str, configuration: Option<&str>) -> String {
    const COMMAND: &str = "`copal ";
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(COMMAND) {
        let (before, command) = rest.split_at(at);
        let arguments = &command[COMMAND.len()..];
        let end = arguments.find('`').unwrap_or(arguments.len());
        told.push_str(before);
        told.push('`');
        told.push_str(&one(&arguments[..end], configuration));
        rest = &arguments[end..];
    }
    told.push_str(rest);
    told
}

fn one(arguments: &str, configuration: Option<&str>) -> String {
    let mut words = arguments.split(' ');
    let without = match (words.next(), words.next()) {
        (Some("hook"), Some(command)) => WITHOUT.contains(&command),
        _ => arguments.contains("--source ") || arguments.contains("--from "),
    };
    match configuration.filter(|_| !without) {
        Some(file) => format!("copal -c {file} {arguments}"),
        None => format!("copal {arguments}"),
    }
}

/// A word that a shell takes for one.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "=._/:,-+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_reads_a_configuration_names_the_one_that_was_given() {
        let text = "say `copal hook grant own --yes`, or `copal plan`; not `rclone purge`";
        assert_eq!(
            of(text, Some("a.toml")),
            "say `copal -c a.toml hook grant own --yes`, or `copal -c a.toml plan`; not `rclone purge`"
        );
        assert_eq!(of(text, None), text);
    }

    #[test]
    fn a_command_that_reads_none_is_left_as_it_is() {
        for text in [
            "`copal hook pack FILE --requests hook.toml -o OUT`",
            "`copal hook new`",
            "`copal backup --source DIR --to REMOTE:PATH`",
            "copal plan",
        ] {
            assert_eq!(of(text, Some("a.toml")), text);
        }
    }

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        assert_eq!(quoted("/etc/copal/copal.toml"), "/etc/copal/copal.toml");
        assert_eq!(quoted("my job's.toml"), r"'my job'\''s.toml'");
        assert_eq!(quoted("$HOME"), "'$HOME'");
        assert_eq!(quoted(""), "''");
        let entry = (Capability::Http, "POST https://ntfy.sh".to_owned());
        assert_eq!(argument(&entry), "'http=POST https://ntfy.sh'");
    }
}
