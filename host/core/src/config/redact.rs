//! Where a configuration file holds what nobody should see on a terminal or in a log.
//!
//! Secrets don't belong into the file. Where one stands in it all the same, it is in a connection
//! string's parameters, under a key whose name says so, or in an option of rclone's.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::remote;

/// Parts of names that speak of secrets.
const TELLTALES: [&str; 8] = [
    "auth",
    "credential",
    "header",
    "key",
    "pass",
    "proxy",
    "secret",
    "token",
];

/// Whether a key of this name tends to hold a secret.
pub(super) fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TELLTALES.iter().any(|telltale| name.contains(telltale))
}

/// Whether a text given to rclone is shown. Its options hold headers and commands too, under
/// names that may be misspelt; sizes, times and rates begin with a digit.
pub(super) fn is_harmless_option(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// The secrets of a well-formed file, as byte ranges of its text.
pub(super) fn secrets(text: &str, table: &DeTable<'_>) -> Vec<Range<usize>> {
    let mut finder = Finder {
        text,
        found: Vec::new(),
    };
    finder.table(table, Trust::Top);
    finder.found
}

/// The secrets of a file that is no TOML, whose tree may lack just what is broken.
///
/// A line that looks like a connection string, or speaks of secrets, is shown up to its first `=`
/// only, and what follows it up to the next key is not shown at all.
pub(super) fn suspects(text: &str) -> Vec<Range<usize>> {
    static BEGINS_ANEW: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"^(\[|[ \t]*[\w"'.-]+[ \t]*=)"#).expect("a valid pattern"));
    let mut suspects = Vec::new();
    let mut is_continued = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.trim_end().len();
        let begins_anew = BEGINS_ANEW.is_match(line);
        let is_suspect = looks_secret(line);
        is_continued = !begins_anew && is_continued;
        if is_continued {
            suspects.push(start..end);
        } else if is_suspect {
            let value = match line.find('=') {
                Some(equals) => {
                    let value = &line[equals + 1..];
                    start + line.len() - value.trim_start().len()
                }
                None if line.starts_with('[') => end,
                None => start,
            };
            suspects.push(value.min(end)..end);
        }
        is_continued |= is_suspect;
        start += line.len();
    }
    suspects
}

fn looks_secret(line: &str) -> bool {
    names_a_secret(line)
        || line.trim_start().starts_with("env")
        || [':', ',', '='].into_iter().all(|c| line.contains(c))
}

/// What the keys above a value say of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trust {
    Top,
    Open,
    RcloneOption,
    Secret,
    /// `[secret]`, whose keys are names.
    SecretNames,
    /// `[secret.NAME]`, which says where a secret is.
    SecretOrigin,
    /// A hook's `grants`.
    Grants,
    /// Nothing but names: of secrets, variables, files.
    Names,
}

impl Trust {
    /// What it says of the value of `key` below.
    fn below(self, key: &str) -> Self {
        match (self, key) {
            (Self::Secret | Self::Names, _) => self,
            (Self::Top, "secret") => Self::SecretNames,
            (Self::Top, "rclone") => Self::RcloneOption,
            (Self::SecretNames, _) => Self::SecretOrigin,
            (Self::SecretOrigin, "env" | "file" | "command")
            | (Self::Grants, "secrets" | "reveal")
            | (_, "secret_env") => Self::Names,
            // A command's variables may have any name, and hold what the command needs to know.
            (Self::SecretOrigin, _) | (_, "env") => Self::Secret,
            (_, key) if names_a_secret(key) => Self::Secret,
            (Self::Open, "grants") => Self::Grants,
            (Self::Top, _) => Self::Open,
            _ => self,
        }
    }

    /// Whether a value right below it is shown.
    fn hides(self, text: &str) -> bool {
        match self {
            Self::Top | Self::Open | Self::Grants | Self::Names => false,
            Self::RcloneOption => !is_harmless_option(text),
            Self::Secret | Self::SecretNames | Self::SecretOrigin => true,
        }
    }
}

struct Finder<'a> {
    text: &'a str,
    found: Vec<Range<usize>>,
}

impl Finder<'_> {
    fn table(&mut self, table: &DeTable<'_>, trust: Trust) {
        for (key, value) in table {
            self.string(key.get_ref(), &key.span(), Trust::Open);
            self.value(value, trust.below(key.get_ref()));
        }
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, trust: Trust) {
        match value.get_ref() {
            DeValue::Table(table) => self.table(table, trust),
            DeValue::Array(members) => members.iter().for_each(|v| self.value(v, trust)),
            DeValue::String(text) => self.string(text, &value.span(), trust),
            DeValue::Boolean(_) => {}
            _ if trust == Trust::Secret => self.found.push(value.span()),
            _ => {}
        }
    }

    fn string(&mut self, text: &str, span: &Range<usize>, trust: Trust) {
        let Some(inside) = self.inside_quotes(span) else {
            return;
        };
        let is_secret = trust.hides(text);
        let secrets = remote::secrets(text);
        let is_verbatim = self.text[inside.clone()] == *text;
        if is_secret || (!secrets.is_empty() && !is_verbatim) {
            self.found.push(inside);
        } else {
            let at = |secret: Range<usize>| inside.start + secret.start..inside.start + secret.end;
            self.found.extend(secrets.into_iter().map(at));
        }
    }

    fn inside_quotes(&self, span: &Range<usize>) -> Option<Range<usize>> {
        let raw = self.text.get(span.clone())?;
        let quote = ["\"\"\"", "'''", "\"", "'"]
            .into_iter()
            .find(|quote| {
                raw.len() >= 2 * quote.len() && raw.starts_with(quote) && raw.ends_with(quote)
            })
            .unwrap_or_default();
        Some(span.start + quote.len()..span.end - quote.len())
    }
}
