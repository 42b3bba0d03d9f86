//! What became of nothing: services that hooks meant to hold, and that were not held.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use copal_core::config::ServiceDriver;

use crate::edge::service::{ServiceError, State};
use crate::holds::HoldFailure;

/// A service that was not held, since there was nothing to hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Unheld {
    /// The service.
    pub service: String,
    /// Why not.
    pub why: String,
    /// Whether there is no such thing at all, which is somebody's mistake.
    pub is_missing: bool,
}

impl fmt::Display for Unheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.service, self.why)
    }
}

impl Unheld {
    /// What is to be told of a service in this state. None where it runs.
    pub(super) fn of(service: &str, driver: &ServiceDriver, state: State) -> Option<Self> {
        let why = match state {
            State::Running => return None,
            State::Paused => "somebody else has paused it".to_owned(),
            State::Stopped => "it does not run".to_owned(),
            State::Missing => driver.absence(),
        };
        Some(Self {
            service: service.to_owned(),
            why,
            is_missing: state == State::Missing,
        })
    }
}

/// The parts in words: "no container of `web` or `db`".
pub fn missing_parts(parts: &[String]) -> String {
    let names: Vec<_> = parts.iter().map(|name| format!("`{name}`")).collect();
    format!("no container of {}", names.join(" or "))
}

/// A service that can't be held as its hook asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("hook `{hook}` can't hold service `{service}`")]
pub struct CantHold {
    /// The hook.
    pub hook: String,
    /// The service.
    pub service: String,
    /// Why not.
    #[source]
    pub why: Why,
    /// What to do about it.
    pub next: String,
    /// Whether it is the configuration that has to be mended.
    pub is_configured_so: bool,
}

/// Why a service can't be held.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Why(String);

impl CantHold {
    /// What is to be told where a driver refused.
    pub fn of(hook: &str, service: &str, error: &ServiceError) -> Self {
        let next = match error {
            ServiceError::NoPause { .. } => format!(
                "have hook `{hook}` stop it: for the built-in `quiesce`, `config = {{ how = \"stop\" }}` in its [[hook]]"
            ),
            ServiceError::Vanishes { name } => format!(
                "have hook `{hook}` pause it (for the built-in `quiesce`, `config = {{ how = \"pause\" }}` in its [[hook]]), or make container `{name}` anew without `--rm`"
            ),
            other => other.advice(),
        };
        let is_configured_so = matches!(
            error,
            ServiceError::NoPause { .. }
                | ServiceError::Vanishes { .. }
                | ServiceError::Own { .. }
                | ServiceError::Host(_)
                | ServiceError::Program { .. }
        );
        Self {
            hook: hook.to_owned(),
            service: service.to_owned(),
            why: Why(told(error)),
            next,
            is_configured_so,
        }
    }

    /// What is to be told before a restore, in which nothing can be paused.
    #[must_use]
    pub fn before_a_restore(mut self, error: &ServiceError) -> Self {
        if let ServiceError::Vanishes { name } = error {
            self.next = format!(
                "stop container `{name}` yourself, restore, and start it again: what does not run is left so"
            );
        }
        self
    }

    /// Another run holds it, or that can't be seen.
    pub fn just_now(hook: &str, service: &str, error: &HoldFailure) -> Self {
        let below = std::error::Error::source(error);
        let below = below.map(|below| format!(": {below}")).unwrap_or_default();
        Self {
            hook: hook.to_owned(),
            service: service.to_owned(),
            why: Why(format!("{error}{below}")),
            next: "`copal recover` lists the runs that go on; one that ended without releasing it is released by that".to_owned(),
            is_configured_so: false,
        }
    }

    /// A service may take longer to end than all holds may last.
    pub fn for_so_long(hook: &str, service: &str, grace: Duration, most: Duration) -> Self {
        Self {
            hook: hook.to_owned(),
            service: service.to_owned(),
            why: Why(format!(
                "a grace of {grace:?} is not less than `max_pause` ({most:?})"
            )),
            next: format!(
                "lower `grace` in the `config` of hook `{hook}`, or raise `max_pause` in [staging]"
            ),
            is_configured_so: true,
        }
    }
}

/// An error with what is below it.
pub fn told(error: &ServiceError) -> String {
    let below = std::iter::successors(std::error::Error::source(error), |error| error.source());
    let mut text = error.to_string();
    for below in below.map(ToString::to_string) {
        if !text.contains(&below) {
            text = format!("{text}: {below}");
        }
    }
    text
}

/// What was noticed in a run of services that are not held.
#[derive(Debug, Default)]
pub struct Noticed(Mutex<All>);

#[derive(Debug, Default)]
struct All {
    unheld: Vec<Unheld>,
    held: Vec<String>,
    faults: Vec<CantHold>,
}

impl Noticed {
    /// There was nothing to hold.
    pub(super) fn unheld(&self, unheld: Unheld) {
        let mut all = self.all();
        // What we hold ourselves does not run.
        let is_known = all.held.contains(&unheld.service) || all.unheld.contains(&unheld);
        if !is_known {
            all.unheld.push(unheld);
        }
    }

    /// It is held, or would be, but for these parts that are not there.
    pub(super) fn held(&self, service: &str, missing: &[String]) {
        let mut all = self.all();
        all.unheld.retain(|unheld| unheld.service != service);
        all.held.push(service.to_owned());
        // Its hook has found another way.
        all.faults.retain(|fault| fault.service != service);
        if !missing.is_empty() {
            all.unheld.push(Unheld {
                service: service.to_owned(),
                why: format!("{}; the rest of it was held", missing_parts(missing)),
                is_missing: true,
            });
        }
    }

    /// It can't be held like that.
    pub(super) fn fault(&self, fault: CantHold) {
        self.all().faults.push(fault);
    }

    /// What was not held, each once, in the order in which that was noticed.
    pub fn all_unheld(&self) -> Vec<Unheld> {
        self.all().unheld.clone()
    }

    /// What this hook could not hold, the last of it.
    pub fn fault_of(&self, hook: &str) -> Option<CantHold> {
        let faults = &self.all().faults;
        let mut own = faults.iter().filter(|fault| fault.hook == hook);
        own.next_back().cloned()
    }

    /// Whole at all times, so that another thread's panic left it so.
    fn all(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn down(service: &str) -> Unheld {
        Unheld {
            service: service.to_owned(),
            why: "it does not run".to_owned(),
            is_missing: false,
        }
    }

    #[test]
    fn a_container_that_copal_runs_in_is_the_configurations_fault() {
        let own = ServiceError::Own {
            name: "copal".to_owned(),
        };
        assert!(CantHold::of("quiesce", "app", &own).is_configured_so);
    }

    #[test]
    fn what_is_held_in_the_end_is_told_as_nothing_else() {
        let noticed = Noticed::default();
        noticed.unheld(down("app"));
        noticed.unheld(down("app"));
        noticed.unheld(down("db"));
        noticed.held("db", &[]);
        // Asked again, it is down by our own doing.
        noticed.unheld(down("db"));
        assert_eq!(noticed.all_unheld(), [down("app")]);
    }
}
