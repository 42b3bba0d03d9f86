//! Holding services. Configuration: `[service.NAME]`; grant: `service = [NAME, …]`. The holds
//! themselves, and how each is released whatever happens, are `holds/`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use copal_core::config::Service;
use copal_hooks::{Call, CapabilityError, HoldHow, HoldId, ServiceState};

use super::means::Means;
use crate::edge::service::{self, Driver, ServiceError, State};
use crate::holds::{HoldFailure, Holds, HoldsError};
use crate::job::Job;

/// The services that a job knows.
#[derive(Debug, Default)]
pub struct Services {
    by_name: BTreeMap<String, Service>,
    /// What the configuration says of Docker's engine.
    engine: Option<PathBuf>,
    base: PathBuf,
}

impl Services {
    /// Those of a job.
    pub fn of(job: &Job) -> Self {
        let services = job.config.services().iter();
        Self {
            by_name: services
                .map(|service| (service.name.to_string(), service.clone()))
                .collect(),
            engine: job.config.docker().socket.clone(),
            base: job.base.clone(),
        }
    }

    /// One of them, and how long it may take to be ready after a release.
    fn find(&self, name: &str) -> Result<(Box<dyn Driver>, Duration), CapabilityError> {
        let service = self.by_name.get(name);
        let service = service.ok_or_else(|| CapabilityError::Missing(name.to_owned()))?;
        let driver = service::driver(service, self.engine.as_deref(), &self.base);
        Ok((driver.map_err(|error| told(&error))?, service.ready))
    }
}

pub(super) fn state(means: &Means, name: &str) -> Result<ServiceState, CapabilityError> {
    let (driver, _) = means.services.find(name)?;
    Ok(match driver.state().map_err(|error| told(&error))? {
        State::Running => ServiceState::Running,
        State::Paused => ServiceState::Paused,
        State::Stopped => ServiceState::Stopped,
        State::Missing => ServiceState::Missing,
    })
}

/// What did not run is not held: its hold is the one of number 0.
pub(super) fn hold(
    means: &Means,
    call: &Call<'_>,
    name: &str,
    how: HoldHow,
) -> Result<HoldId, CapabilityError> {
    let (driver, ready) = means.services.find(name)?;
    let how = match how {
        HoldHow::Pause => service::HoldHow::Pause,
        HoldHow::Stop { grace } => service::HoldHow::Stop { grace },
    };
    fits(how, &means.holds)?;
    let deadline = Instant::now() + call.limits.wall;
    let held = means
        .holds
        .hold(name, ready, &*driver, how, deadline, call.cancel);
    match held {
        Ok(number) => Ok(HoldId(number.unwrap_or(0).into())),
        Err(_) if call.cancel.is_cancelled() => Err(CapabilityError::Interrupted),
        Err(HoldFailure::NotNow) => Err(CapabilityError::Invalid(HoldFailure::NotNow.to_string())),
        Err(error @ HoldFailure::Elsewhere { .. }) => {
            Err(CapabilityError::Failed(error.to_string()))
        }
        Err(HoldFailure::Service(error)) => Err(told(&error)),
        Err(HoldFailure::Holds(error)) => Err(failed(&error)),
    }
}

/// A service that may take longer to end than everything may last is not asked to.
fn fits(how: service::HoldHow, holds: &Holds) -> Result<(), CapabilityError> {
    match (how, holds.max_pause()) {
        (service::HoldHow::Stop { grace }, Some(most)) if grace >= most => {
            Err(CapabilityError::Invalid(format!(
                "a grace of {grace:?} is not less than `max_pause` ({most:?})"
            )))
        }
        _ => Ok(()),
    }
}

pub(super) fn release(means: &Means, hold: HoldId) -> Result<(), CapabilityError> {
    match u32::try_from(hold.0) {
        Ok(0) | Err(_) => Ok(()),
        Ok(number) => {
            let released = means.holds.release(number);
            released.map_err(|error| failed(&error))
        }
    }
}

fn told(error: &ServiceError) -> CapabilityError {
    let text = error.to_string();
    match error {
        // Whoever would have had to answer did not.
        error if error.may_pass() => CapabilityError::TimedOut(text),
        ServiceError::Slow { .. } | ServiceError::OutOfTime { .. } => {
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
