//! What can end a `copal hook …` command.

use std::io;
use std::path::PathBuf;

use copal_core::grants::Capability;
use copal_hooks::{EngineError, Flaw, HookFailure};

use crate::hook_edit::{EditError, Entry};
use crate::hook_test::HookTestError;

/// Why a command about hooks failed.
#[derive(Debug, thiserror::Error)]
pub enum HookCommandError {
    /// A file can't be read.
    #[error("can't read `{}`", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file or directory can't be written.
    #[error("can't write `{}`", .path.display())]
    NotWritten {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is there already.
    #[error("there is a `{}` already", .0.display())]
    Exists(PathBuf),
    /// A file is no hook.
    #[error("`{}` can't be used as a hook", .path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Flaw,
    },
    /// A core module can't be made a component.
    #[error("no component can be made of `{}`", .path.display())]
    NotEncoded {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A file of requests makes no sense.
    #[error("`{}` says nothing about requests that can be used", .path.display())]
    Requests {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The configuration can't be changed as was wished.
    #[error("can't change `{}`", .path.display())]
    Edit {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<EditError>,
    },
    /// An argument is no grant.
    #[error("`{argument}` is no grant")]
    Grant {
        /// The argument.
        argument: String,
        /// Why.
        why: String,
        /// What to write.
        next: String,
    },
    /// The hook is part of Copal, and has no pin.
    #[error("can't change `{}`", .path.display())]
    BuiltIn {
        /// The configuration.
        path: PathBuf,
        /// The hook.
        name: String,
        /// The line that grants what was to be granted, if anything was.
        line: Option<String>,
        /// Whether the configuration has it.
        is_used: bool,
    },
    /// More would be in force than was, and nobody said that it should be.
    #[error("nothing was granted")]
    NewlyInForce {
        /// The hook.
        name: String,
        /// What would be, and was not named.
        unnamed: Vec<Entry>,
        /// All that would be.
        all: Vec<Entry>,
    },
    /// Nobody said yes.
    #[error("nothing was granted")]
    NotConfirmed {
        /// The hook.
        name: String,
        /// Whether anybody could have.
        asked: bool,
    },
    /// A name can't be a project's.
    #[error("`{0}` can't be the name of a project")]
    ProjectName(String),
    /// Some hooks would be refused by a run; which was told.
    #[error("{0} of the hooks would be refused by a run")]
    WouldBeRefused(usize),
    /// wasmtime does not work on this machine.
    #[error("can't start the hooks")]
    Engine(#[source] EngineError),
    /// The config on the command line is none.
    #[error("`--hook-config` is no JSON")]
    Config(#[source] serde_json::Error),
    /// A hook failed while it was measured.
    #[error(transparent)]
    Failed(#[from] HookFailure),
    /// A hook can't be tested, or failed its tests.
    #[error(transparent)]
    Test(#[from] HookTestError),
}

impl HookCommandError {
    /// Why it is an error, for what has no cause below it.
    pub fn reason(&self) -> Option<String> {
        Some(match self {
            Self::Exists(_) => "nothing that is there is written over".to_owned(),
            Self::NotEncoded { why, .. } | Self::Requests { why, .. } | Self::Grant { why, .. } => {
                why.clone()
            }
            Self::BuiltIn {
                name,
                is_used: true,
                ..
            } => format!(
                "its hook `{name}` is built in: it needs no pin, and its grants stand in its [[hook]] alone"
            ),
            Self::BuiltIn { name, .. } => format!(
                "it has no hook named `{name}`, which is built in and used where a [[hook]] says so"
            ),
            Self::NewlyInForce { unnamed, .. } => format!(
                "with this component {} would be in force, as far as is known for the first time, and `--yes` alone \
                 does not answer for that",
                list(unnamed)
            ),
            Self::NotConfirmed { asked: true, .. } => "the answer was not yes".to_owned(),
            Self::NotConfirmed { asked: false, .. } => {
                "standard input is no terminal, so nobody can be asked".to_owned()
            }
            Self::ProjectName(_) => {
                "a name has lower-case letters, digits and hyphens, and begins with a letter"
                    .to_owned()
            }
            Self::WouldBeRefused(_) => "the list says why of each".to_owned(),
            Self::Test(HookTestError::Failed { .. }) => {
                "the differences are shown above".to_owned()
            }
            _ => return None,
        })
    }
}

/// `` `state` and `http POST https://ntfy.sh` ``
fn list(entries: &[Entry]) -> String {
    let name = |(capability, entry): &Entry| match capability {
        Capability::State => format!("`{capability}`"),
        _ => format!("`{capability} {entry}`"),
    };
    entries.iter().map(name).collect::<Vec<_>>().join(" and ")
}
