//! A bench for one hook: fake capabilities, a phase to call, and what is expected of it.
//!
//! Everything but the capabilities is as in a run: the same engine, the same limits, the same gate.

mod case;
mod commands;
mod fake;
mod golden;
mod judge;
mod probe;
mod services;
mod spec;
mod trees;
mod words;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use copal_core::grants::Grants;
use copal_hooks::{HookEngine, HookError, Inspection};

pub use case::{Observed, deed_line};
pub use fake::BadGiven;
pub use golden::{NotUpdatable, update};
pub use judge::Difference;
pub use probe::probe;
pub use spec::{Case, Request, Spec, TreeEntry};
pub use words::verdict_name;

/// Why a hook can't be tested.
#[derive(Debug, thiserror::Error)]
pub enum HookTestError {
    /// The file of cases can't be read.
    #[error("can't read the cases `{}`", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file of cases makes no sense.
    #[error("`{}` holds no cases that can be used", .path.display())]
    Spec {
        /// The file.
        path: PathBuf,
        /// Where, and why.
        source: toml::de::Error,
    },
    /// A case's world can't be made.
    #[error("the case `{case}` can't be set up")]
    Given {
        /// The case.
        case: String,
        /// Why.
        source: BadGiven,
    },
    /// A case's config is nothing that a hook could be given.
    #[error("the `config` of the case `{case}` holds a number that JSON does not have")]
    Config {
        /// The case.
        case: String,
    },
    /// The component was refused.
    #[error(transparent)]
    Refused(#[from] HookError),
    /// The file of cases is written so that it can't be updated.
    #[error("can't update the cases `{}`", .path.display())]
    NotUpdatable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: NotUpdatable,
    },
    /// The file of cases can't be written.
    #[error("can't write the cases `{}`", .path.display())]
    NotUpdated {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Some cases came out otherwise than expected. What differs was told.
    #[error("{failed} of {cases} cases came out otherwise than expected")]
    Failed {
        /// How many.
        failed: usize,
        /// Of how many.
        cases: usize,
        /// The component, as it was named.
        file: PathBuf,
        /// The cases, where they were named.
        spec: Option<PathBuf>,
    },
}

/// A component that is tested.
pub struct Subject<'a> {
    /// Compiles it.
    pub engine: &'a HookEngine,
    /// What it is called.
    pub name: &'a str,
    /// Its bytes.
    pub component: &'a [u8],
    /// What it says about itself.
    pub inspection: &'a Inspection,
}

impl Subject<'_> {
    /// What is granted where nothing is said: what it requests.
    fn requested(&self) -> Grants {
        self.inspection.requests.clone().unwrap_or_default()
    }
}

/// What became of a case.
#[derive(Debug)]
pub struct Tried {
    /// The case; what its fakes answered is spent.
    pub case: Case,
    /// What happened.
    pub observed: Observed,
    /// What is not as expected.
    pub differences: Vec<Difference>,
}

/// Runs the cases in order.
pub fn run(subject: &Subject<'_>, mut spec: Spec) -> Result<Vec<Tried>, HookTestError> {
    let mut state = BTreeMap::new();
    let mut tried = Vec::new();
    for case in std::mem::take(&mut spec.cases) {
        let before = if case.continues {
            std::mem::take(&mut state)
        } else {
            BTreeMap::new()
        };
        let (case, observed) = case::run(subject, &spec, case, before)?;
        state.clone_from(&observed.state);
        tried.push(Tried {
            differences: judge::judge(&case, &observed),
            case,
            observed,
        });
    }
    Ok(tried)
}

#[cfg(test)]
mod tests;
