//! Replacing what differs between two runs by what it stands for.

use std::sync::LazyLock;

use regex::Regex;

/// Replacements for outputs that are compared as a whole: times and speeds, snapshot ids, the
/// world's own paths.
#[derive(Debug, Clone, Default)]
pub struct Redactions {
    literal: Vec<(String, String)>,
}

static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"\b\d{4}-\d{2}-\d{2}T\d{6}Z\b", "[snapshot]"),
        (
            r"\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}| UTC)?",
            "[time]",
        ),
        (r"\b\d+(\.\d+)? ?([KMGT]i?)?B/s\b", "[speed]"),
        (
            r"\b(\d+ ?h ?)?(\d+ ?m(in)? ?)?\d+(\.\d+)? ?(ns|µs|ms|s)\b",
            "[duration]",
        ),
    ]
    .map(|(pattern, name)| (Regex::new(pattern).expect("a sound pattern"), name))
    .into()
});

impl Redactions {
    /// Times, durations, speeds and snapshot ids.
    pub fn new() -> Self {
        Self::default()
    }

    /// And also this text, which is replaced before the patterns are looked for.
    #[must_use]
    pub fn with(mut self, text: &str, name: &str) -> Self {
        self.literal.push((text.to_owned(), name.to_owned()));
        self
    }

    /// The text with everything replaced.
    pub fn apply(&self, text: &str) -> String {
        let text = self
            .literal
            .iter()
            .fold(text.to_owned(), |text, (what, name)| {
                text.replace(what, name)
            });
        PATTERNS.iter().fold(text, |text, (pattern, name)| {
            pattern.replace_all(&text, *name).into_owned()
        })
    }
}
