//! What a service consists of. By that it is known again, whatever it is called and whoever holds it.

use std::path::PathBuf;

/// A part of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A container by its id.
    Container(String),
    /// A systemd unit.
    Unit {
        /// Whether it is a user's own.
        user: bool,
        /// Its whole name.
        name: String,
    },
    /// What a command starts.
    Started {
        /// The command with its arguments.
        by: Vec<String>,
        /// Where it runs, if its words mean something else elsewhere.
        base: Option<PathBuf>,
    },
}

impl Part {
    /// A unit by its name, of which the ending may have been left away.
    pub(super) fn unit(user: bool, name: &str) -> Self {
        let name = if name.contains('.') {
            name.to_owned()
        } else {
            format!("{name}.service")
        };
        Self::Unit { user, name }
    }
}
