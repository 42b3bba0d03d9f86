//! rclone's globs as regular expressions, exactly as rclone 1.76 makes them.
//!
//! Written after `fs/filter/glob.go`, character for character: its oddities (a backslash at the
//! end escapes the anchor, a class knows no escapes) decide about files too.

use std::sync::LazyLock;

use regex::Regex;

/// Why a glob has no regular expression.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum GlobError {
    /// `***` or more.
    #[error("there are more than two stars in a row")]
    TooManyStars,
    /// `]` without `[`, or the reverse.
    #[error("`[` and `]` don't match")]
    Brackets,
    /// `[!]` or `[^]`.
    #[error("a character class is empty")]
    EmptyClass,
    /// `{` without `}`, or the reverse.
    #[error("`{{` and `}}` don't match")]
    Braces,
    /// `{{` without `}}`.
    #[error("`{{{{` has no `}}}}`")]
    OpenRegex,
}

/// The regular expression, in Go's syntax, that a path has to match.
pub(super) fn to_go_regex(glob: &str) -> Result<String, GlobError> {
    let (glob, anchor) = match glob.strip_prefix('/') {
        Some(rooted) => (rooted, "^"),
        None => (glob, "(^|/)"),
    };
    let mut translation = Translation {
        regex: anchor.to_owned(),
        ..Translation::default()
    };
    for c in glob.chars() {
        let last = translation.current.replace(c);
        translation.read(c, last)?;
    }
    translation.finish()
}

#[derive(Default)]
struct Translation {
    regex: String,
    current: Option<char>,
    stars: usize,
    braces: usize,
    brackets: usize,
    class: ClassStart,
    mode: Mode,
}

/// Where in a character class the reader is.
#[derive(Default, PartialEq, Eq, Clone, Copy)]
enum ClassStart {
    /// Just behind `[`.
    Opened,
    /// Just behind `[!` or `[^`.
    Negated,
    #[default]
    Inside,
}

/// What the next character is taken for.
#[derive(Default, PartialEq, Eq, Clone, Copy)]
enum Mode {
    #[default]
    Glob,
    /// Behind a backslash: written as it is.
    Escaped,
    /// Inside `{{…}}`: written as it is.
    Regex,
    /// Behind `}}`: more `}` still belong to the expression.
    RegexEnd,
}

impl Translation {
    fn read(&mut self, c: char, last: Option<char>) -> Result<(), GlobError> {
        match self.mode {
            Mode::Escaped => {
                self.regex.push(c);
                self.mode = Mode::Glob;
                return Ok(());
            }
            Mode::RegexEnd if c == '}' => {
                self.replace_last('}');
                self.regex.push(')');
                return Ok(());
            }
            Mode::Regex => {
                if c == '}' && last == Some('}') {
                    self.mode = Mode::RegexEnd;
                    self.replace_last(')');
                } else {
                    self.regex.push(c);
                }
                return Ok(());
            }
            Mode::RegexEnd => self.mode = Mode::Glob,
            Mode::Glob => {}
        }
        if c != '*' {
            self.write_stars()?;
        }
        if self.brackets > 0 {
            self.read_class(c)
        } else {
            self.read_glob(c, last)
        }
    }

    fn read_class(&mut self, c: char) -> Result<(), GlobError> {
        match (self.class, c) {
            (ClassStart::Opened, '!' | '^') => {
                self.class = ClassStart::Negated;
                self.regex.push_str("^/");
                return Ok(());
            }
            (ClassStart::Negated, ']') => return Err(GlobError::EmptyClass),
            (_, '[') => self.brackets += 1,
            (_, ']') => self.brackets -= 1,
            _ => {}
        }
        self.class = ClassStart::Inside;
        self.regex.push(c);
        Ok(())
    }

    fn read_glob(&mut self, c: char, last: Option<char>) -> Result<(), GlobError> {
        match c {
            '\\' => {
                self.regex.push(c);
                self.mode = Mode::Escaped;
            }
            '*' => self.stars += 1,
            '?' => self.regex.push_str("[^/]"),
            '[' => {
                self.regex.push(c);
                self.brackets += 1;
                self.class = ClassStart::Opened;
            }
            ']' => return Err(GlobError::Brackets),
            '{' if self.braces > 0 && last == Some('{') => {
                // The `(` of the first brace stays, and closes with the expression.
                self.mode = Mode::Regex;
                self.braces -= 1;
            }
            '{' => {
                self.braces += 1;
                self.regex.push('(');
            }
            '}' => {
                self.braces = self.braces.checked_sub(1).ok_or(GlobError::Braces)?;
                self.regex.push(')');
            }
            ',' if self.braces > 0 => self.regex.push('|'),
            '.' | '+' | '(' | ')' | '|' | '^' | '$' => self.regex.extend(['\\', c]),
            _ => self.regex.push(c),
        }
        Ok(())
    }

    fn write_stars(&mut self) -> Result<(), GlobError> {
        match std::mem::take(&mut self.stars) {
            0 => {}
            1 => self.regex.push_str("[^/]*"),
            2 => self.regex.push_str(".*"),
            _ => return Err(GlobError::TooManyStars),
        }
        Ok(())
    }

    fn replace_last(&mut self, c: char) {
        self.regex.pop();
        self.regex.push(c);
    }

    fn finish(mut self) -> Result<String, GlobError> {
        self.write_stars()?;
        if self.brackets > 0 {
            Err(GlobError::Brackets)
        } else if self.braces > 0 {
            Err(GlobError::Braces)
        } else if self.mode == Mode::Regex {
            Err(GlobError::OpenRegex)
        } else {
            self.regex.push('$');
            Ok(self.regex)
        }
    }
}

/// The globs of the directories in which files that match `glob` can lie.
///
/// After rclone's `globToDirGlobs`; `/**` where it can't tell, `/` for the top.
pub(super) fn directories(glob: &str) -> Vec<String> {
    static TOO_HARD: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(\{[^{}]*(\*\*|/)[^{}]*\})|\{\{|\}\}|\{[^{}]*\{").expect("a valid pattern")
    });
    static SLASHES: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("/{2,}").expect("a valid pattern"));
    let anywhere = || vec!["/**".to_owned()];
    if TOO_HARD.is_match(glob) {
        return anywhere();
    }
    let glob = SLASHES.replace_all(glob, "/");
    let mut rest: &str = &glob;
    let mut found: Vec<String> = Vec::new();
    loop {
        // Everything before a slash or `**` (which can hold slashes) is a directory.
        let (end, stars) = match (rest.rfind('/'), rest.rfind("**")) {
            (slash, Some(stars)) if slash.is_none_or(|slash| stars > slash) => (stars, "**"),
            (Some(slash), _) => (slash, ""),
            (None, _) if found.is_empty() => return anywhere(),
            (None, _) => return found,
        };
        rest = &rest[..end];
        let directory = format!("{rest}{stars}/");
        if found.last() != Some(&directory) {
            found.push(directory);
        }
    }
}

#[cfg(test)]
#[path = "glob_tests.rs"]
mod tests;
