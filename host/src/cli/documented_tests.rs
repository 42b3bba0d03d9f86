//! What the documentation says of the command line, in the midst of a sentence too, can be said.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};
use pulldown_cmark::{Event, Options, Parser};

use super::Cli;

/// All pages that speak of commands.
fn pages() -> Vec<PathBuf> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let listed = fs::read_dir(top.join("docs")).unwrap();
    let mut pages: Vec<_> = listed.map(|entry| entry.unwrap().path()).collect();
    pages.extend(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(|page| top.join(page)));
    pages
}

/// What stands between backticks in a page.
fn spans(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let events = Parser::new_ext(&text, Options::ENABLE_TABLES);
    let spans = events.filter_map(|event| match event {
        Event::Code(span) => Some(span.into_string()),
        _ => None,
    });
    spans.collect()
}

/// Says what is wrong with a command as a sentence writes it: placeholders and brackets are taken as they come.
fn amiss(top: &Command, said: &str) -> Option<String> {
    let words = shlex::split(said)?;
    let mut words = words.iter().skip(1).peekable();
    let mut command = top;
    while let Some(word) = words.next() {
        let word = word.trim_matches(['[', ']']);
        if let Some(name) = word.strip_prefix("--") {
            let name = name.split(['=', '[']).next().unwrap_or_default();
            let option = command
                .get_arguments()
                .find(|option| option.get_long() == Some(name));
            let Some(option) = option else {
                return Some(format!("{} has no --{name}", command.get_name()));
            };
            let takes = option
                .get_num_args()
                .is_some_and(|range| range.min_values() > 0);
            if takes && !word.contains('=') {
                words.next();
            }
        } else if let Some(short) = word.strip_prefix('-').and_then(|it| it.chars().next()) {
            let option = command
                .get_arguments()
                .find(|option| option.get_short() == Some(short));
            let Some(option) = option else {
                return Some(format!("{} has no -{short}", command.get_name()));
            };
            if option.get_action().takes_values() {
                words.next();
            }
        } else if let Some(next) = command.find_subcommand(word) {
            command = next;
        } else if command.has_subcommands() || command.get_positionals().next().is_none() {
            let is_none_yet = ["|", "…", "METHOD"].contains(&word);
            if !is_none_yet {
                return Some(format!("{} takes no `{word}`", command.get_name()));
            }
        }
    }
    None
}

#[test]
fn every_command_that_a_page_speaks_of_is_one_with_these_options() {
    let mut top = Cli::command();
    top.build();
    let mut seen = 0;
    for page in pages() {
        for span in spans(&page) {
            if span.starts_with("copal ") {
                assert_eq!(amiss(&top, &span), None, "{}: `{span}`", page.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 50, "the pages speak of commands: {seen}");
    for wrong in [
        "copal bakcup",
        "copal backup --foo",
        "copal status now",
        "copal -x",
        "copal ls --to x",
    ] {
        assert!(amiss(&top, wrong).is_some(), "{wrong}");
    }
}
