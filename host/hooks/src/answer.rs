//! The contract's `error`, between its form in `wit/` and ours.

use std::fmt;

use crate::bindings::copal::hooks::types as wit;
use crate::{Denial, FailureKind};

/// An error on its way into a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GuestError {
    Denied(Denial),
    Invalid(String),
    Missing(String),
    TimedOut(String),
    Failed(String),
}

impl fmt::Display for GuestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(denial) => denial.fmt(f),
            Self::Missing(name) => write!(f, "`{name}` does not exist"),
            Self::Invalid(why) | Self::TimedOut(why) | Self::Failed(why) => f.write_str(why),
        }
    }
}

impl From<GuestError> for wit::Error {
    fn from(error: GuestError) -> Self {
        match error {
            GuestError::Denied(denial) => Self::Denied(wit::Denial {
                capability: denial.capability.name().to_owned(),
                remedy: denial.remedy(),
                requested: denial.value,
            }),
            GuestError::Invalid(why) => Self::Invalid(why),
            GuestError::Missing(name) => Self::Missing(name),
            GuestError::TimedOut(why) => Self::TimedOut(why),
            GuestError::Failed(why) => Self::Failed(why),
        }
    }
}

impl FailureKind {
    /// What it means that a phase answered with `error`.
    ///
    /// A denial counts as one only if it is among those that the gate spoke (`denials`): a hook
    /// must not be able to make its owner paste a line of its own.
    pub(crate) fn answered(error: wit::Error, denials: &[Denial]) -> Self {
        let (code, message) = match error {
            wit::Error::Denied(said) => {
                let spoken = denials.iter().rev().find(|denial| {
                    denial.capability.name() == said.capability && denial.value == said.requested
                });
                if let Some(denial) = spoken {
                    return Self::Denied(Box::new(denial.clone()));
                }
                (
                    "denied".into(),
                    "it says that it was denied something".into(),
                )
            }
            wit::Error::Invalid(why) => ("invalid".into(), why),
            wit::Error::Missing(name) => ("missing".into(), format!("`{name}` does not exist")),
            wit::Error::TimedOut(why) => ("timed-out".into(), why),
            wit::Error::Failed(why) => ("failed".into(), why),
            wit::Error::Other(error) => (error.code, error.message),
        };
        Self::Error { code, message }
    }
}
