//! What systemd says of a unit.

use std::collections::BTreeMap;

use super::State;

/// A unit as it was at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) active: Active,
    /// Whether there is such a unit.
    is_there: bool,
    is_frozen: bool,
    /// It is up and not on its way there.
    is_up: bool,
    /// Whether units can be frozen at all.
    pub(super) can_freeze: bool,
    /// Whether something is to be done with it, such as stopping it.
    pub(super) has_job: bool,
    /// What this run of it is called. Empty where it does not run and was forgotten.
    pub(super) invocation: String,
    /// Services that are stopped where this one is.
    pub(super) stops_with_it: Vec<String>,
    /// Its state in systemd's words.
    pub(super) words: String,
}

/// Whether a unit runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Active {
    /// It does, or is coming up.
    Runs,
    /// It is being stopped.
    Ending,
    /// It does not. One that systemd is about to start again after a failure does not, either.
    Ended,
}

impl Unit {
    /// What is asked for.
    pub(super) const PROPERTIES: &str = "LoadState,ActiveState,SubState,FreezerState,CanFreeze,\
                                         InvocationID,Job,RequiredBy,BoundBy,ConsistsOf";

    /// From what `systemctl show` prints: a line each, `Name=value`.
    pub(super) fn read(text: &str) -> Self {
        let lines = text.lines().filter_map(|line| line.split_once('='));
        let values: BTreeMap<_, _> = lines.collect();
        let value = |name: &str| values.get(name).copied().unwrap_or_default();
        let active = match (value("ActiveState"), value("SubState")) {
            ("activating", "auto-restart" | "auto-restart-queued") => Active::Ended,
            ("active" | "reloading" | "refreshing" | "activating", _) => Active::Runs,
            ("deactivating", _) => Active::Ending,
            _ => Active::Ended,
        };
        let stops_with_it = ["RequiredBy", "BoundBy", "ConsistsOf"]
            .into_iter()
            .flat_map(|name| value(name).split_whitespace())
            // To start a target is to start all that it wants, also what its owner stopped.
            .filter(|unit| !unit.ends_with(".target") && !unit.ends_with(".slice"))
            .map(str::to_owned);
        Self {
            active,
            is_there: value("LoadState") != "not-found" || active != Active::Ended,
            is_frozen: value("FreezerState").starts_with("fr"),
            is_up: matches!(value("ActiveState"), "active" | "reloading" | "refreshing"),
            // Before version 252 there was no such property, before 246 no freezer.
            can_freeze: match value("CanFreeze") {
                "" => !value("FreezerState").is_empty(),
                can => can == "yes",
            },
            has_job: !matches!(value("Job"), "" | "0"),
            invocation: value("InvocationID").to_owned(),
            stops_with_it: stops_with_it.collect(),
            words: format!("{} ({})", value("ActiveState"), value("SubState")),
        }
    }

    pub(super) fn state(&self) -> State {
        match self.active {
            _ if !self.is_there => State::Missing,
            Active::Runs if self.is_frozen => State::Paused,
            Active::Runs => State::Running,
            Active::Ending | Active::Ended => State::Stopped,
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.is_up && !self.is_frozen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_running_paused_stopped_or_missing() {
        for (text, state) in [
            (
                "LoadState=loaded\nActiveState=active\nFreezerState=running",
                State::Running,
            ),
            (
                "LoadState=loaded\nActiveState=activating\nSubState=start",
                State::Running,
            ),
            (
                "LoadState=loaded\nActiveState=active\nFreezerState=frozen",
                State::Paused,
            ),
            ("LoadState=loaded\nActiveState=failed", State::Stopped),
            ("LoadState=loaded\nActiveState=deactivating", State::Stopped),
            (
                "LoadState=loaded\nActiveState=activating\nSubState=auto-restart",
                State::Stopped,
            ),
            ("LoadState=not-found\nActiveState=inactive", State::Missing),
            ("LoadState=masked\nActiveState=inactive", State::Stopped),
        ] {
            assert_eq!(Unit::read(text).state(), state, "{text}");
        }
    }

    #[test]
    fn targets_are_not_among_what_is_started_again() {
        let unit =
            Unit::read("RequiredBy=multi-user.target a.service\nBoundBy=b.service\nConsistsOf=");
        assert_eq!(unit.stops_with_it, ["a.service", "b.service"]);
    }
}
