//! Where a configuration file holds what nobody should see on a terminal or in a log.
//!
//! Secrets don't belong into the file. Where one stands in it all the same, it is in a connection
//! string's parameters, or under a key whose name says so.

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

/// The secrets of a well-formed file, as byte ranges of its text.
pub(super) fn secrets(text: &str, table: &DeTable<'_>) -> Vec<Range<usize>> {
    let mut finder = Finder {
        text,
        found: Vec::new(),
    };
    finder.table(table, false);
    finder.found
}

/// The secrets of a file that is no TOML, whose tree may lack just what is broken: what looks like
/// one is taken for one up to the end of its line.
pub(super) fn suspects(text: &str) -> Vec<Range<usize>> {
    static SUSPECT: LazyLock<Regex> = LazyLock::new(|| {
        let names = TELLTALES.join("|");
        Regex::new(&format!(
            r#"(?mi)(?:,[\w. ]+=|(?:{names})[\w-]*["']?[ \t]*=)(.*)$"#
        ))
        .expect("a valid pattern")
    });
    let values = SUSPECT.captures_iter(text).filter_map(|found| found.get(1));
    values.map(|value| value.range()).collect()
}

struct Finder<'a> {
    text: &'a str,
    found: Vec<Range<usize>>,
}

impl Finder<'_> {
    fn table(&mut self, table: &DeTable<'_>, is_secret: bool) {
        for (key, value) in table {
            self.string(key.get_ref(), &key.span(), false);
            self.value(value, is_secret || names_a_secret(key.get_ref()));
        }
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, is_secret: bool) {
        match value.get_ref() {
            DeValue::Table(table) => self.table(table, is_secret),
            DeValue::Array(members) => members.iter().for_each(|v| self.value(v, is_secret)),
            DeValue::String(text) => self.string(text, &value.span(), is_secret),
            DeValue::Boolean(_) => {}
            _ if is_secret => self.found.push(value.span()),
            _ => {}
        }
    }

    fn string(&mut self, text: &str, span: &Range<usize>, is_secret: bool) {
        let Some(inside) = self.inside_quotes(span) else {
            return;
        };
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
