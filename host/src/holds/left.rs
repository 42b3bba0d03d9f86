//! A hold that could not be released: the one thing that must wake somebody.

use super::error::held;
use super::ledger::Hold;
use crate::edge::service::HoldHow;

/// A hold that could not be released.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Left {
    /// Its number in the journal.
    pub number: u32,
    /// The service.
    pub service: String,
    /// How it is held.
    pub how: HoldHow,
    /// Why it could not be released.
    pub why: String,
    /// What to do about that.
    pub next: String,
}

impl Left {
    /// One that others are still trying to release, in vain so far.
    pub fn of(hold: &Hold) -> Option<Self> {
        Some(Self {
            number: hold.number,
            service: hold.service.clone(),
            how: hold.how,
            why: hold.failed.clone()?,
            next: "see what keeps it from running".to_owned(),
        })
    }

    /// What that means.
    pub fn told(&self) -> String {
        let Self { service, how, .. } = self;
        format!(
            "service `{service}` could not be resumed: it is still {}",
            held(*how)
        )
    }
}
