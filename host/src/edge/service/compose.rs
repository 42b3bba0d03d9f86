//! The driver of a Compose project: its containers, found by their labels.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use copal_hooks::Cancel;
use serde::{Deserialize, Serialize};

use super::containers::{LOOK, refuse_to_lose, when_up};
use super::docker::{parts_of, refuse_own, state_of};
use super::followed::Followed;
use super::{Driver, HeldContainer, HeldContainers, HoldHow, Part, ServiceError, State, Undo};
use crate::edge::docker::{
    Container, DockerHost, Doing, Engine, EngineError, Whose, converse, is_own, own,
};

const PROJECT: &str = "com.docker.compose.project";
const SERVICE: &str = "com.docker.compose.service";
/// `True` on what `compose run` has made.
const ONEOFF: &str = "com.docker.compose.oneoff";
/// `db:service_healthy:true,cache:service_started:false`. Compose v1 sets none.
const DEPENDS_ON: &str = "com.docker.compose.depends_on";

/// The containers of a project, or of some services of it.
#[derive(Debug)]
pub struct ComposeProject {
    host: DockerHost,
    members: Members,
}

/// Which containers are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    project: String,
    /// All, where none is named.
    services: BTreeSet<String>,
    /// How the ids of Copal's own container begin, which is none of all.
    own: Vec<String>,
}

impl ComposeProject {
    /// Some services of `project`, or all of them where `services` is empty.
    pub fn new(
        host: DockerHost,
        project: impl Into<String>,
        services: impl IntoIterator<Item = String>,
    ) -> Self {
        Self {
            host,
            members: Members {
                project: project.into(),
                services: services.into_iter().collect(),
                own: own(),
            },
        }
    }

    /// Its containers, each after those that depend on it.
    fn find(&self) -> Result<Vec<Container>, ServiceError> {
        let found = converse(&self.host, Instant::now() + LOOK, async |engine| {
            Ok::<_, ServiceError>(self.members.find(engine).await?)
        })?;
        refuse_own(&found, &self.members.own)?;
        Ok(stopping_order(found))
    }
}

impl Members {
    pub(super) async fn find(&self, engine: &Engine<'_>) -> Result<Vec<Container>, EngineError> {
        let mut found = Vec::new();
        for id in engine.labelled(PROJECT, &self.project).await? {
            // It may be gone since the list was made.
            found.extend(engine.container(&id).await?);
        }
        found.retain(|found| self.has(&found.id, &found.labels));
        Ok(found)
    }

    /// Whose past tells of all of them.
    pub(super) fn whose(&self) -> Whose {
        Whose::Labelled {
            label: PROJECT,
            value: self.project.clone(),
        }
    }

    /// Whether a container of the project is one of them, by its id and labels.
    pub(super) fn has(&self, id: &str, labels: &HashMap<String, String>) -> bool {
        let label = |name: &str| labels.get(name).map_or("", String::as_str);
        let is_meant = if self.services.is_empty() {
            !is_own(id, &self.own)
        } else {
            self.services.contains(label(SERVICE))
        };
        !label(ONEOFF).eq_ignore_ascii_case("true") && is_meant
    }
}

impl Driver for ComposeProject {
    fn state(&self) -> Result<State, ServiceError> {
        Ok(state_of(&self.find()?))
    }

    fn missing_parts(&self) -> Result<Vec<String>, ServiceError> {
        if self.members.services.len() < 2 {
            return Ok(Vec::new());
        }
        let found = self.find()?;
        let is_there = |name: &&String| found.iter().any(|found| service_of(found) == *name);
        let (_, missing): (Vec<_>, Vec<_>) = self.members.services.iter().partition(is_there);
        Ok(missing.into_iter().cloned().collect())
    }

    fn parts(&self) -> Result<Vec<Part>, ServiceError> {
        Ok(parts_of(&self.find()?))
    }

