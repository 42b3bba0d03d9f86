//! Reading entries of grants, wherever they are written.

use std::fmt;

use serde_json::Value;

use super::set::{Paths, push};
use super::{Capability, Grants, HttpPattern, InvalidPattern, Tree};
use crate::name::Name;
use crate::path::RelPath;

/// Why a text is no entry of a capability's grant, and what would be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}; {next}")]
pub struct InvalidEntry {
    /// The rule that it breaks.
    pub why: String,
    /// What to write into copal.toml.
    pub next: String,
    /// The same as an argument of `copal hook grant`.
    pub as_argument: String,
}

/// A problem of grants that are written as JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct GrantProblem {
    /// The key, or `grants` where all of it is meant.
    pub key: String,
    /// The entry; none where the problem is the key or its type.
    pub entry: Option<String>,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for GrantProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.key.escape_debug())?;
        if let Some(entry) = &self.entry {
            write!(f, " can't name `{}`", entry.escape_debug())?;
        }
        write!(f, ": {}", self.why)
    }
}

impl Grants {
    /// Adds one entry of a list, as it is written in copal.toml.
    pub fn add(&mut self, capability: Capability, entry: &str) -> Result<(), InvalidEntry> {
        let invalid = |why: &dyn fmt::Display| InvalidEntry {
            why: why.to_string(),
            next: format!("write for example `{}`", capability.example()),
            as_argument: format!("write for example `{}`", capability.argument()),
        };
        let name = || entry.parse::<Name>().map_err(|why| invalid(&why));
        match capability {
            Capability::Sqlite => add_path(&mut self.sqlite, entry, invalid)?,
            Capability::Query => add_path(&mut self.query, entry, invalid)?,
            Capability::Update => add_path(&mut self.update, entry, invalid)?,
            Capability::Archive => add_path(&mut self.archive, entry, invalid)?,
            Capability::Service => push(&mut self.service, name()?),
            Capability::Command => push(&mut self.command, name()?),
            Capability::Secrets => push(&mut self.secrets, name()?),
            Capability::Reveal => push(&mut self.reveal, name()?),
            Capability::Http => {
                let pattern: Result<HttpPattern, InvalidPattern> = entry.parse();
                push(&mut self.http, pattern.map_err(|why| invalid(&why))?);
            }
            Capability::Files => {
                let tree: Result<Tree, ()> = entry.parse();
                let why = "there are `source` and `staging`";
                push(&mut self.files, tree.map_err(|()| invalid(&why))?);
            }
            Capability::State => return Err(invalid(&"it is `true` or `false`, not a list")),
        }
        Ok(())
    }

    /// As [`add`](Self::add), and `true` grants the store.
    pub fn add_entry(&mut self, capability: Capability, entry: &str) -> Result<(), InvalidEntry> {
        if capability == Capability::State && entry == "true" {
            self.state = true;
            return Ok(());
        }
        self.add(capability, entry)
    }

    /// Reads grants or requests that are written as JSON: an object with the keys of `grants` in
    /// copal.toml. All problems at once.
    pub fn from_json(value: &Value) -> Result<Self, Vec<GrantProblem>> {
        let mut grants = Self::default();
        let mut problems = Vec::new();
        let Some(object) = value.as_object() else {
            return Err(vec![problem("grants", "it is not an object")]);
        };
        for (key, value) in object {
            match key.parse::<Capability>() {
                Ok(Capability::State) => match value.as_bool() {
                    Some(state) => grants.state = state,
                    None => problems.push(problem(key, "it is neither true nor false")),
                },
                Ok(capability) => problems.extend(grants.add_list(capability, value)),
                Err(unknown) => problems.push(problem(key, &unknown.to_string())),
            }
        }
        if problems.is_empty() {
            Ok(grants)
        } else {
            Err(problems)
        }
    }

    fn add_list(&mut self, capability: Capability, value: &Value) -> Vec<GrantProblem> {
        let key = capability.name();
        let Some(list) = value.as_array() else {
            return vec![problem(key, "it is not a list")];
        };
        let mut problems = Vec::new();
        for entry in list {
            match entry.as_str() {
                None => problems.push(problem(key, "an entry is not text")),
                Some(text) => {
                    let invalid = self.add(capability, text).err();
                    problems.extend(invalid.map(|invalid| GrantProblem {
                        entry: Some(text.to_owned()),
                        ..problem(key, &invalid.why)
                    }));
                }
            }
        }
        problems
    }

    /// The grants as JSON, in the shape that [`from_json`](Self::from_json) reads.
    pub fn to_json(&self) -> Value {
        let granted = Capability::ALL.into_iter().filter_map(|capability| {
            let entries = self.of(capability);
            let value = match capability {
                _ if entries.is_empty() => return None,
                Capability::State => Value::Bool(true),
                _ => Value::from(entries),
            };
            Some((capability.name().to_owned(), value))
        });
        Value::Object(granted.collect())
    }
}

fn problem(key: &str, why: &str) -> GrantProblem {
    GrantProblem {
        key: key.to_owned(),
        entry: None,
        why: why.to_owned(),
    }
}

fn add_path(
    paths: &mut Paths,
    entry: &str,
    invalid: impl Fn(&dyn fmt::Display) -> InvalidEntry,
) -> Result<(), InvalidEntry> {
    if entry == "*" {
        *paths = Paths::All;
        return Ok(());
    }
    if entry.contains('*') {
        let next = "name each one, or grant all with `\"*\"`; a star that is part of a name is written `%2A`";
        return Err(InvalidEntry {
            next: next.to_owned(),
            as_argument: next.replace("`\"*\"`", "`*`"),
            ..invalid(&"names are no patterns")
        });
    }
    let path = entry.strip_suffix('/').unwrap_or(entry).parse::<RelPath>();
    let why = "names are paths inside the source, as seen from its top";
    paths.add(path.map_err(|_| invalid(&why))?);
    Ok(())
}
