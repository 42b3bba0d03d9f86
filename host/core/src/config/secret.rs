//! `[secret.NAME]`: where the bytes of a secret are.

use super::{ConfigPath, Name};
use crate::diagnostic::Place;

/// One `[secret.NAME]`. The bytes themselves are never part of a configuration.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Secret {
    /// What grants and commands call it.
    pub name: Name,
    /// Where its bytes are.
    pub origin: SecretOrigin,
    /// Where the configuration says so.
    pub place: Option<Place>,
}

/// Where the bytes of a secret are. One line feed at their end is not part of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SecretOrigin {
    /// A variable of the environment.
    Env(String),
    /// A file.
    File(ConfigPath),
    /// The standard output of a program: its name or path, and its arguments.
    Command(Vec<String>),
}
