//! `[[hook]]`: which component runs, with what configuration, and what it may touch.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;

use super::{ConfigPath, Name};
use crate::diagnostic::Place;
use crate::units::ByteCount;

/// One `[[hook]]`, in the file's order.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Hook {
    /// The hook's name, unlike any other hook's: given, or the built-in's, or the file's stem.
    pub name: Name,
    /// The component.
    pub component: Component,
    /// The hook's own configuration: an object, `{}` where none is written.
    pub config: Value,
    /// What it may touch.
    pub grants: Grants,
    /// What it may use up.
    pub limits: Limits,
    /// Where the configuration names the component.
    pub place: Option<Place>,
}

/// Where a hook's component comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Component {
    /// `use = "…"`: one that is part of Copal.
    Builtin(Builtin),
    /// `file = "….wasm"`.
    File(ConfigPath),
}

/// The components that are part of Copal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum Builtin {
    /// Leaves paths out of the snapshot.
    Exclude,
    /// Copies SQLite databases while they are written to.
    SqliteBackup,
    /// Packs directories into archives.
    Archive,
    /// Writes the run's outcome to the log.
    LogOutcome,
}

impl Builtin {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Exclude,
        Self::SqliteBackup,
        Self::Archive,
        Self::LogOutcome,
    ];

    /// The name that `use` speaks of.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exclude => "exclude",
            Self::SqliteBackup => "sqlite-backup",
            Self::Archive => "archive",
            Self::LogOutcome => "log-outcome",
        }
    }
}

/// A name that no built-in component has.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no built-in component has this name")]
pub struct UnknownBuiltin;

impl FromStr for Builtin {
    type Err = UnknownBuiltin;

    fn from_str(text: &str) -> Result<Self, UnknownBuiltin> {
        let mut all = Self::ALL.into_iter();
        all.find(|b| b.name() == text).ok_or(UnknownBuiltin)
    }
}

/// What a hook may touch, by capability; nothing by default.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Grants {
    /// Databases that it may have copied, by their path in the source.
    pub sqlite: Grant,
    /// Directories that it may have archived, by their path in the source.
    pub archive: Grant,
}

/// What one capability is granted for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Grant {
    /// Everything: `"*"`.
    All,
    /// What is named, and nothing else.
    Named(BTreeSet<String>),
}

impl Grant {
    /// Whether it covers `name`.
    pub fn covers(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.contains(name),
        }
    }
}

impl Default for Grant {
    /// Nothing.
    fn default() -> Self {
        Self::Named(BTreeSet::new())
    }
}

/// What a hook may use up in one call; `None` is the default of the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Limits {
    /// Linear memory; more than nothing.
    pub memory: Option<ByteCount>,
    /// Wall time of a phase; more than nothing.
    pub wall: Option<Duration>,
}

impl Hook {
    pub(super) fn builtin(builtin: Builtin) -> Self {
        Self {
            name: builtin.name().parse().expect("the names above are sound"),
            component: Component::Builtin(builtin),
            config: Value::Object(serde_json::Map::new()),
            grants: Grants::default(),
            limits: Limits::default(),
            place: None,
        }
    }

    /// The hooks of a configuration that names none: `exclude`, and `sqlite-backup` with every
    /// database granted.
    pub(super) fn defaults() -> Vec<Self> {
        let mut copies = Self::builtin(Builtin::SqliteBackup);
        copies.grants.sqlite = Grant::All;
        vec![Self::builtin(Builtin::Exclude), copies]
    }
}

/// The hook's own configuration is shown by its keys alone: its values are the hook's affair and
/// may be secret.
impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = match &self.config {
            Value::Object(table) => table.keys().collect(),
            _ => Vec::new(),
        };
        f.debug_struct("Hook")
            .field("name", &self.name)
            .field("component", &self.component)
            .field("config", &keys)
            .field("grants", &self.grants)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
