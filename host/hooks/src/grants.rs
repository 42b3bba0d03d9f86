//! What the owner of copal.toml allows a hook to touch.

use std::fmt;

use copal_core::path::{InvalidPath, RelPath};

use crate::Capability;

/// A hook's grants. Empty by default: then it can log and decide, nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// Databases it may have copied.
    pub sqlite: Vec<Pattern>,
    /// Directories it may have archived.
    pub archive: Vec<Pattern>,
}

/// What one entry of a grant covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// Everything of its kind in the source.
    All,
    /// One database or directory.
    Exactly(RelPath),
}

impl std::str::FromStr for Pattern {
    type Err = InvalidPath;

    /// `*` is all; anything else is a name, percent-encoded where it is not UTF-8.
    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        if text == "*" {
            return Ok(Self::All);
        }
        text.strip_suffix('/')
            .unwrap_or(text)
            .parse()
            .map(Self::Exactly)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.pad("*"),
            Self::Exactly(path) => path.fmt(f),
        }
    }
}

impl Grants {
    /// What is granted of a capability.
    pub fn of(&self, capability: Capability) -> &[Pattern] {
        match capability {
            Capability::Sqlite => &self.sqlite,
            Capability::Archive => &self.archive,
            _ => &[],
        }
    }

    /// Whether `name` is granted.
    pub fn cover(&self, capability: Capability, name: &RelPath) -> bool {
        self.of(capability).iter().any(|pattern| match pattern {
            Pattern::All => true,
            Pattern::Exactly(granted) => granted == name,
        })
    }

    /// The whole line of copal.toml that grants `more` besides what is granted.
    pub(crate) fn line_with(&self, capability: Capability, more: &Pattern) -> String {
        let tables = [Capability::Archive, Capability::Sqlite].map(|one| {
            let mut patterns: Vec<_> = self.of(one).iter().collect();
            if one == capability {
                patterns.push(more);
            }
            (one, patterns)
        });
        let entries: Vec<_> = tables
            .iter()
            .filter(|(_, patterns)| !patterns.is_empty())
            .map(|(one, patterns)| format!("{one} = [{}]", quoted(patterns)))
            .collect();
        format!("grants = {{ {} }}", entries.join(", "))
    }
}

/// Names as TOML strings. They hold no control characters, so that two escapes are all it takes.
fn quoted(patterns: &[&Pattern]) -> String {
    let quoted: Vec<_> = patterns
        .iter()
        .map(|pattern| pattern.to_string().replace('\\', "\\\\"))
        .map(|text| format!("\"{}\"", text.replace('"', "\\\"")))
        .collect();
    quoted.join(", ")
}

/// A hook asked for something that it was not granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("hook `{hook}` may not use `{capability}` on `{value}`: it is not granted")]
pub struct Denial {
    /// The hook's name.
    pub hook: String,
    /// The capability it asked for.
    pub capability: Capability,
    /// What it asked it for: a name, or `*`.
    pub value: String,
    /// The line that grants it, to stand in the hook's table of copal.toml in place of its
    /// `grants`, if there are any.
    pub remedy: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(sqlite: &[&str], archive: &[&str]) -> Grants {
        let parse = |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
        Grants {
            sqlite: parse(sqlite),
            archive: parse(archive),
        }
    }

    fn path(text: &str) -> RelPath {
        text.parse().unwrap()
    }

    #[test]
    fn a_star_covers_all_of_its_own_capability_alone() {
        let grants = grants(&["*"], &[]);
        assert!(grants.cover(Capability::Sqlite, &path("a/b.db")));
        assert!(!grants.cover(Capability::Archive, &path("a")));
    }

    #[test]
    fn a_name_covers_itself_and_nothing_in_it() {
        let grants = grants(&[], &["vector_db/"]);
        assert!(grants.cover(Capability::Archive, &path("vector_db")));
        assert!(!grants.cover(Capability::Archive, &path("vector_db/x")));
    }

    #[test]
    fn a_grant_that_leads_out_of_the_source_is_refused() {
        assert!("../other.db".parse::<Pattern>().is_err());
        assert!("/etc/passwd".parse::<Pattern>().is_err());
    }

    #[test]
    fn the_line_to_add_keeps_what_is_granted_already_and_quotes_names() {
        let grants = grants(&["webui.db"], &["a\"b\\c"]);
        let line = grants.line_with(Capability::Sqlite, &"x.db".parse().unwrap());
        assert_eq!(
            line,
            r#"grants = { archive = ["a\"b\\c"], sqlite = ["webui.db", "x.db"] }"#
        );
    }
}
