//! What should be there, against what a remote lists.

use std::collections::BTreeMap;

use copal_core::manifest::FileEntry;
use copal_core::units::ByteCount;

use crate::edge::remote::Listed;

/// What a listing shows that should not be so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// It is not there.
    #[error("`{0}` is missing")]
    Missing(String),
    /// It is there and should not be.
    #[error("`{0}` is not from this run")]
    Extra(String),
    /// It has another size.
    #[error("`{name}` has {found} bytes instead of {expected}", found = .found.0, expected = .expected.0)]
    Size {
        /// Its name on the remote.
        name: String,
        /// What the remote lists.
        found: ByteCount,
        /// What was sent.
        expected: ByteCount,
    },
    /// It has another hash, or another content.
    #[error("`{0}` has another hash")]
    Hash(String),
    /// Whether it is the same can't be told.
    #[error("`{0}` can't be compared")]
    Unread(String),
}

impl Difference {
    /// The name on the remote of the file that should be there as it is not.
    pub fn expected(&self) -> Option<&str> {
        match self {
            Self::Missing(name)
            | Self::Hash(name)
            | Self::Unread(name)
            | Self::Size { name, .. } => Some(name),
            Self::Extra(_) => None,
        }
    }
}

impl Difference {
    /// The same of a file that has another name from elsewhere.
    #[must_use]
    pub fn renamed(self, named: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Missing(name) => Self::Missing(named(name)),
            Self::Extra(name) => Self::Extra(named(name)),
            Self::Hash(name) => Self::Hash(named(name)),
            Self::Unread(name) => Self::Unread(named(name)),
            Self::Size {
                name,
                found,
                expected,
            } => Self::Size {
                name: named(name),
                found,
                expected,
            },
        }
    }
}

/// Up to three of many, so that a message stays readable.
pub fn list_some<T: std::fmt::Display>(all: &[T]) -> String {
    const SHOWN: usize = 3;
    let mut text = all
        .iter()
        .take(SHOWN)
        .map(T::to_string)
        .collect::<Vec<_>>()
        .join("; ");
    if all.len() > SHOWN {
        use std::fmt::Write as _;
        write!(text, "; and {} more", all.len() - SHOWN).expect("a String takes every write");
    }
    text
}

/// Compares what should be there with what a remote lists; also, of how many files the hash was
/// compared.
pub fn compare<'a>(
    expected: impl Iterator<Item = (String, &'a FileEntry)>,
    listed: Vec<Listed>,
) -> (Vec<Difference>, u64) {
    let mut listed: BTreeMap<String, Listed> = listed
        .into_iter()
        .map(|file| (file.path.clone(), file))
        .collect();
    let mut differences = Vec::new();
    let mut hashed = 0;
    for (name, file) in expected {
        match listed.remove(&name) {
            None => differences.push(Difference::Missing(name)),
            Some(found) if found.size != file.size => {
                differences.push(Difference::Size {
                    name,
                    found: found.size,
                    expected: file.size,
                });
            }
            Some(found) => {
                let same = found.hash.and_then(|hash| hash.matches(file));
                hashed += u64::from(same.is_some());
                if same == Some(false) {
                    differences.push(Difference::Hash(name));
                }
            }
        }
    }
    // The remote's own names are nobody's that is trusted.
    let shown = |name: String| copal_core::path::encode_bytes(name.as_bytes());
    differences.extend(
        listed
            .into_keys()
            .map(|name| Difference::Extra(shown(name))),
    );
    (differences, hashed)
}
