//! Holding services. Configuration: `[service.NAME]`; grant: `service = [NAME, …]`. The holds
//! themselves, and how each is released whatever happens, are `holds/`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use copal_core::config::{Service, StagingMode};
use copal_hooks::{Call, CapabilityError, HoldId, HoldWish, Phase, ServiceState, Taken};

use super::host::Host;
use super::means::Means;
use super::unheld::{CantHold, Noticed, Unheld};
use crate::edge::interrupt::Interrupt;
use crate::edge::service::{self, Driver, HoldHow, ServiceError, State};
use crate::edge::state::StateDir;
use crate::holds::{HoldFailure, HoldsError, nobody_elses};
use crate::job::Job;

/// The services that a job knows.
#[derive(Debug, Default)]
pub struct Services {
    by_name: BTreeMap<String, Service>,
    /// What the configuration says of Docker's engine.
    engine: Option<PathBuf>,
    base: PathBuf,
    /// How long holds may last together.
    max_pause: Option<Duration>,
    /// Where runs keep what they hold.
    state: Option<StateDir>,
    /// What was noticed of them in this run.
    pub noticed: Noticed,
}

impl Services {
    /// Those of a job.
    pub fn of(job: &Job, state: &StateDir) -> Self {
        let services = job.config.services().iter();
        let staging = job.config.staging();
        Self {
            by_name: services
                .map(|service| (service.name.to_string(), service.clone()))
                .collect(),
            engine: job.config.docker().socket.clone(),
            base: job.base.clone(),
            max_pause: (staging.mode != StagingMode::Hold).then_some(staging.max_pause),
            state: Some(state.clone()),
            noticed: Noticed::default(),
        }
    }

    /// One of them, as the configuration has it.
    pub fn get(&self, name: &str) -> Option<&Service> {
        self.by_name.get(name)
    }

    /// Its driver.
    pub fn driver(&self, service: &Service) -> Result<Box<dyn Driver>, ServiceError> {
        service::driver(service, self.engine.as_deref(), &self.base)
    }

    /// An error if it can't be held so, whatever it is doing.
    pub fn fits(&self, hook: &str, name: &str, how: HoldHow) -> Result<(), CantHold> {
        match (how, self.max_pause) {
            // One that may take longer to end than everything may last is not asked to.
            (HoldHow::Stop { grace }, Some(most)) if grace >= most => {
                Err(CantHold::for_so_long(hook, name, grace, most))
            }
            _ => Ok(()),
        }
    }

    /// An error if a run holds some of it just now. For who holds nothing itself.
    pub fn nobodys(&self, name: &str, driver: &dyn Driver) -> Result<(), HoldFailure> {
        match &self.state {
            Some(state) => nobody_elses(state, "", name, &driver.parts()?),
            None => Ok(()),
        }
    }

    /// One of them, its driver, and how long it may take to be ready after a release.
    fn find(&self, name: &str) -> Result<(&Service, Box<dyn Driver>), CapabilityError> {
        let service = self.by_name.get(name);
        let service = service.ok_or_else(|| CapabilityError::Missing(name.to_owned()))?;
        let driver = self.driver(service).map_err(|error| told(&error))?;
        Ok((service, driver))
    }

    /// The same of one that is to be held: what is wrong with that is noticed.
    fn find_to_hold(
        &self,
        call: &Call<'_>,
        name: &str,
        how: HoldHow,
    ) -> Result<(&Service, Box<dyn Driver>), CapabilityError> {
        let service = self.by_name.get(name);
        let service = service.ok_or_else(|| CapabilityError::Missing(name.to_owned()))?;
        let driver = self.driver(service);
        let driver = driver.map_err(|error| self.refused(call, name, &error))?;
        if let Err(fault) = self.fits(call.hook, name, how) {
            let why = fault.why.to_string();
            self.noticed.fault(fault);
            return Err(CapabilityError::Invalid(why));
        }
        Ok((service, driver))
    }

    /// What a hook is told, and what is kept of it for the person who wrote the configuration.
    fn refused(&self, call: &Call<'_>, name: &str, error: &ServiceError) -> CapabilityError {
        let mut fault = CantHold::of(call.hook, name, error);
        if call.phase == Phase::PreRestore {
            fault = fault.before_a_restore(error);
        }
        if fault.is_configured_so {
            self.noticed.fault(fault);
        }
        told(error)
    }

    /// The same of whatever keeps it from being held.
    fn not_to_be_held(&self, call: &Call<'_>, name: &str, error: HoldFailure) -> CapabilityError {
        match error {
            _ if call.cancel.is_cancelled() => CapabilityError::Interrupted,
            HoldFailure::NotNow => CapabilityError::Invalid(error.to_string()),
            HoldFailure::Elsewhere { .. } => CapabilityError::Failed(error.to_string()),
            HoldFailure::Service(error) => self.refused(call, name, &error),
            HoldFailure::Holds(error) => failed(&error),
        }
    }

