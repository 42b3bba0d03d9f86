//! `[[hook]]`: which component runs, with what configuration, and what it may touch.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;

use super::{ConfigPath, Name};
use crate::diagnostic::Place;
use crate::digest::Sha256;
use crate::grants::{Grants, Need};
use crate::units::ByteCount;

/// One `[[hook]]`, in the file's order.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Hook {
    /// The hook's name, unlike any other hook's: given, or the built-in's, or the file's stem.
    pub name: Name,
    /// The component.
    pub component: Component,
    /// The digest of the file that its owner granted all this to; a built-in has none.
    pub sha256: Option<Sha256>,
    /// The hook's own configuration: an object, `{}` where none is written.
    pub config: Value,
    /// What it may touch.
    pub grants: Grants,
    /// What it may use up.
    pub limits: Limits,
    /// What becomes of a run in which it fails.
    pub on_error: OnError,
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
    /// Holds services while the source is staged.
    Quiesce,
    /// Copies the databases and vectors of Open WebUI, in the right order.
    OpenWebUi,
    /// Writes the run's outcome to the log.
    LogOutcome,
    /// Tells a monitor or a person how the run ended.
    Notify,
}

impl Builtin {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Exclude,
        Self::SqliteBackup,
        Self::Archive,
        Self::Quiesce,
        Self::OpenWebUi,
        Self::LogOutcome,
        Self::Notify,
    ];

    /// The name that `use` speaks of.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exclude => "exclude",
            Self::SqliteBackup => "sqlite-backup",
            Self::Archive => "archive",
            Self::Quiesce => "quiesce",
            Self::OpenWebUi => "open-webui",
            Self::LogOutcome => "log-outcome",
            Self::Notify => "notify",
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

/// What becomes of a run whose hook fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnError {
    /// It ends.
    #[default]
    Abort,
    /// It goes on, and falls short.
    Warn,
}

/// What a hook may use up in one call; `None` is the default of the host. All are more than nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Limits {
    /// Linear memory.
    pub memory: Option<ByteCount>,
    /// The WebAssembly stack.
    pub stack: Option<ByteCount>,
    /// Time to compute and to wait in a phase.
    pub wall: Option<Duration>,
    /// Time for a filter to compute on one batch.
    pub filter_wall: Option<Duration>,
    /// What a hook may hand to the host in one call or answer.
    pub hostcall: Option<ByteCount>,
    /// What is kept of its log.
    pub log: Option<ByteCount>,
    /// Uses of capabilities in one phase.
    pub calls: Option<u32>,
    /// What is kept of each output of a command.
    pub command_output: Option<ByteCount>,
    /// The body of a request or an answer over HTTP.
    pub http_body: Option<ByteCount>,
    /// Time for one request over HTTP.
    pub http_wall: Option<Duration>,
    /// All keys and values in the hook's store.
    pub state: Option<ByteCount>,
}

impl Hook {
    pub(super) fn builtin(builtin: Builtin) -> Self {
        Self {
            name: builtin.name().parse().expect("the names above are sound"),
            component: Component::Builtin(builtin),
            sha256: None,
            config: Value::Object(serde_json::Map::new()),
            grants: Grants::default(),
            limits: Limits::default(),
            on_error: OnError::default(),
            place: None,
        }
    }

    /// The hooks of a configuration that names none: `exclude`, and `sqlite-backup` with every
    /// database granted.
    pub(super) fn defaults() -> Vec<Self> {
        let mut copies = Self::builtin(Builtin::SqliteBackup);
        copies.grants.add_need(&Need::Databases);
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
            .field("sha256", &self.sha256)
            .field("config", &keys)
            .field("grants", &self.grants)
            .field("limits", &self.limits)
            .field("on_error", &self.on_error)
            .finish_non_exhaustive()
    }
}
