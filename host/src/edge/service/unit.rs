//! What systemd says of a unit.

use std::collections::BTreeMap;

use super::State;

/// A unit as it was at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "systemd tells each by itself"
)]
pub(super) struct Unit {
    pub(super) active: Active,
    pub(super) state: State,
    /// It failed, and systemd is about to start it again.
    pub(super) is_failing: bool,
    /// It ended with an error.
    pub(super) has_failed: bool,
    /// It is up and not on its way there.
    pub(super) is_ready: bool,
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
    /// It does not.
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
        let is_failing = matches!(
            (value("ActiveState"), value("SubState")),
            ("activating", "auto-restart" | "auto-restart-queued")
        );
        let active = match (value("ActiveState"), value("SubState")) {
            _ if is_failing => Active::Ended,
            ("active" | "reloading" | "refreshing" | "activating", _) => Active::Runs,
            ("deactivating", _) => Active::Ending,
            _ => Active::Ended,
        };
        // Or about to be.
        let is_frozen = value("FreezerState").starts_with("fr");
        let is_up = matches!(value("ActiveState"), "active" | "reloading" | "refreshing");
        let state = match active {
            // At any moment.
            Active::Ended if is_failing => State::Running,
            Active::Runs if is_frozen => State::Paused,
            Active::Runs => State::Running,
            Active::Ended if value("LoadState") == "not-found" => State::Missing,
            Active::Ending | Active::Ended => State::Stopped,
        };
        let stops_with_it = ["RequiredBy", "BoundBy", "ConsistsOf"]
            .into_iter()
            .flat_map(|name| value(name).split_whitespace())
            // To start a target is to start all that it wants, also what its owner stopped.
            .filter(|unit| !is_of_kind(unit, "target") && !is_of_kind(unit, "slice"))
            .map(str::to_owned);
        Self {
            active,
            state,
            is_failing,
            has_failed: value("ActiveState") == "failed",
            is_ready: state == State::Running && is_up,
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
}

fn is_of_kind(unit: &str, kind: &str) -> bool {
    unit.rsplit_once('.')
        .is_some_and(|(_, ending)| ending == kind)
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
                State::Running,
            ),
            ("LoadState=not-found\nActiveState=inactive", State::Missing),
            ("LoadState=masked\nActiveState=inactive", State::Stopped),
        ] {
            assert_eq!(Unit::read(text).state, state, "{text}");
        }
    }

    #[test]
    fn targets_are_not_among_what_is_started_again() {
        let unit =
            Unit::read("RequiredBy=multi-user.target a.service\nBoundBy=b.service\nConsistsOf=");
        assert_eq!(unit.stops_with_it, ["a.service", "b.service"]);
    }
}
