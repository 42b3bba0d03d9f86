//! What an engine remembers of the past of its containers.

use std::collections::HashMap;

use bollard::models::{EventMessage, EventMessageTypeEnum};
use jiff::Timestamp;

/// Something that happened to a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// The container's id.
    pub id: String,
    /// Its name, where the engine says it.
    pub name: String,
    /// Its labels, and a few other words of the engine's.
    pub labels: HashMap<String, String>,
    /// What happened, in the engine's word.
    action: String,
}

/// Whose past is of interest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// That of containers by their ids.
    These(Vec<String>),
    /// That of all with a label.
    Labelled {
        /// Its name.
        label: &'static str,
        /// Its value.
        value: String,
    },
}

impl Happening {
    pub(super) fn of(message: EventMessage) -> Option<Self> {
        if message.typ != Some(EventMessageTypeEnum::CONTAINER) {
            return None;
        }
        let actor = message.actor?;
        let labels = actor.attributes.unwrap_or_default();
        Some(Self {
            id: actor.id?,
            name: labels.get("name").cloned().unwrap_or_default(),
            labels,
            action: message.action?,
        })
    }

    /// Whether it ran from then on.
    pub fn goes_on(&self) -> bool {
        matches!(
            self.action.as_str(),
            "start" | "unpause" | "restart" | "restore"
        )
    }

    /// Whether it did not run from then on.
    pub fn halts(&self) -> bool {
        matches!(self.action.as_str(), "pause" | "die" | "died")
    }
}

impl Whose {
    pub(super) fn filters(&self) -> HashMap<String, Vec<String>> {
        let (name, values) = match self {
            Self::These(ids) => ("container", ids.clone()),
            Self::Labelled { label, value } => ("label", vec![format!("{label}={value}")]),
        };
        let kind = ("type".to_owned(), vec!["container".to_owned()]);
        HashMap::from([kind, (name.to_owned(), values)])
    }
}

/// A moment as engines take it: seconds, a dot, and all nine digits of the nanoseconds.
pub(super) fn moment(at: Timestamp) -> String {
    format!("{}.{:09}", at.as_second(), at.subsec_nanosecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_keeps_its_nanoseconds() {
        let at: Timestamp = "2026-11-27T03:00:00.000000789Z".parse().unwrap();
        assert_eq!(moment(at), "1795748400.000000789");
    }
}