    /// What is not held since it does not run.
    fn notice(&self, call: &Call<'_>, service: &Service, state: State) {
        // Before and after, nothing could be.
        if matches!(call.phase, Phase::PreBackup | Phase::PreRestore) {
            let unheld = Unheld::of(service.name.as_str(), &service.driver, state);
            if let Some(unheld) = unheld {
                self.noticed.unheld(unheld);
            }
        }
    }

    /// The same of one that was to be held.
    fn not_taken(&self, call: &Call<'_>, service: &Service, state: State) -> Taken {
        self.notice(call, service, state);
        let unheld = Unheld::of(service.name.as_str(), &service.driver, state);
        // It has been started since.
        let why = unheld.map_or_else(|| "it did not run".to_owned(), |unheld| unheld.why);
        Taken::Not { why }
    }
}

pub(super) fn state(
    means: &Means,
    call: &Call<'_>,
    name: &str,
) -> Result<ServiceState, CapabilityError> {
    let (service, driver) = means.services.find(name)?;
    let state = driver.state().map_err(|error| told(&error))?;
    means.services.notice(call, service, state);
    Ok(match state {
        State::Running => ServiceState::Running,
        State::Paused => ServiceState::Paused,
        State::Stopped => ServiceState::Stopped,
        State::Missing => ServiceState::Missing,
    })
}

pub(super) fn hold(
    means: &Means,
    call: &Call<'_>,
    name: &str,
    how: HoldWish,
) -> Result<Taken, CapabilityError> {
    let how = of_hook(how);
    let services = &means.services;
    let (service, driver) = services.find_to_hold(call, name, how)?;
    let deadline = Instant::now() + call.limits.wall;
    let missing = driver.missing_parts();
    let missing = missing.map_err(|error| services.refused(call, name, &error))?;
    let held = means
        .holds
        .hold(name, service.ready, &*driver, how, deadline, call.cancel);
    match held {
        Ok(Some(number)) => {
            services.noticed.held(name, &missing);
            Ok(Taken::Held(HoldId(number.into())))
        }
        Ok(None) => {
            // It may have ended by itself just now.
            let state = driver.state().unwrap_or(State::Stopped);
            Ok(services.not_taken(call, service, state))
        }
        Err(error) => Err(services.not_to_be_held(call, name, error)),
    }
}

/// The same where nothing is held: a service that could not be is refused all the same. What would be held
/// has the number 0, which is no hold's.
pub(super) fn recorded_hold(
    means: &Means,
    call: &Call<'_>,
    name: &str,
    how: HoldWish,
) -> Result<Taken, CapabilityError> {
    let how = of_hook(how);
    let services = &means.services;
    let (service, driver) = services.find_to_hold(call, name, how)?;
    let is_free = services.nobodys(name, &*driver);
    is_free.map_err(|error| services.not_to_be_held(call, name, error))?;
    let refused = |error| services.refused(call, name, &error);
    if driver.before(how).map_err(refused)?.is_some() {
        let missing = driver.missing_parts().map_err(refused)?;
        services.noticed.held(name, &missing);
        Ok(Taken::Held(HoldId(0)))
    } else {
        let state = driver.state().map_err(refused)?;
        Ok(services.not_taken(call, service, state))
    }
}

fn of_hook(wish: HoldWish) -> HoldHow {
    match wish {
        HoldWish::Pause => HoldHow::Pause,
        HoldWish::Stop { grace } => HoldHow::Stop { grace },
    }
}

/// Releases what a hook holds, as it wishes. The moments of databases that stand by transactions are copied
/// before: what is released may want a database for itself alone, and its hook waits for nothing else that
/// would end them.
pub(super) fn release(
    host: &Host,
    hold: HoldId,
    interrupt: &Interrupt,
) -> Result<(), CapabilityError> {
    let Some(number) = u32::try_from(hold.0).ok().filter(|number| *number > 0) else {
        return Ok(());
    };
    let copied = host.artifacts.end_views(interrupt);
    let released = host.means.holds.release(number);
    released.map_err(|error| failed(&error))?;
    copied.map_err(|error| CapabilityError::Failed(error.to_string()))
}

fn told(error: &ServiceError) -> CapabilityError {
    let text = error.to_string();
    match error {
        // Whoever would have had to answer did not.
        error if error.may_pass() => CapabilityError::TimedOut(text),
        ServiceError::Slow { .. } | ServiceError::Mute { .. } | ServiceError::OutOfTime { .. } => {
            CapabilityError::TimedOut(text)
        }
        ServiceError::NoPause { .. } | ServiceError::Vanishes { .. } => {
            CapabilityError::Invalid(text)
        }
        ServiceError::Interrupted { .. } => CapabilityError::Interrupted,
        _ => CapabilityError::Failed(text),
    }
}

fn failed(error: &HoldsError) -> CapabilityError {
    let why = std::error::Error::source(error);
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    CapabilityError::Failed(format!("{error}{why}"))
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
