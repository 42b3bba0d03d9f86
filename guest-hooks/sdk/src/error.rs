//! More that an error can do.

use crate::{CodedError, Error};

/// Functions of [`Error`], which the contract defines.
pub trait ErrorExt {
    /// The error with what it is about in front, where it does not say so itself.
    #[must_use]
    fn about(self, what: &str) -> Error;

    /// The error for people, without its kind.
    fn text(&self) -> String;
}

impl ErrorExt for Error {
    fn about(self, what: &str) -> Error {
        match self {
            Self::TimedOut(why) => Self::TimedOut(format!("{what}: {why}")),
            Self::Failed(why) => Self::Failed(format!("{what}: {why}")),
            Self::Other(error) => Self::Other(CodedError {
                message: format!("{what}: {}", error.message),
                ..error
            }),
            named @ (Self::Denied(_) | Self::Invalid(_) | Self::Missing(_)) => named,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Denied(denial) => {
                format!(
                    "{} is not granted for {}",
                    denial.capability, denial.requested
                )
            }
            Self::Missing(name) => format!("`{name}` does not exist"),
            Self::Invalid(why) | Self::TimedOut(why) | Self::Failed(why) => why.clone(),
            Self::Other(error) => error.message.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_error_is_about_comes_first_unless_it_is_named_already() {
        let failed = Error::Failed("the disk is full".into()).about("a.db");
        assert_eq!(failed.text(), "a.db: the disk is full");
        let missing = Error::Missing("a.db".into()).about("a.db");
        assert_eq!(missing.text(), "`a.db` does not exist");
    }
}
