//! What services that hooks may hold are doing before a run, and whether they can be held at all.

use std::time::Duration;

use copal_core::config::{Builtin, Component, Hook, OnError, Service, ServiceDriver};
use copal_hooks::Phase;
use jiff::SignedDuration;

use super::plan::PlanError;
use crate::capability::means::Means;
use crate::capability::unheld::{CantHold, missing_parts, told};
use crate::edge::service::{HoldHow, ServiceError, State, Undo};
use crate::holds::HoldFailure;
use crate::hooks::Hooks;
use crate::job::Job;

/// How long `quiesce` lets a service take to end where its configuration says nothing.
const USUAL_GRACE: Duration = Duration::from_secs(10);

/// A service as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundService {
    /// Its name.
    pub name: String,
    /// What the configuration says that it is: `docker open-webui`.
    pub what: String,
    /// What it does. None where that can't be seen.
    pub state: Option<State>,
    /// The same in words, or why it can't be seen.
    pub words: String,
}

/// What a hook is known to hold: a built-in's configuration says so.
struct Intent {
    hook: String,
    service: String,
    how: HoldHow,
    /// Whether the run fails with it.
    ends_the_run: bool,
}

/// An error if the configuration has something held in a way in which it never can be. Nobody is asked.
pub fn check(job: &Job, means: &Means) -> Result<(), PlanError> {
    for intent in intents(job).filter(|intent| intent.ends_the_run) {
        let Some(service) = means.services.get(&intent.service) else {
            continue;
        };
        let fits = means
            .services
            .fits(&intent.hook, &intent.service, intent.how);
        fits.map_err(Box::new)?;
        if intent.how == HoldHow::Pause && matches!(service.driver, ServiceDriver::Command(_)) {
            let driver = means.services.driver(service);
            let refused = driver.and_then(|driver| driver.before(intent.how)).err();
            if let Some(error) = refused {
                return Err(refusal(&intent, &error));
            }
        }
    }
    Ok(())
}

/// Every service that a hook may hold, as it is now.
pub fn look(job: &Job, hooks: &Hooks, means: &Means) -> Vec<FoundService> {
    let mut found: Vec<FoundService> = Vec::new();
    let hooks = hooks.in_phase(Phase::PreBackup);
    let granted = hooks.flat_map(|hook| hook.in_force().grants.services());
    for name in granted.map(ToString::to_string) {
        let Some(service) = means.services.get(&name) else {
            continue;
        };
        if !found.iter().any(|known| known.name == name) {
            let intent = intents(job).find(|intent| intent.service == name);
            found.push(one(
                means,
                service,
                intent.as_ref().map(|intent| intent.how),
            ));
        }
    }
    found
}

/// An error if a service that ends the run with its hook can't be held as it is now.
pub fn refuse(job: &Job, means: &Means) -> Result<(), PlanError> {
    let first = refusals(job, means).next();
    first.map_or(Ok(()), |(_, refused)| Err(refused))
}

/// The same of every such service, by its name.
pub fn refusals(job: &Job, means: &Means) -> impl Iterator<Item = (String, PlanError)> {
    let ending = intents(job).filter(|intent| intent.ends_the_run);
    ending.filter_map(|intent| {
        let refused = may_be_held(&intent, means).err()?;
        Some((intent.service, refused))
    })
}

fn may_be_held(intent: &Intent, means: &Means) -> Result<(), PlanError> {
    let Some(service) = means.services.get(&intent.service) else {
        return Ok(());
    };
    let driver = means.services.driver(service);
    let driver = driver.map_err(|error| refusal(intent, &error))?;
    let is_free = means.services.nobodys(&intent.service, &*driver);
    is_free.map_err(|error| held_already(intent, error))?;
    let before = driver.before(intent.how);
    before.map_err(|error| refusal(intent, &error))?;
    Ok(())
}

fn refusal(intent: &Intent, error: &ServiceError) -> PlanError {
    Box::new(CantHold::of(&intent.hook, &intent.service, error)).into()
}

