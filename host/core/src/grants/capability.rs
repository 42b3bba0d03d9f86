//! The capabilities that need a grant.

use std::fmt;
use std::str::FromStr;

/// Something that a hook may do only where its owner granted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Consistent copies and checks of SQLite databases.
    Sqlite,
    /// Rows of SQLite databases, read by the hook.
    Query,
    /// Rows of SQLite databases, changed after a restore.
    Update,
    /// Archives of directories.
    Archive,
    /// Services that are held.
    Service,
    /// Commands of the owner's.
    Command,
    /// Outgoing requests over HTTP.
    Http,
    /// A small store of the hook's own.
    State,
    /// Secrets that Copal puts into requests.
    Secrets,
    /// Secrets whose bytes the hook may read.
    Reveal,
    /// Directories that the hook sees as files.
    Files,
}

impl Capability {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 11] = [
        Self::Sqlite,
        Self::Query,
        Self::Update,
        Self::Archive,
        Self::Service,
        Self::Command,
        Self::Http,
        Self::State,
        Self::Secrets,
        Self::Reveal,
        Self::Files,
    ];

    /// Its name: the key of the grant in copal.toml.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Query => "query",
            Self::Update => "update",
            Self::Archive => "archive",
            Self::Service => "service",
            Self::Command => "command",
            Self::Http => "http",
            Self::State => "state",
            Self::Secrets => "secrets",
            Self::Reveal => "reveal",
            Self::Files => "files",
        }
    }

    /// How a grant of it could be written.
    pub const fn example(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite = [\"webui.db\"]",
            Self::Query => "query = [\"webui.db\"]",
            Self::Update => "update = [\"webui.db\"]",
            Self::Archive => "archive = [\"vector_db\"]",
            Self::Service => "service = [\"app\"]",
            Self::Command => "command = [\"pg_dump\"]",
            Self::Http => "http = [\"POST https://ntfy.sh\"]",
            Self::State => "state = true",
            Self::Secrets => "secrets = [\"token\"]",
            Self::Reveal => "reveal = [\"token\"]",
            Self::Files => "files = [\"source\"]",
        }
    }

    /// The same as an argument of `copal hook grant`, as a shell takes it.
    pub const fn argument(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite=webui.db",
            Self::Query => "query=webui.db",
            Self::Update => "update=webui.db",
            Self::Archive => "archive=vector_db",
            Self::Service => "service=app",
            Self::Command => "command=pg_dump",
            Self::Http => "'http=POST https://ntfy.sh'",
            Self::State => "state=true",
            Self::Secrets => "secrets=token",
            Self::Reveal => "reveal=token",
            Self::Files => "files=source",
        }
    }
}

/// A name that no capability has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no capability has this name")]
pub struct UnknownCapability;

impl FromStr for Capability {
    type Err = UnknownCapability;

    fn from_str(text: &str) -> Result<Self, UnknownCapability> {
        let mut all = Self::ALL.into_iter();
        all.find(|one| one.name() == text).ok_or(UnknownCapability)
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
