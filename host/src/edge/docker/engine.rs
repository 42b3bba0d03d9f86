//! What is asked of an engine.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::thread;
use std::time::{Duration, Instant};

use bollard::errors::Error as Bollard;
use bollard::query_parameters::{
    EventsOptions, ListContainersOptions, ListVolumesOptions, StopContainerOptions,
};
use bollard::{ClientVersion, Docker};
use futures_util::{Stream, StreamExt, TryStreamExt};
use jiff::Timestamp;
use tokio::runtime::Builder;

use super::events::moment;
use super::{Container, DockerHost, EngineError, Happening, Listed, Whose};

/// The newest version of the protocol that we speak; older engines are spoken to in theirs.
const NEWEST: &ClientVersion = &ClientVersion {
    major_version: 1,
    minor_version: 47,
};

/// How long the engine may take for an answer, beside what it is told to wait itself.
const ANSWER: Duration = Duration::from_secs(10);

/// What is asked of an engine's past and present.
const EVENTS: &str = "tell what happened";

/// An engine that is being spoken to.
#[derive(Debug)]
pub struct Engine<'a> {
    host: &'a DockerHost,
    docker: Docker,
    deadline: Instant,
}

/// A volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// The driver that keeps it; `local` is the engine itself.
    pub driver: String,
    /// Where it lies on the engine's machine.
    pub mountpoint: String,
    /// What its driver was told, such as the share that is mounted when a container wants it.
    pub options: HashMap<String, String>,
}

