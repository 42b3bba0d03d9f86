//! What the help of a command ends with: how it is used, to be copied. All that take anything of their own have some.

use std::str::SplitWhitespace;

use clap::Command;

const EXAMPLES: &[(&str, &str)] = &[
    (
        "init",
        "  copal init --remote b2:my-bucket/copal                       # of the Open WebUI that it finds
  copal init --source /opt/app --remote /mnt/backup --app other",
    ),
    (
        "check",
        "  copal check
  copal check --source /opt/open-webui --to b2:my-bucket/copal   # without a configuration",
    ),
    (
        "plan",
        "  copal plan
  copal plan --source /opt/open-webui --to b2:my-bucket/copal    # without a configuration",
    ),
    (
        "backup",
        "  copal backup
  copal backup --dry-run
  copal backup --source /opt/open-webui --to b2:my-bucket/copal  # without a configuration
  copal -c /etc/copal/app.toml backup --unattended --wait=30m    # from cron",
    ),
    (
        "snapshots",
        "  copal snapshots
  copal snapshots --from b2:my-bucket/copal   # on a machine without a configuration",
    ),
    (
        "prune",
        "  copal prune --dry-run
  copal prune",
    ),
    (
        "pin",
        "  copal pin latest --note \"before the move\"
  copal pin 2026-11-24",
    ),
    ("unpin", "  copal unpin 2026-11-24"),
    (
        "ls",
        "  copal ls latest
  copal ls 2026-11-24 uploads --from b2:my-bucket/copal",
    ),
    (
        "diff",
        "  copal diff 2026-11-24 latest
  copal diff 2026-11-24T030000Z 2026-11-25T030000Z --from b2:my-bucket/copal",
    ),
    (
        "du",
        "  copal du
  copal du 2026-11-24 2026-11-25   # and what is freed if both go",
    ),
    (
        "verify",
        "  copal verify                # the last snapshot: names, sizes, the remote's hashes
  copal verify --sample 5%    # and reads a part of it back, each time another
  copal verify 2026-11-24 --full --from b2:my-bucket/copal",
    ),
    (
        "drill",
        "  copal drill
  copal drill 2026-11-24 --in /srv/scratch",
    ),
    (
        "restore",
        "  copal restore latest --from b2:my-bucket/copal --to /opt/open-webui-restored
  copal restore 2026-11-24 --to letters --path uploads/letters
  copal restore latest --in-place    # stop the app first, unless a hook does
  copal restore --undo               # what was there before is back
  copal restore --discard            # all is well: what was there before is deleted",
    ),
    (
        "history",
        "  copal history --limit 10
  copal history show latest",
    ),
    (
        "history show",
        "  copal history show latest --name open-webui
  copal history show 6446a",
    ),
    (
        "schedule install",
        "  copal schedule install daily 03:00
  copal schedule install weekly sun 03:00 --jitter 10m
  copal schedule install \"*/20 1-5 * * 1,3\" --systemd --zone Europe/Berlin",
    ),
    (
        "hook new",
        "  copal hook new tidy --lang python   # then: cd tidy && make && copal hook test tidy.wasm",
    ),
    ("hook inspect", "  copal hook inspect tidy/tidy.wasm"),
    (
        "hook grant",
        "  copal hook grant tidy                                # its file is another: look, and agree
  copal hook grant tidy 'http=POST https://ntfy.sh' state=true",
    ),
    (
        "hook revoke",
        "  copal hook revoke tidy state=true
  copal hook revoke tidy            # all it has",
    ),
    (
        "hook pack",
        "  copal hook pack core.wasm --requests hook.toml -o tidy.wasm",
    ),
    (
        "hook test",
        "  copal hook test tidy.wasm
  copal hook test tidy.wasm --spec other.toml
  copal hook test tidy.wasm --update",
    ),
    (
        "hook bench",
        "  copal hook bench tidy.wasm --hook-config '{\"suffixes\": [\".tmp\"]}'",
    ),
    (
        "rclone",
        "  copal rclone config/listremotes
  copal rclone operations/about '{\"fs\": \"b2:\"}'",
    ),
    (
        "rcd",
        "  RCLONE_RC_USER=operator RCLONE_RC_PASS=\"$(cat rc-password)\" copal rcd -c copal.toml
  copal rcd --rc-no-auth --rc-addr unix:///run/copal.sock",
    ),
    (
        "completions",
        "  copal completions bash > /etc/bash_completion.d/copal",
    ),
    ("man", "  copal man /usr/local/share/man/man1"),
    ("licenses", "  copal licenses --full"),
];

/// The command line with the examples in its help.
pub(super) fn shown(command: Command) -> Command {
    EXAMPLES.iter().fold(command, |command, (path, lines)| {
        with(command, path.split_whitespace(), lines)
    })
}

fn with(command: Command, mut path: SplitWhitespace<'_>, lines: &str) -> Command {
    match path.next() {
        Some(name) => command.mut_subcommand(name, |command| with(command, path, lines)),
        None => command.after_help(format!("Examples:\n{lines}")),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    /// All that can be typed, each with the words that lead to it.
    fn all(command: &Command, path: &str, found: &mut Vec<(String, Command)>) {
        for command in command.get_subcommands() {
            if !command.is_hide_set() && command.get_name() != "help" {
                let path = format!("{path} {}", command.get_name());
                all(command, &path, found);
                found.push((path, command.clone()));
            }
        }
    }

    #[test]
    fn each_command_that_takes_something_has_examples_and_each_can_be_said() {
        let mut top = Cli::whole();
        top.build();
        let mut commands = Vec::new();
        all(&top, "copal", &mut commands);
        for (path, command) in commands {
            let takes = |argument: &&clap::Arg| {
                !argument.is_global_set()
                    && !["help", "version"].contains(&argument.get_id().as_str())
            };
            let Some(help) = command.get_after_help() else {
                let own = command.get_arguments().find(takes);
                assert_eq!(own, None, "`{path}` has no example");
                continue;
            };
            let help = help.to_string();
            for line in help.lines().skip(1) {
                let (_, words) = line.split_at(line.find("copal ").expect("a command"));
                let words = shlex::split(words).expect("words");
                let name = path.rsplit(' ').next().expect("a word");
                assert!(line.contains(name), "`{path}` has another's: {line}");
                // A shell takes `>` and what follows for itself.
                let words = words.into_iter().take_while(|word| word != ">");
                let parsed = Cli::try_parse_from(words);
                assert!(parsed.is_ok(), "{line}\n{}", parsed.unwrap_err());
            }
        }
    }
}
