//! Arguments with places in them that a hook fills in.

use std::fmt;

/// One argument of a command: text, and placeholders as `{database}`.
///
/// A placeholder is a name of letters, digits, `_` and `-` in braces. Any other brace is text, as in
/// `{}` and `{"a": 1}`, and so is all between doubled braces, as in `{{.Names}}`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Text(String),
    Placeholder(String),
}

impl Template {
    /// Reads an argument as it is written in copal.toml.
    pub(super) fn read(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let (before, braced) = rest.split_at(at);
            literal.push_str(before);
            if let Some(name) = placeholder(braced) {
                if !literal.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut literal)));
                }
                parts.push(Part::Placeholder(name.to_owned()));
                rest = &braced[name.len() + 2..];
            } else {
                let (verbatim, after) = braced.split_at(verbatim(braced));
                literal.push_str(verbatim);
                rest = after;
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Self { parts }
    }

    /// The names of its placeholders, as often as they stand in it.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Placeholder(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The placeholder that it begins with, if it does.
    pub(super) fn first_placeholder(&self) -> Option<&str> {
        match self.parts.first() {
            Some(Part::Placeholder(name)) => Some(name),
            _ => None,
        }
    }

    /// The argument with each placeholder in it replaced by what `value` says.
    pub(super) fn fill<'a>(&self, value: impl Fn(&str) -> &'a str) -> String {
        let text = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Placeholder(name) => value(name).to_owned(),
        };
        self.parts.iter().map(text).collect()
    }
}

/// The name, where `text` begins with a placeholder.
fn placeholder(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix('{')?.split_once('}')?;
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    (!name.is_empty() && name.bytes().all(is_allowed)).then_some(name)
}

/// How much of `text`, which begins with a brace, is taken as it is.
fn verbatim(text: &str) -> usize {
    let doubled = text.starts_with("{{").then(|| text.find("}}")).flatten();
    doubled.map_or(1, |end| end + 2)
}

/// The text that it was read from.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Placeholder(name) => write!(f, "{{{name}}}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn placeholders(text: &str) -> Vec<String> {
        let template = Template::read(text);
        template.placeholders().map(str::to_owned).collect()
    }

    #[test]
    fn a_placeholder_is_a_name_in_braces() {
        assert_eq!(placeholders("--x={a}-{b_2}{C-3}"), ["a", "b_2", "C-3"]);
        let filled = Template::read("-{a}{b}-").fill(|name| if name == "a" { "{b}" } else { "" });
        assert_eq!(filled, "-{b}-", "a value is never looked into");
    }

    #[test]
    fn other_braces_are_text() {
        for text in [
            "{",
            "}",
            "{}",
            "{a",
            "a}",
            "{a b}",
            "{\"a\":1}",
            "{print $1}",
            "{{.Names}}",
            "{{end}}",
            "{{{a}}}",
            "{é}",
        ] {
            assert!(placeholders(text).is_empty(), "{text}");
        }
        assert_eq!(placeholders("{{a}}{b}{ {c}"), ["b", "c"]);
    }

    proptest! {
        #[test]
        fn a_template_shows_what_it_was_read_from(text in "[{}ab é-]{0,12}") {
            prop_assert_eq!(Template::read(&text).to_string(), text);
        }
    }
}
