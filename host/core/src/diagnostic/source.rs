//! A file's text as it may be shown: secrets are gone before anybody can print it.

use std::fmt;
use std::ops::Range;

/// What stands for a secret wherever one is shown.
pub(crate) const MASK: &str = "***";

/// The text of a file that diagnostics point into, and its name.
///
/// Secrets are cut out when it is made and nothing else of the original is kept, so neither a
/// snippet nor `Debug` can show them.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceText {
    file_name: String,
    text: String,
    /// Where the original had a secret, in the original's bytes; sorted, apart from each other.
    masked: Vec<Range<usize>>,
}

impl SourceText {
    /// Takes `text` over, each of the `secrets` (byte ranges, in any order, on character
    /// boundaries) replaced by `***`.
    pub fn new(file_name: &str, text: &str, secrets: Vec<Range<usize>>) -> Self {
        let masked = merged(secrets);
        let mut shown = String::with_capacity(text.len());
        let mut copied = 0;
        for secret in &masked {
            shown.push_str(&text[copied..secret.start]);
            shown.push_str(MASK);
            copied = secret.end;
        }
        shown.push_str(&text[copied..]);
        Self {
            file_name: file_name.to_owned(),
            text: shown,
            masked,
        }
    }

    /// The file's name, as it was given.
    pub fn file_name(&self) -> &str {
        &self.file_name
    }

    /// The text, without its secrets.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where a stretch of the original lies in the shown text. One that begins or ends inside a
    /// secret takes in the whole mask.
    pub(super) fn shown(&self, span: Range<usize>) -> Range<usize> {
        let start = self.shift(span.start, 0);
        let end = self.shift(span.end, MASK.len());
        start..end.max(start)
    }

    fn shift(&self, offset: usize, inside: usize) -> usize {
        let mut removed = 0;
        let mut added = 0;
        for secret in &self.masked {
            if secret.end <= offset {
                removed += secret.len();
                added += MASK.len();
            } else if secret.start < offset {
                return secret.start + added - removed + inside;
            }
        }
        (offset + added - removed).min(self.text.len())
    }

    /// The part of `span` that lies on its first line.
    pub(super) fn first_line(&self, span: Range<usize>) -> Range<usize> {
        let line = self.text[span.clone()].lines().next().unwrap_or_default();
        span.start..span.start + line.len()
    }
}

impl fmt::Debug for SourceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceText({:?})", self.file_name)
    }
}

fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}
