//! Regular expressions of Go, in the words of Rust's.
//!
//! The two engines come from the same house (RE2), but their syntaxes differ where it hurts: `\w`
//! is ASCII in Go, `[a[b]]` and `[a&&b]` have another meaning, `\<` is a plain character. This
//! reads Go's syntax (the `syntax.Perl` flags of `regexp.Compile`) and writes every element in a form
//! that Rust reads alike. What can't be written so is refused, never guessed.

use super::go_escape::{Escape, Input, escape, unsupported};

/// Why an expression was not taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RegexError {
    /// Go would not take it either, or Rust has no form of it.
    #[error("`{0}` is not supported in a regular expression")]
    Unsupported(String),
    /// Two repetitions in a row, such as `a**`.
    #[error("a repetition is repeated")]
    NestedRepeat,
    /// A class without its `]`, or a range whose end comes before its start.
    #[error("a character class is malformed")]
    Class,
    /// What the regular expression engine says.
    #[error("the regular expression is malformed: {0}")]
    Malformed(String),
}

/// The same expression in Rust's syntax.
pub(super) fn to_rust(go: &str) -> Result<String, RegexError> {
    let mut translation = Translation {
        input: go.chars().peekable(),
        output: String::new(),
        after_repeat: false,
    };
    while let Some(c) = translation.input.next() {
        translation.read(c)?;
    }
    Ok(translation.output)
}

struct Translation<'a> {
    input: Input<'a>,
    output: String,
    after_repeat: bool,
}

