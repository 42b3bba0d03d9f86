//! The driver of one container.

use std::time::Instant;

use copal_hooks::Cancel;

use super::containers::{LOOK, refuse_to_lose, when_up};
use super::followed::Followed;
use super::{Driver, HeldContainer, HeldContainers, HoldHow, Part, ServiceError, State, Undo};
use crate::edge::docker::{Container, DockerHost, Doing, converse, is_own, own};

/// A container by its name.
#[derive(Debug)]
pub struct OneContainer {
    host: DockerHost,
    name: String,
}

impl OneContainer {
    /// The container called `name` of an engine.
    pub fn new(host: DockerHost, name: impl Into<String>) -> Self {
        Self {
            host,
            name: name.into(),
        }
    }

    fn find(&self) -> Result<Option<Container>, ServiceError> {
        let found = converse(&self.host, Instant::now() + LOOK, async |engine| {
            Ok::<_, ServiceError>(engine.container(&self.name).await?)
        })?;
        refuse_own(found.as_slice(), &own())?;
        Ok(found)
    }
}

impl Driver for OneContainer {
    fn state(&self) -> Result<State, ServiceError> {
        Ok(state_of(self.find()?.as_slice()))
    }

    fn parts(&self) -> Result<Vec<Part>, ServiceError> {
        Ok(parts_of(self.find()?.as_slice()))
    }

    fn before(&self, how: HoldHow) -> Result<Option<Undo>, ServiceError> {
        let found = when_up(|| Ok(self.find()?.into_iter().collect()))?.pop();
        let Some(found) = found.filter(|found| found.doing == Doing::Running) else {
            return Ok(None);
        };
        refuse_to_lose(how, std::slice::from_ref(&found))?;
        Ok(Some(Undo::Containers(HeldContainers {
            host: self.host.clone(),
            how,
            containers: vec![HeldContainer::of(&found)],
            members: None,
            since: None,
            followed: Followed::default(),
        })))
    }

    fn hold(
        &self,
        undo: &Undo,
        deadline: Instant,
        cancel: &Cancel,
        spare: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), ServiceError> {
        match undo {
            Undo::Containers(held) => held.hold(deadline, cancel, spare),
            _ => Err(ServiceError::Foreign),
        }
    }
}

pub(super) fn parts_of(containers: &[Container]) -> Vec<Part> {
    let ids = containers.iter().map(|found| found.id.clone());
    ids.map(Part::Container).collect()
}

/// Copal's own container is none of them: held, it could release nothing.
pub(super) fn refuse_own(containers: &[Container], own: &[String]) -> Result<(), ServiceError> {
    match containers.iter().find(|found| is_own(&found.id, own)) {
        Some(found) => Err(ServiceError::Own {
            name: found.name.clone(),
        }),
        None => Ok(()),
    }
}

/// What some containers are doing as one.
pub(super) fn state_of(containers: &[Container]) -> State {
    let any = |doing| containers.iter().any(|found| found.doing == doing);
    if containers.is_empty() {
        State::Missing
    } else if any(Doing::Running) || any(Doing::Restarting) {
        State::Running
    } else if any(Doing::Paused) {
        State::Paused
    } else {
        State::Stopped
    }
}

#[cfg(test)]
#[path = "docker_tests.rs"]
pub(super) mod tests;
