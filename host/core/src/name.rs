//! Names that become directories, file names and words in logs.

use std::fmt;
use std::str::FromStr;

/// The name of a job or a hook: letters (A–Z, a–z), digits, `.`, `_` and `-`.
///
/// A job's name is a directory on every remote and part of its lock's file name, so it is never
/// empty, `.` or `..`, does not begin with `-`, and has at most 200 characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(String);

/// A text that can't be a [`Name`], and why.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidName {
    /// No character at all.
    #[error("the name is empty")]
    Empty,
    /// `.` or `..`.
    #[error("`.` and `..` mean directories of their own")]
    Dots,
    /// More than 200 characters.
    #[error("the name has {0} characters; at most 200 are allowed")]
    TooLong(usize),
    /// A dash at its beginning.
    #[error("it begins with `-`, and programs would take it for an option")]
    Dash,
    /// A character outside the allowed ones.
    #[error("{0:?} is not allowed in it; letters (A–Z, a–z), digits, `.`, `_` and `-` are")]
    Character(char),
}

impl Name {
    const LONGEST: usize = 200;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if let Some(c) = text.chars().find(|&c| !is_allowed(c)) {
            return Err(InvalidName::Character(c));
        }
        match text {
            "" => Err(InvalidName::Empty),
            "." | ".." => Err(InvalidName::Dots),
            _ if text.starts_with('-') => Err(InvalidName::Dash),
            _ if text.len() > Self::LONGEST => Err(InvalidName::TooLong(text.len())),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({:?})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_taken_as_they_are() {
        for name in ["open-webui", "a", "1", ".hidden", "A_b.c-9", "..."] {
            assert_eq!(name.parse::<Name>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn a_name_that_could_leave_its_directory_or_confuse_a_tool_is_refused() {
        for name in [
            "",
            ".",
            "..",
            "a/b",
            "a b",
            "a:b",
            "é",
            "a\n",
            "-x",
            "--help",
            &"x".repeat(201),
        ] {
            assert!(name.parse::<Name>().is_err(), "{name:?}");
        }
    }
}