/// Speaks with an engine until `deadline`. It may be called from any thread: the conversation has one
/// of its own, with its own small runtime, since who calls may already be within another.
pub fn converse<T, E>(
    host: &DockerHost,
    deadline: Instant,
    talk: impl AsyncFnOnce(&Engine<'_>) -> Result<T, E> + Send,
) -> Result<T, E>
where
    T: Send,
    E: From<EngineError> + Send,
{
    let conversation = || {
        let away = |error: std::io::Error| EngineError::Away {
            host: host.clone(),
            why: error.to_string(),
        };
        let runtime = Builder::new_current_thread().enable_all().build();
        runtime.map_err(away)?.block_on(async {
            let engine = Engine::meet(host, deadline).await?;
            talk(&engine).await
        })
    };
    thread::scope(|scope| {
        let thread = scope.spawn(conversation);
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

impl<'a> Engine<'a> {
    pub(super) async fn meet(host: &'a DockerHost, deadline: Instant) -> Result<Self, EngineError> {
        // Its own limit is not used: each request has one.
        let connected = Docker::connect_with_unix(&host.to_string(), u64::from(u32::MAX), NEWEST);
        let docker =
            connected.map_err(|error| EngineError::of(host, "be reached", ANSWER, &error))?;
        let mut engine = Self {
            host,
            docker,
            deadline,
        };
        let docker = engine.docker.clone();
        engine.docker = engine
            .ask("tell its version", ANSWER, docker.negotiate_version())
            .await?;
        Ok(engine)
    }

    /// When the conversation has to be over.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// A container by its name or id, if there is one.
    pub async fn container(&self, name: &str) -> Result<Option<Container>, EngineError> {
        let deed = format!("inspect container `{name}`");
        let asked = self.docker.inspect_container(name, None);
        let found = there(self.ask(&deed, ANSWER, asked).await)?;
        Ok(found.map(Container::of))
    }

    /// The ids of all containers with a label, also of those that do not run.
    pub async fn labelled(&self, label: &str, value: &str) -> Result<Vec<String>, EngineError> {
        let filters = HashMap::from([("label".to_owned(), vec![format!("{label}={value}")])]);
        let options = ListContainersOptions {
            all: true,
            filters: Some(filters),
            ..ListContainersOptions::default()
        };
        let asked = self.docker.list_containers(Some(options));
        let found = self.ask("list containers", ANSWER, asked).await?;
        Ok(found.into_iter().filter_map(|found| found.id).collect())
    }

    /// All containers, also those that do not run.
    pub async fn containers(&self) -> Result<Vec<Listed>, EngineError> {
        let options = ListContainersOptions {
            all: true,
            ..ListContainersOptions::default()
        };
        let asked = self.docker.list_containers(Some(options));
        let found = self.ask("list containers", ANSWER, asked).await?;
        Ok(found.into_iter().map(Listed::of).collect())
    }

    /// The names of all volumes.
    pub async fn volumes(&self) -> Result<Vec<String>, EngineError> {
        let asked = self.docker.list_volumes(None::<ListVolumesOptions>);
        let found = self.ask("list volumes", ANSWER, asked).await?;
        let volumes = found.volumes.unwrap_or_default();
        Ok(volumes.into_iter().map(|volume| volume.name).collect())
    }

    /// A volume by its name, if there is one.
    pub async fn volume(&self, name: &str) -> Result<Option<Volume>, EngineError> {
        let deed = format!("inspect volume `{name}`");
        let asked = self.docker.inspect_volume(name);
        let found = there(self.ask(&deed, ANSWER, asked).await)?;
        Ok(found.map(|volume| Volume {
            driver: volume.driver,
            mountpoint: volume.mountpoint,
            options: volume.options,
        }))
    }

    /// What the engine's own clock shows. None where it does not say.
    pub async fn now(&self) -> Result<Option<Timestamp>, EngineError> {
        let told = self.ask("tell the time", ANSWER, self.docker.info());
        let told = told.await?.system_time;
        Ok(told.and_then(|time| time.parse().ok()))
    }

    /// What happened between two moments of the engine's clock, in its order, as far as it remembers: an
    /// engine keeps the last few hundred events of all that it does, and none over a restart.
    pub async fn happened(
        &self,
        whose: &Whose,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Happening>, EngineError> {
        let told = self.events(whose, since, Some(until));
        let told = told.try_filter_map(async |one| Ok(one));
        let told = told.boxed_local().try_collect();
        self.ask(EVENTS, ANSWER, told).await
    }

    /// What happened since a moment of its clock, as far as it remembers, and happens until the connection
    /// ends. None is something that is of no interest.
    pub(super) fn happening(
        &self,
        whose: &Whose,
        since: Timestamp,
    ) -> impl Stream<Item = Result<Option<Happening>, EngineError>> {
        let told = self.events(whose, since, None);
        told.map_err(|error| EngineError::of(self.host, EVENTS, ANSWER, &error))
    }

    fn events(
        &self,
        whose: &Whose,
        since: Timestamp,
        until: Option<Timestamp>,
    ) -> impl Stream<Item = Result<Option<Happening>, Bollard>> {
        let options = EventsOptions {
            since: Some(moment(since)),
            until: until.map(moment),
            filters: Some(whose.filters()),
        };
        let told = self.docker.events(Some(options));
        told.map_ok(Happening::of)
    }

    /// Freezes the processes of a container.
    pub async fn pause(&self, id: &str, name: &str) -> Result<(), EngineError> {
        let deed = format!("pause container `{name}`");
        self.ask(&deed, ANSWER, self.docker.pause_container(id))
            .await
    }

    /// Lets them go on.
    pub async fn unpause(&self, id: &str, name: &str) -> Result<(), EngineError> {
        let deed = format!("unpause container `{name}`");
        self.ask(&deed, ANSWER, self.docker.unpause_container(id))
            .await
    }

    /// Has a container end, at the latest after `grace`, and waits for that.
    pub async fn stop(&self, id: &str, name: &str, grace: Duration) -> Result<(), EngineError> {
        let deed = format!("stop container `{name}`");
        // Whole seconds: rather longer than shorter, but for none at all.
        let seconds = grace.as_secs() + u64::from(grace.subsec_nanos() > 0);
        let options = StopContainerOptions {
            t: Some(i32::try_from(seconds).unwrap_or(i32::MAX)),
            signal: None,
        };
        let asked = self.docker.stop_container(id, Some(options));
        self.ask(&deed, grace.saturating_add(ANSWER), asked).await
    }

    /// Starts a container.
    pub async fn start(&self, id: &str, name: &str) -> Result<(), EngineError> {
        let deed = format!("start container `{name}`");
        let asked = self.docker.start_container(id, None);
        self.ask(&deed, ANSWER * 2, asked).await
    }

    /// Waits a little, and not beyond the end of the conversation.
    pub async fn rest(&self, time: Duration) {
        let left = self.deadline.saturating_duration_since(Instant::now());
        tokio::time::sleep(time.min(left)).await;
    }

    /// One request, with its limit.
    async fn ask<T>(
        &self,
        deed: &str,
        limit: Duration,
        asked: impl Future<Output = Result<T, Bollard>>,
    ) -> Result<T, EngineError> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(EngineError::OutOfTime {
                deed: deed.to_owned(),
            });
        }
        let limit = limit.min(left);
        let answer = tokio::time::timeout(limit, asked).await;
        answer
            .unwrap_or(Err(Bollard::RequestTimeoutError))
            .map_err(|error| EngineError::of(self.host, deed, limit, &error))
    }
}

/// That there is no such thing is an answer, too.
fn there<T>(answer: Result<T, EngineError>) -> Result<Option<T>, EngineError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(EngineError::Refused { status: 404, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