impl Translation<'_> {
    fn read(&mut self, c: char) -> Result<(), RegexError> {
        let after_repeat = std::mem::take(&mut self.after_repeat);
        match c {
            '*' | '+' | '?' => {
                let repeat = c.to_string();
                return self.repeat(&repeat, after_repeat);
            }
            '{' => {
                if let Some(repeat) = self.counted_repeat() {
                    return self.repeat(&repeat, after_repeat);
                }
                self.literal('{');
            }
            '\\' => self.escape_outside_class()?,
            '[' => self.class()?,
            '(' => self.group()?,
            ')' | '|' | '^' | '$' | '.' => self.output.push(c),
            _ => self.literal(c),
        }
        Ok(())
    }

    fn literal(&mut self, c: char) {
        let mut utf8 = [0; 4];
        self.output
            .push_str(&regex::escape(c.encode_utf8(&mut utf8)));
    }

    fn repeat(&mut self, repeat: &str, after_repeat: bool) -> Result<(), RegexError> {
        self.output.push_str(repeat);
        if self.input.next_if_eq(&'?').is_some() {
            self.output.push('?');
        }
        if after_repeat {
            return Err(RegexError::NestedRepeat);
        }
        self.after_repeat = true;
        Ok(())
    }

    /// The rest of `{n}`, `{n,}` or `{n,m}`; nothing is taken where it is none, for then the brace
    /// is a plain character.
    fn counted_repeat(&mut self) -> Option<String> {
        let is_number = |text: &str| {
            let is_plain = text.len() == 1 || !text.starts_with('0');
            !text.is_empty() && is_plain && text.bytes().all(|b| b.is_ascii_digit())
        };
        let inside: String = self.input.clone().take_while(|&c| c != '}').collect();
        let is_closed = self.input.clone().nth(inside.chars().count()) == Some('}');
        let is_repeat = match inside.split_once(',') {
            None => is_number(&inside),
            Some((least, most)) => is_number(least) && (most.is_empty() || is_number(most)),
        };
        if !is_closed || !is_repeat {
            return None;
        }
        self.input.nth(inside.chars().count());
        Some(format!("{{{inside}}}"))
    }

    fn group(&mut self) -> Result<(), RegexError> {
        if self.input.next_if_eq(&'?').is_none() {
            self.output.push_str("(?:");
            return Ok(());
        }
        let mut head = String::new();
        let end = loop {
            match self.input.next() {
                Some(c @ (')' | ':' | '>')) => break c,
                Some(c) => head.push(c),
                None => return Err(unsupported(&format!("(?{head}"))),
            }
        };
        let is_flags = head.chars().all(|c| "imsU-".contains(c));
        let name = head.strip_prefix("P<").or_else(|| head.strip_prefix('<'));
        let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        match (end, name) {
            (')', _) if is_flags => self.output.extend(["(?", &head, ")"]),
            (':', _) if is_flags => self.output.extend(["(?", &head, ":"]),
            ('>', Some(name)) if is_name(name) => self.output.extend(["(?P<", name, ">"]),
            _ => return Err(unsupported(&format!("(?{head}{end}"))),
        }
        Ok(())
    }

    fn escape_outside_class(&mut self) -> Result<(), RegexError> {
        match self.input.peek() {
            Some('A' | 'z') => {
                self.output.push('\\');
                self.output.extend(self.input.next());
            }
            Some('b') => {
                self.input.next();
                self.output.push_str(r"(?-u:\b)");
            }
            Some('Q') => {
                self.input.next();
                self.quoted();
            }
            _ => match escape(&mut self.input)? {
                Escape::Literal(c) => self.literal(c),
                Escape::Class(class) => self.output.push_str(&class),
            },
        }
        Ok(())
    }

    /// `\Q…\E`: everything up to `\E`, or to the end, is literal.
    fn quoted(&mut self) {
        while let Some(c) = self.input.next() {
            if c == '\\' && self.input.next_if_eq(&'E').is_some() {
                return;
            }
            self.literal(c);
        }
    }

    fn class(&mut self) -> Result<(), RegexError> {
        self.output.push('[');
        if self.input.next_if_eq(&'^').is_some() {
            self.output.push('^');
        }
        let mut is_first = true;
        loop {
            let c = self.input.next().ok_or(RegexError::Class)?;
            match c {
                ']' if !is_first => break,
                '[' if self.named_class()? => {}
                _ => self.class_member(c)?,
            }
            is_first = false;
        }
        self.output.push(']');
        Ok(())
    }

    /// `[:alpha:]`, whose `[` was taken; `false` where the bracket is a plain character.
    fn named_class(&mut self) -> Result<bool, RegexError> {
        let mut rest = self.input.clone();
        if rest.next() != Some(':') {
            return Ok(false);
        }
        let rest: String = rest.collect();
        let Some((name, _)) = rest.split_once(":]") else {
            return Ok(false);
        };
        if !name.bytes().all(|b| b.is_ascii_lowercase() || b == b'^') {
            return Err(unsupported(&format!("[:{name}:]")));
        }
        self.output.extend(["[:", name, ":]"]);
        self.input.nth(name.len() + 2);
        Ok(true)
    }

    /// A character, a range, or an escaped class.
    fn class_member(&mut self, c: char) -> Result<(), RegexError> {
        let low = match self.class_character(c)? {
            Escape::Literal(low) => low,
            Escape::Class(class) => {
                self.output.push_str(&class);
                return Ok(());
            }
        };
        let mut rest = self.input.clone();
        let is_range = rest.next() == Some('-') && rest.peek().is_some_and(|&c| c != ']');
        let mut high = low;
        if is_range {
            self.input.next();
            let c = self.input.next().ok_or(RegexError::Class)?;
            match self.class_character(c)? {
                Escape::Literal(c) if c >= low => high = c,
                _ => return Err(RegexError::Class),
            }
        }
        let range = format!("\\x{{{:X}}}-\\x{{{:X}}}", u32::from(low), u32::from(high));
        self.output.push_str(&range);
        Ok(())
    }

    fn class_character(&mut self, c: char) -> Result<Escape, RegexError> {
        match c {
            '\\' => escape(&mut self.input),
            _ => Ok(Escape::Literal(c)),
        }
    }
}

#[cfg(test)]
#[path = "go_regex_tests.rs"]
mod tests;
