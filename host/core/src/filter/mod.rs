//! rclone's filter rules, read and applied as rclone 1.76 does.
//!
//! One rule a line, as in a file for `--filter-from`: `- GLOB` leaves out, `+ GLOB` keeps, `!`
//! forgets all rules before it, `#` and `;` begin comments. The first rule that matches decides;
//! what none matches is kept. Globs may hold `{{regular expressions}}`.
//!
//! # What matches what
//! A rule that begins with `/` is rooted at the source's top, any other matches at every depth. A
//! rule that ends with `/` speaks of directories; `- dir/` means `- dir/**`.
//!
//! # Directories
//! As in rclone, directories have rules of their own, derived from those for files: a directory in
//! which no file could be kept is not walked. This decides too: what lies in a directory that is
//! skipped is never asked about, even if a rule for files would keep it. So before `- *`, the rule
//! `+ a/*` looks into `a` at the top alone, although it would match `x/a/b`.
//!
//! # Bytes that are not UTF-8
//! Rules are text, paths are bytes. As in Go, each byte that is not part of valid UTF-8 counts as
//! one U+FFFD: `?` and `*` match it.

mod glob;
mod go_escape;
mod go_regex;

use std::borrow::Cow;

use regex::{RegexBuilder, RegexSet};

use crate::path::RelPath;

pub use glob::GlobError;
pub use go_regex::RegexError;

/// What becomes of a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Verdict {
    /// It is taken; a directory is walked.
    Keep,
    /// It is left out.
    Skip,
    /// A directory that is left out with everything in it, and not walked.
    SkipSubtree,
}

/// Filter rules, ready to be applied. Without any rule everything is kept.
#[derive(Clone, Debug, Default)]
pub struct FilterRules {
    files: Ordered,
    directories: Ordered,
}

/// A rule that can't be applied.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("filter rule {line}, `{}`: {reason}", .rule.escape_debug())]
pub struct RuleError {
    /// Which of the lines it is, counted from 1.
    pub line: usize,
    /// The rule, without white space around it.
    pub rule: String,
    /// What is wrong with it.
    pub reason: RuleFault,
}

/// What can be wrong with a rule.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RuleFault {
    /// It is neither `+ GLOB` nor `- GLOB` nor `!`.
    #[error("a rule is `+ GLOB`, `- GLOB` or `!`")]
    Form,
    /// The glob is malformed.
    #[error(transparent)]
    Glob(#[from] GlobError),
    /// Too much would be made of it and those before it.
    #[error(
        "up to here the rules come to more than {} bytes of patterns",
        MOST_PATTERNS
    )]
    TooMuch,
    /// The regular expression in it, or made of it, is malformed or not supported.
    #[error(transparent)]
    Regex(#[from] RegexError),
}

impl FilterRules {
    /// Reads rules, one a line.
    pub fn parse<I>(lines: I) -> Result<Self, RuleError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let mut draft = Draft::default();
        let mut last = (0, String::new());
        for (index, line) in lines.into_iter().enumerate() {
            let rule = line.as_ref().trim();
            if rule.is_empty() || rule.starts_with(['#', ';']) {
                continue;
            }
            let error = |reason| RuleError {
                line: index + 1,
                rule: rule.to_owned(),
                reason,
            };
            draft.add_rule(rule).map_err(error)?;
            last = (index + 1, rule.to_owned());
        }
        draft.finish().map_err(|reason| RuleError {
            line: last.0,
            rule: last.1,
            reason: reason.into(),
        })
    }

    /// Decides about one path, whose parents were all kept.
    pub fn verdict(&self, path: &RelPath, is_dir: bool) -> Verdict {
        self.verdict_of_bytes(path.as_bytes(), is_dir)
    }

    /// As [`verdict`](Self::verdict), for a path's bytes, without a slash at its end.
    pub fn verdict_of_bytes(&self, path: &[u8], is_dir: bool) -> Verdict {
        if !is_dir {
            return if self.files.keeps(&as_go_reads(path)) {
                Verdict::Keep
            } else {
                Verdict::Skip
            };
        }
        if self.directories.is_empty() || self.directories.keeps(&(as_go_reads(path) + "/")) {
            Verdict::Keep
        } else {
            Verdict::SkipSubtree
        }
    }

    /// Whether there is no rule at all.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.directories.is_empty()
    }
}

