//! One thing that a hook asks for.

use std::fmt;
use std::str::FromStr;

use super::{Capability, Method, Origin};
use crate::name::Name;
use crate::path::RelPath;

/// One thing that a hook asks for. As text, it is the value that a denial names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// To be told which databases there are: a grant for any of them covers it.
    Databases,
    /// A database, by its path in the source.
    Database(RelPath),
    /// A database whose rows are read, by its path in the source.
    Query(RelPath),
    /// A database whose rows are changed, by its path in the source.
    Update(RelPath),
    /// A directory to archive, by its path in the source.
    Directory(RelPath),
    /// A service to look at or to hold.
    Service(Name),
    /// A command of the owner's.
    Command(Name),
    /// A request over HTTP.
    Request {
        /// Its method.
        method: Method,
        /// Where it goes.
        origin: Origin,
        /// Whether the host leads to a private address.
        private: bool,
    },
    /// An origin, whatever the method: to bind a secret to.
    Origin(Origin),
    /// The hook's own store.
    State,
    /// A secret to be put into requests.
    Secret(Name),
    /// A secret's bytes.
    Reveal(Name),
    /// A directory to see as files.
    Tree(Tree),
}

/// A directory that a hook can see as files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tree {
    /// `/source`: the source or, in the phases after a restore, the restored copy. Read-only.
    Source,
    /// `/staging`: what the hook leaves there joins the snapshot.
    Staging,
}

impl Need {
    /// The capability that it is a need for.
    pub const fn capability(&self) -> Capability {
        match self {
            Self::Databases | Self::Database(_) => Capability::Sqlite,
            Self::Query(_) => Capability::Query,
            Self::Update(_) => Capability::Update,
            Self::Directory(_) => Capability::Archive,
            Self::Service(_) => Capability::Service,
            Self::Command(_) => Capability::Command,
            Self::Request { .. } | Self::Origin(_) => Capability::Http,
            Self::State => Capability::State,
            Self::Secret(_) => Capability::Secrets,
            Self::Reveal(_) => Capability::Reveal,
            Self::Tree(_) => Capability::Files,
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Databases => f.write_str("*"),
            Self::Database(path)
            | Self::Query(path)
            | Self::Update(path)
            | Self::Directory(path) => path.fmt(f),
            Self::Service(name) | Self::Command(name) | Self::Secret(name) | Self::Reveal(name) => {
                name.fmt(f)
            }
            Self::Request {
                method,
                origin,
                private,
            } => {
                let kind = if *private { " (a private address)" } else { "" };
                write!(f, "{method} {origin}{kind}")
            }
            Self::Origin(origin) => origin.fmt(f),
            Self::State => f.write_str("true"),
            Self::Tree(tree) => tree.fmt(f),
        }
    }
}

impl Tree {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Source, Self::Staging];

    /// Its name in copal.toml, and after a slash the place where a hook sees it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Staging => "staging",
        }
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Tree {
    /// The text itself is all there is to say.
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|tree| tree.name() == text)
            .ok_or(())
    }
}