fn held_already(intent: &Intent, error: HoldFailure) -> PlanError {
    match error {
        HoldFailure::Service(error) => refusal(intent, &error),
        other => Box::new(CantHold::just_now(&intent.hook, &intent.service, &other)).into(),
    }
}

fn one(means: &Means, service: &Service, how: Option<HoldHow>) -> FoundService {
    let seen = see(means, service, how);
    FoundService {
        name: service.name.to_string(),
        what: service.driver.to_string(),
        state: seen.as_ref().ok().map(|(state, _)| *state),
        words: seen.map_or_else(|error| told(&error), |(_, words)| words),
    }
}

fn see(
    means: &Means,
    service: &Service,
    how: Option<HoldHow>,
) -> Result<(State, String), ServiceError> {
    let driver = means.services.driver(service)?;
    let state = driver.state()?;
    match means.services.nobodys(service.name.as_str(), &*driver) {
        Ok(()) => {}
        Err(HoldFailure::Service(error)) => return Err(*error),
        Err(held) => return Ok((state, held.to_string())),
    }
    let words = match state {
        State::Missing => format!("{}: nothing would be held", service.driver.absence()),
        State::Stopped => "does not run, and would be left so".to_owned(),
        State::Paused => "paused by somebody else, and would be left so".to_owned(),
        State::Running => {
            let is_container = matches!(
                service.driver,
                ServiceDriver::Docker { .. } | ServiceDriver::Compose { .. }
            );
            let how = how.or_else(|| is_container.then_some(HoldHow::Pause));
            match how.map(|how| driver.before(how)).transpose()?.flatten() {
                Some(Undo::Containers(held)) => {
                    let names = held.containers.iter().map(|one| one.name.as_str());
                    let names: Vec<_> = names.collect();
                    let is_healthy = held.containers.iter().all(|one| one.was_healthy);
                    let running = match names[..] {
                        [_] => "running".to_owned(),
                        _ => format!("running: {}", names.join(", ")),
                    };
                    running + if is_healthy { ", healthy" } else { "" }
                }
                _ => "running".to_owned(),
            }
        }
    };
    let missing = match state {
        State::Missing => Vec::new(),
        _ => driver.missing_parts()?,
    };
    if missing.is_empty() {
        return Ok((state, words));
    }
    Ok((state, format!("{words}, but {}", missing_parts(&missing))))
}

/// What the built-in `quiesce` holds. What hooks of an owner's own hold, they alone know.
fn intents(job: &Job) -> impl Iterator<Item = Intent> {
    let hooks = job.config.hooks().iter();
    hooks
        .filter(|hook| hook.component == Component::Builtin(Builtin::Quiesce))
        .flat_map(|hook| {
            let how = how(hook);
            let services = held_by(hook);
            services.into_iter().filter_map(move |service| {
                Some(Intent {
                    hook: hook.name.to_string(),
                    service,
                    how: how?,
                    ends_the_run: hook.on_error == OnError::Abort,
                })
            })
        })
}

/// What it can't read it refuses itself.
fn how(hook: &Hook) -> Option<HoldHow> {
    let text = |key| hook.config.get(key).map(|value| value.as_str());
    match text("how") {
        Some(Some("pause")) => Some(HoldHow::Pause),
        None | Some(Some("stop")) => {
            let grace = match text("grace") {
                None => USUAL_GRACE,
                Some(given) => given?.parse::<SignedDuration>().ok()?.try_into().ok()?,
            };
            Some(HoldHow::Stop { grace })
        }
        Some(_) => None,
    }
}

fn held_by(hook: &Hook) -> Vec<String> {
    let granted: Vec<_> = hook
        .grants
        .services()
        .iter()
        .map(ToString::to_string)
        .collect();
    let named = hook.config.get("services").and_then(|it| it.as_array());
    let is_named = |service: &String| {
        named.is_none_or(|named| named.iter().any(|it| it.as_str() == Some(service)))
    };
    granted.into_iter().filter(is_named).collect()
}