/// The text as which Go's regular expressions read a path.
fn as_go_reads(path: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(path) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(path.len() + 2);
    for chunk in path.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Cow::Owned(text)
}

/// Patterns of which the first that matches decides.
#[derive(Clone, Debug, Default)]
struct Ordered {
    patterns: RegexSet,
    /// Whether what the pattern of the same index matches is kept.
    keeps: Vec<bool>,
}

impl Ordered {
    fn new(rules: &[(bool, String)]) -> Result<Self, RegexError> {
        let patterns = RegexSet::new(rules.iter().map(|(_, pattern)| pattern));
        Ok(Self {
            patterns: patterns.map_err(|e| RegexError::Malformed(e.to_string()))?,
            keeps: rules.iter().map(|(keeps, _)| *keeps).collect(),
        })
    }

    fn keeps(&self, path: &str) -> bool {
        let first = self.patterns.matches(path).into_iter().next();
        first.is_none_or(|index| self.keeps[index])
    }

    fn is_empty(&self) -> bool {
        self.keeps.is_empty()
    }
}

/// Rules while they are read: what they keep, and their pattern.
#[derive(Default)]
struct Draft {
    files: Vec<(bool, String)>,
    directories: Vec<(bool, String)>,
    /// What all patterns made so far come to in bytes, those forgotten since included.
    bytes: usize,
}

impl Draft {
    fn add_rule(&mut self, rule: &str) -> Result<(), RuleFault> {
        if rule == "!" {
            self.files.clear();
            self.directories.clear();
            Ok(())
        } else if let Some(glob) = rule.strip_prefix("- ") {
            self.add(false, glob)
        } else if let Some(glob) = rule.strip_prefix("+ ") {
            self.add(true, glob)
        } else {
            Err(RuleFault::Form)
        }
    }

    /// After rclone's `Filter.Add`.
    fn add(&mut self, keeps: bool, glob: &str) -> Result<(), RuleFault> {
        let is_directory = glob.ends_with('/');
        let glob = if is_directory && !keeps {
            Cow::Owned(format!("{glob}**"))
        } else {
            Cow::Borrowed(glob)
        };
        let has_both = glob.contains("**");
        let pattern = self.pattern(&glob)?;
        if has_both || !is_directory {
            self.files.push((keeps, pattern.clone()));
            // Other rules that leave files out rule no directory out.
            if keeps || glob == "*" {
                self.add_directories(keeps, &glob)?;
            }
        }
        if has_both || is_directory {
            self.directories.push((keeps, pattern));
        }
        Ok(())
    }

    fn add_directories(&mut self, keeps: bool, glob: &str) -> Result<(), RuleFault> {
        for directory in glob::directories(glob) {
            // The top is always walked.
            if directory != "/" {
                let pattern = self.pattern(&directory)?;
                self.directories.push((keeps, pattern));
            }
        }
        Ok(())
    }

    /// A glob's pattern, known to be sound by itself.
    fn pattern(&mut self, glob: &str) -> Result<String, RuleFault> {
        let pattern = go_regex::to_rust(&glob::to_go_regex(glob)?)?;
        self.bytes += pattern.len();
        if self.bytes > MOST_PATTERNS {
            return Err(RuleFault::TooMuch);
        }
        match RegexBuilder::new(&pattern).size_limit(LARGEST).build() {
            Ok(_) => Ok(pattern),
            Err(e) => Err(RegexError::Malformed(e.to_string()).into()),
        }
    }

    fn finish(self) -> Result<FilterRules, RegexError> {
        Ok(FilterRules {
            files: Ordered::new(&self.files)?,
            directories: Ordered::new(&self.directories)?,
        })
    }
}

/// The most that one compiled pattern may come to, in bytes: who writes rules may be a hook, and
/// compiling a larger one takes the host a while.
const LARGEST: usize = 1024 * 1024;

/// The most that all patterns may come to: of a rule that keeps what lies deep there is one for each
/// directory above it.
const MOST_PATTERNS: usize = 256 * 1024;

#[cfg(test)]
mod tests;
