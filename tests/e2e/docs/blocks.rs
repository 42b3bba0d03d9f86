//! The blocks of a page, and the commands in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use regex::Regex;

/// A page, by its path below the top of the project.
pub(super) struct Page {
    pub(super) file: String,
    pub(super) blocks: Vec<Block>,
}

/// What stands in a block of its own, and in which line that begins.
pub(super) struct Block {
    pub(super) line: usize,
    pub(super) what: What,
}

pub(super) enum What {
    /// To be run, one after the other, by one shell.
    Commands(Vec<String>),
    /// What the commands before it say.
    Output(String),
    /// A `copal.toml`, or a part of one.
    Configuration(String),
    /// A `hook-test.toml`.
    Cases(String),
    /// Code in another language, lines of a log.
    Other,
}

/// README.md and the pages of `docs/`, sorted.
pub(super) fn pages() -> Vec<String> {
    let listed = fs::read_dir(top().join("docs")).unwrap();
    let names = listed.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages = names.filter(|name| Path::new(name).extension() == Some("md".as_ref()));
    let pages = pages.map(|name| format!("docs/{name}"));
    let mut pages: Vec<_> = std::iter::once("README.md".to_owned())
        .chain(pages)
        .collect();
    pages.sort();
    pages
}

/// What the examples of hooks say of themselves.
pub(super) fn examples() -> Vec<String> {
    let listed = fs::read_dir(top().join("guest-hooks/examples")).unwrap();
    let names = listed.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages = names.map(|name| format!("guest-hooks/examples/{name}/README.md"));
    pages.filter(|page| top().join(page).is_file()).collect()
}

pub(super) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Page {
    pub(super) fn read(file: &str) -> Self {
        let text = fs::read_to_string(top().join(file)).unwrap();
        let mut blocks = Vec::new();
        let mut open = None;
        for (event, place) in Parser::new_ext(&text, Options::ENABLE_TABLES).into_offset_iter() {
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let language = match kind {
                        CodeBlockKind::Indented => "sh".to_owned(),
                        CodeBlockKind::Fenced(language) => language.into_string(),
                    };
                    let line = text[..place.start].matches('\n').count() + 1;
                    open = Some((line, language, String::new()));
                }
                Event::Text(part) => {
                    if let Some((_, _, content)) = &mut open {
                        content.push_str(&part);
                    }
                }
                Event::End(TagEnd::CodeBlock) => {
                    let (line, language, content) = open.take().unwrap();
                    let what = what(&language, content);
                    let what = what.unwrap_or_else(|| {
                        panic!("{file}:{line}: nobody knows what a block of `{language}` is")
                    });
                    blocks.push(Block { line, what });
                }
                _ => {}
            }
        }
        Self {
            file: file.to_owned(),
            blocks,
        }
    }

    /// All its commands, as they stand there but for the comments behind them.
    pub(super) fn commands(&self) -> impl Iterator<Item = &str> {
        let blocks = self.blocks.iter().filter_map(|block| match &block.what {
            What::Commands(commands) => Some(commands),
            _ => None,
        });
        blocks.flatten().map(String::as_str)
    }

    /// Its first configuration.
    pub(super) fn configuration(&self) -> &str {
        let mut all = self.blocks.iter().filter_map(|block| match &block.what {
            What::Configuration(text) => Some(text),
            _ => None,
        });
        all.next().expect("the page has a configuration")
    }
}

/// What a block is by its language; `None` where that says nothing.
fn what(language: &str, content: String) -> Option<What> {
    Some(match language {
        "sh" => What::Commands(commands(&content)),
        "crontab" => What::Commands(content.lines().map(timed).collect()),
        "text" => What::Output(content),
        "toml" if content.contains("[[case]]") => What::Cases(content),
        "toml" => What::Configuration(content),
        "c" | "js" | "json" | "log" | "python" | "rust" | "yaml" => What::Other,
        _ => return None,
    })
}

/// The command of a crontab's line.
fn timed(line: &str) -> String {
    let fields = if line.starts_with('@') { 1 } else { 5 };
    let command = (0..fields).try_fold(line, |rest, _| {
        let (_, rest) = rest.split_once(char::is_whitespace)?;
        Some(rest.trim_start())
    });
    command
        .unwrap_or_else(|| panic!("no command: {line}"))
        .to_owned()
}

/// The commands of a block, each with all lines that belong to it.
fn commands(block: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut open = String::new();
    for line in block.lines() {
        let is_nothing = line.trim().is_empty() || line.starts_with('#');
        if open.is_empty() && is_nothing {
            continue;
        }
        open.push_str(line);
        if is_whole(&open) {
            commands.push(without_comment(&open));
            open.clear();
        } else {
            open.push('\n');
        }
    }
    assert_eq!(open, "", "this command has no end");
    commands
}

fn without_comment(command: &str) -> String {
    static COMMENT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\s+# .*$").unwrap());
    COMMENT.replace(command, "").into_owned()
}

/// Whether a shell would wait for no further line.
fn is_whole(command: &str) -> bool {
    static HERE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"<<-?\s*'?(\w+)").unwrap());
    if command.ends_with('\\') {
        return false;
    }
    // A shell takes the end of all for the end of a document as well.
    if let Some(found) = HERE.captures(command)
        && !command.lines().any(|line| line == &found[1])
    {
        return false;
    }
    let read = Command::new("sh")
        .args(["-n", "-c", command])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status();
    read.unwrap().success()
}

#[test]
fn a_command_has_all_lines_that_a_shell_waits_for() {
    let block = "# first\nmake   # it\n\ncurl -u me \\\n    there\ncat > file <<'END'\none\nEND\necho 'two\nlines'\n";
    assert_eq!(
        commands(block),
        [
            "make",
            "curl -u me \\\n    there",
            "cat > file <<'END'\none\nEND",
            "echo 'two\nlines'"
        ]
    );
    assert_eq!(timed("30 3 * * *  copal report"), "copal report");
    assert_eq!(timed("@reboot copal recover"), "copal recover");
}
