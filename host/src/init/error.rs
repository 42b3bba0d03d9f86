//! Why no configuration is written.

use std::io;
use std::path::PathBuf;

/// Why no configuration is written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// Nobody can be asked.
    #[error("it is not known {what}")]
    Missing {
        /// What has to be known.
        what: &'static str,
        /// The flag that says it.
        flag: &'static str,
        /// What there is, in the words of the command line.
        found: Vec<String>,
    },
    /// There is one already.
    #[error("`{}` is there already", .0.display())]
    Exists(PathBuf),
    /// The directory is none.
    #[error("can't look at the source `{}`", .path.display())]
    Source {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It can't be said in a configuration, which is text.
    #[error("{0:?} is no text")]
    NoText(PathBuf),
    /// A configuration is no place for a secret.
    #[error("the destination `{0}` has a secret in it")]
    Secret(String),
    /// Snapshots would be in themselves.
    #[error("the destination `{}` lies in the source `{source_dir}`", .destination.display())]
    InSource {
        /// Where snapshots were to go.
        destination: PathBuf,
        /// What is backed up.
        source_dir: String,
    },
    /// Nobody answered.
    #[error("can't read the answer")]
    Answer(#[source] io::Error),
}

impl InitError {
    /// Why it is an error at all, for what has no cause below it.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Missing { .. } => Some(
                "it can be found out in more than one way, or in none, and nobody is there to be asked",
            ),
            Self::Exists(_) => Some("what is in it would be lost"),
            Self::NoText(_) => Some("a configuration is text (UTF-8)"),
            Self::Secret(_) => {
                Some("configurations are copied, shown and kept where secrets should not be")
            }
            Self::InSource { .. } => Some("every snapshot would hold those before it"),
            Self::Source { .. } | Self::Answer(_) => None,
        }
    }
}
