//! Commands that a person is told to give: they speak of the same configuration as the one that was given.

use std::path::Path;
use std::sync::OnceLock;

use copal_core::grants::Capability;

/// The file that this process was told to read with `-c`, as a shell takes it.
static CONFIGURATION: OnceLock<String> = OnceLock::new();

/// The file that was read, as a person reads its name.
static FOUND: OnceLock<String> = OnceLock::new();

/// Commands about a component or a project, which no configuration concerns.
const WITHOUT: [&str; 5] = ["new", "inspect", "pack", "test", "bench"];

/// Remembers the configuration that was named on the command line.
pub fn start(configuration: Option<&Path>) {
    if let Some(path) = configuration {
        // It is set once, before anything is told.
        drop(CONFIGURATION.set(word(&path.display().to_string())));
    }
}

/// Remembers which configuration was read, named or found.
pub fn found(path: &Path) {
    // Only the first is the job's own.
    drop(FOUND.set(path.display().to_string()));
}

/// A text with each `` `copal …` `` in it as it has to be given here, and with the configuration that is
/// meant where it speaks of `copal.toml`.
pub fn here(text: &str) -> String {
    of(&about_here(text), CONFIGURATION.get().map(String::as_str))
}

/// The second half of that alone.
pub fn about_here(text: &str) -> String {
    match FOUND.get().or_else(|| CONFIGURATION.get()) {
        Some(file) => about(text, file),
        None => text.to_owned(),
    }
}

/// `copal.toml` as a word of its own, and no part of a path, is the file.
fn about(text: &str, file: &str) -> String {
    const USUAL: &str = "copal.toml";
    let goes_on = |c: char| c.is_alphanumeric() || "/_-~".contains(c);
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(USUAL) {
        let (before, behind) = (&rest[..at], &rest[at + USUAL.len()..]);
        told.push_str(before);
        let is_part = told.ends_with(|c| goes_on(c) || c == '.') || behind.starts_with(goes_on);
        told.push_str(if is_part { USUAL } else { file });
        rest = behind;
    }
    told.push_str(rest);
    told
}

/// A command as it has to be given here: `hook list` becomes `copal -c FILE hook list`.
pub fn command(arguments: &str) -> String {
    one(arguments, CONFIGURATION.get().map(String::as_str))
}

/// An entry as `copal hook grant` takes it, quoted for a shell.
pub fn argument((capability, entry): &(Capability, String)) -> String {
    word(&format!("{capability}={entry}"))
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
pub fn word(word: &str) -> String {
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
    fn the_file_that_is_meant_is_named_and_no_path_is_changed() {
        assert_eq!(
            about("mend `copal.toml`, and copal.toml.", "/srv/a.toml"),
            "mend `/srv/a.toml`, and /srv/a.toml."
        );
        for text in ["/etc/copal/copal.toml", "my-copal.toml", "copal.toml-old"] {
            assert_eq!(about(text, "a.toml"), text);
        }
    }

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        assert_eq!(word("/etc/copal/copal.toml"), "/etc/copal/copal.toml");
        assert_eq!(word("my job's.toml"), r"'my job'\''s.toml'");
        assert_eq!(word("$HOME"), "'$HOME'");
        assert_eq!(word(""), "''");
        let entry = (Capability::Http, "POST https://ntfy.sh".to_owned());
        assert_eq!(argument(&entry), "'http=POST https://ntfy.sh'");
    }
}