    fn before(&self, how: HoldHow) -> Result<Option<Undo>, ServiceError> {
        let mut found = when_up(|| self.find())?;
        found.retain(|found| found.doing == Doing::Running);
        refuse_to_lose(how, &found)?;
        let mut containers: Vec<_> = found.iter().map(HeldContainer::of).collect();
        for (held, container) in containers.iter_mut().zip(&found) {
            held.awaited = found.iter().any(|other| {
                dependencies(other)
                    .any(|(service, healthy)| healthy && service == service_of(container))
            });
        }
        if containers.is_empty() {
            return Ok(None);
        }
        Ok(Some(Undo::Containers(HeldContainers {
            host: self.host.clone(),
            how,
            containers,
            members: Some(self.members.clone()),
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

fn service_of(container: &Container) -> &str {
    container.labels.get(SERVICE).map_or("", String::as_str)
}

/// The services that a container depends on, and whether it wants them healthy.
fn dependencies(container: &Container) -> impl Iterator<Item = (&str, bool)> {
    let label = container.labels.get(DEPENDS_ON).map_or("", String::as_str);
    label.split(',').filter_map(|entry| {
        let mut parts = entry.split(':');
        let service = parts.next().filter(|service| !service.is_empty())?;
        Some((service, parts.next() == Some("service_healthy")))
    })
}

/// Each container after those that depend on it. Where nothing is said, those made last come first,
/// since Compose makes what is depended on before what depends on it.
fn stopping_order(mut left: Vec<Container>) -> Vec<Container> {
    left.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| b.name.cmp(&a.name)));
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_free = |candidate: &Container| {
            let service = service_of(candidate);
            !left.iter().any(|other| {
                other.id != candidate.id && dependencies(other).any(|(on, _)| on == service)
            })
        };
        // In a circle, which Compose does not allow, somebody has to be first.
        let next = left.iter().position(is_free).unwrap_or(0);
        order.push(left.remove(next));
    }
    order
}

#[cfg(test)]
#[path = "compose_tests.rs"]
mod engine_tests;

#[cfg(test)]
mod tests {
    use super::*;

    fn container(service: &str, created: &str, depends_on: &str) -> Container {
        let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Container {
            id: format!("{service}-{created}"),
            name: service.to_owned(),
            created: created.to_owned(),
            started: String::new(),
            doing: Doing::Running,
            healthy: None,
            probe: std::time::Duration::ZERO,
            is_checked: false,
            vanishes: false,
            restarts: false,
            exit_code: 0,
            labels: [label(SERVICE, service), label(DEPENDS_ON, depends_on)].into(),
            mounts: Vec::new(),
        }
    }

    fn order(containers: Vec<Container>) -> Vec<String> {
        let order = stopping_order(containers).into_iter();
        order.map(|found| found.name).collect()
    }

    #[test]
    fn what_depends_on_something_is_stopped_before_it() {
        let containers = vec![
            container(
                "app",
                "1",
                "db:service_healthy:true,cache:service_started:false",
            ),
            container("cache", "3", ""),
            container("db", "2", "disk:service_started:false"),
            container("disk", "4", ""),
        ];
        assert_eq!(order(containers), ["app", "cache", "db", "disk"]);
    }

    #[test]
    fn without_a_label_what_was_made_last_is_stopped_first() {
        let containers = vec![
            container("db", "2026-11-27T07:00:01Z", ""),
            container("app", "2026-11-27T07:00:02Z", ""),
        ];
        assert_eq!(order(containers), ["app", "db"]);
    }

    #[test]
    fn a_circle_and_two_containers_of_one_service_do_not_go_on_for_ever() {
        let containers = vec![
            container("a", "1", "b:service_started:false"),
            container("b", "2", "a:service_started:false"),
            container("a", "3", "b:service_started:false"),
        ];
        assert_eq!(order(containers).len(), 3);
    }

    #[test]
    fn a_label_says_who_is_wanted_healthy() {
        let app = container(
            "app",
            "1",
            "db:service_healthy:true,cache:service_started:false",
        );
        let wanted: Vec<_> = dependencies(&app).collect();
        assert_eq!(wanted, [("db", true), ("cache", false)]);
    }
}
