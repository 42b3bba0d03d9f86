//! Containers that are held, and how that ends.

use std::time::{Duration, Instant};

use copal_hooks::Cancel;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::compose::Members;
use super::effect::{Effect, await_effect};
use super::followed::Followed;
use super::{Deed, HoldHow, Part, Released, ServiceError};
use crate::edge::docker::{Container, DockerHost, Doing, Engine, EngineError, converse};

/// How long a look at containers may take.
pub(super) const LOOK: Duration = Duration::from_secs(30);

/// How long a look at what is about to be released may take.
pub(super) const LAST_LOOK: Duration = Duration::from_secs(10);

/// How soon an engine answers that was not silent before: what it was asked for then is done.
const AT_ONCE: Duration = Duration::from_millis(500);

/// How long an engine may be silent before others are released without waiting for it.
const SILENT: Duration = Duration::from_secs(2);

/// Between two looks while something is awaited.
pub(super) const AGAIN: Duration = Duration::from_millis(100);

/// How long a container that its engine starts anew may take to run.
const RESTARTS: Duration = Duration::from_secs(5);

/// How often a container is tried to be frozen.
const FREEZES: u32 = 4;

/// How much of the time for a release one container may be waited for that another needs healthy.
const SHARE: u32 = 3;

/// Containers of one engine, with what they were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldContainers {
    /// The engine.
    pub host: DockerHost,
    /// How they are held.
    pub how: HoldHow,
    /// Those that ran, in the order in which they are held. They are released in the reverse.
    pub containers: Vec<HeldContainer>,
    /// The project of which they are all that ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Members>,
    /// From when on they are followed, by the engine's own clock: what it remembers from then on tells whether
    /// one went on in between. None where the engine does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// What the engine tells from then on. Nothing in a process that has the hold from a journal.
    #[serde(skip)]
    pub followed: Followed,
}

/// One container that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldContainer {
    /// Its id: one that is made anew under the same name is another.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// When it was started, in the engine's words. A container that was started since is not held.
    pub started: String,
    /// Whether it was healthy: then it is waited for until it is again.
    pub was_healthy: bool,
    /// Whether one that is held before it, and so started after it, wants it healthy by then.
    pub awaited: bool,
}

impl HeldContainer {
    /// A container that runs.
    pub(super) fn of(container: &Container) -> Self {
        Self {
            id: container.id.clone(),
            name: container.name.clone(),
            started: container.started.clone(),
            was_healthy: container.healthy == Some(true),
            awaited: false,
        }
    }

    /// An error if it was started since, or is about to be: a release would not know it again.
    fn is_as_before(&self, found: &Container) -> Result<(), ServiceError> {
        if found.started == self.started && found.doing != Doing::Restarting {
            return Ok(());
        }
        Err(self.moved("it was started anew"))
    }

    fn moved(&self, found: &'static str) -> ServiceError {
        let what = format!("container `{}`", self.name);
        ServiceError::Moved { what, found }
    }
}

impl HeldContainers {
    /// Takes out one; whether any is left.
    pub(super) fn spare(&mut self, id: &str) -> bool {
        self.containers.retain(|held| held.id != id);
        !self.containers.is_empty()
    }

    pub(super) fn parts(&self) -> Vec<Part> {
        let ids = self.containers.iter().map(|held| held.id.clone());
        ids.map(Part::Container).collect()
    }

    /// Whether the engine answers at once.
    pub(super) fn answers(&self) -> bool {
        let met = converse(&self.host, Instant::now() + SILENT, async |_| {
            Ok::<_, EngineError>(())
        });
        met.is_ok()
    }

    /// Holds them, one after the other. A signal is noticed in between: what the engine has begun, it
    /// would end anyway.
    pub(super) fn hold(
        &self,
        deadline: Instant,
        cancel: &Cancel,
        spare: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), ServiceError> {
        converse(&self.host, deadline, async |engine| {
            for held in &self.containers {
                if cancel.is_cancelled() {
                    let deed = format!("hold container `{}`", held.name);
                    return Err(ServiceError::Interrupted { deed });
                }
                self.hold_one(engine, held, spare).await?;
            }
            Ok(())
        })
    }

    async fn hold_one(
        &self,
        engine: &Engine<'_>,
        held: &HeldContainer,
        spare: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), ServiceError> {
        if let Some(found) = engine.container(&held.id).await? {
            held.is_as_before(&found)?;
            match found.doing {
                // To stop what has ended is no error, and would make a hold of it that starts it.
                Doing::Nothing => {
                    spare(&held.id);
                    return Ok(());
                }
                Doing::Paused => return Err(paused_by_others(held, spare)),
                Doing::Running | Doing::Restarting => {}
            }
        }
        let done = match self.how {
            HoldHow::Pause => pause(engine, held).await,
            HoldHow::Stop { grace } => engine.stop(&held.id, &held.name, grace).await,
        };
        match done {
            Ok(()) => self.know_again(engine, held).await,
            // Podman says 500 where Docker says 409; what it is now tells more than either.
            Err(error @ EngineError::Refused { .. }) => {
                let found = engine.container(&held.id).await?;
                match found.map(|found| found.doing) {
                    Some(Doing::Running) => Err(error.into()),
                    None => Err(held.moved("it is gone now")),
                    Some(Doing::Paused) => Err(paused_by_others(held, spare)),
                    _ => Err(held.moved("it does not run now")),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What was started in the very moment before it was held is let go again, since nobody else would.
    async fn know_again(
        &self,
        engine: &Engine<'_>,
        held: &HeldContainer,
    ) -> Result<(), ServiceError> {
        let found = engine.container(&held.id).await?;
        let moved = found.map_or(Ok(()), |found| held.is_as_before(&found));
        if moved.is_err() {
            match self.how {
                HoldHow::Pause => engine.unpause(&held.id, &held.name).await,
                HoldHow::Stop { .. } => engine.start(&held.id, &held.name).await,
            }?;
        }
        moved
    }

    pub(super) fn release(
        &self,
        deadline: Instant,
        mut deed: Deed,
    ) -> Result<Released, ServiceError> {
        let began = Instant::now();
        let done = converse(&self.host, deadline, async |engine| {
            if began.elapsed() > AT_ONCE {
                deed.reopen(Timestamp::now());
            }
            self.undo(engine, deed).await
        });
        match done {
            Ok(released) => Ok(released),
            Err(error) if error.may_pass() => Ok(Released::Silent {
                why: error.to_string(),
            }),
            Err(error) => Err(error),
        }
    }

    /// One that can't be released keeps no other from being. What failed first is told.
    async fn undo(&self, engine: &Engine<'_>, deed: Deed) -> Result<Released, ServiceError> {
        let mut unknown = Vec::new();
        let mut failed = None;
        for held in self.containers.iter().rev() {
            match self.undo_one(engine, held).await {
                Ok(Undone::Surely) => self.await_health(engine, held).await,
                Ok(Undone::Perhaps) => unknown.push(held),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        let effect = await_effect(self, engine, unknown, deed).await;
        if let Some(error) = failed {
            return Err(error.into());
        }
        match effect? {
            Effect::Known => Ok(Released::Done),
            Effect::Unclear(why) => Ok(Released::Pending { why }),
        }
    }

    /// Undoes what is there to be undone of one container now.
    pub(super) async fn undo_one(
        &self,
        engine: &Engine<'_>,
        held: &HeldContainer,
    ) -> Result<Undone, EngineError> {
        let Some(found) = engine.container(&held.id).await? else {
            // Somebody removed it, or made it anew: what runs under its name is not ours.
            return Ok(Undone::Surely);
        };
        if found.started != held.started {
            // The engine was restarted, or somebody did something on purpose since.
            return Ok(Undone::Surely);
        }
        let (id, name) = (held.id.as_str(), held.name.as_str());
        let undone = match (self.how, found.doing) {
            (HoldHow::Pause, Doing::Paused) => engine.unpause(id, name).await,
            (HoldHow::Stop { .. }, Doing::Nothing) => engine.start(id, name).await,
            // Never held, or about to be.
            (_, Doing::Running) => return Ok(Undone::Perhaps),
            // It ended while it was paused, for example with the engine: a pause has started nothing
            // and starts nothing. Or somebody paused it that we meant to stop.
            _ => return Ok(Undone::Surely),
        };
        match undone {
            // Somebody else was quicker.
            Err(EngineError::Refused { .. }) if runs(engine, id).await? => Ok(Undone::Surely),
            undone => undone.map(|()| Undone::Surely),
        }
    }

    /// Waits for one that others need healthy when they start. In vain is no failure: whether
    /// everything is well is looked at in the end.
    async fn await_health(&self, engine: &Engine<'_>, held: &HeldContainer) {
        if !held.awaited || !held.was_healthy || self.how == HoldHow::Pause {
            return;
        }
        let left = engine.deadline().saturating_duration_since(Instant::now());
        let enough = Instant::now() + left / SHARE;
        while Instant::now() < enough {
            let found = engine.container(&held.id).await;
            let is_well = |found: Option<Container>| {
                found.is_none_or(|found| held.complaint(&found).is_none())
            };
            if found.is_ok_and(is_well) {
                return;
            }
            engine.rest(AGAIN).await;
        }
    }
}

/// Whether a container is not held any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undone {
    /// It is not.
    Surely,
    /// It runs as it did before the hold. Whoever wanted to hold it may have been killed before the
    /// engine was asked, or just after: then it will be held in a moment.
    Perhaps,
}

/// On a busy machine the engine's runtime gives up to freeze a container after some time, and thaws it.
async fn pause(engine: &Engine<'_>, held: &HeldContainer) -> Result<(), EngineError> {
    for _ in 1..FREEZES {
        match engine.pause(&held.id, &held.name).await {
            Err(EngineError::Refused { why, .. }) if why.contains("freeze") => {
                tracing::debug!(container = held.name, why, "trying again to pause it");
                engine.rest(AGAIN).await;
            }
            other => return other,
        }
    }
    engine.pause(&held.id, &held.name).await
}

/// It stays paused: whoever did that ends it.
fn paused_by_others(held: &HeldContainer, spare: &mut (dyn FnMut(&str) + Send)) -> ServiceError {
    spare(&held.id);
    held.moved("somebody has paused it now")
}

async fn runs(engine: &Engine<'_>, id: &str) -> Result<bool, EngineError> {
    let found = engine.container(id).await?;
    Ok(found.is_some_and(|found| matches!(found.doing, Doing::Running | Doing::Restarting)))
}

/// Looks at containers again until the engine is starting none of them anew. One that ends again and
/// again is no service that is down: it may come up at any moment, also in the middle of a copy.
pub(super) fn when_up(
    look: impl Fn() -> Result<Vec<Container>, ServiceError>,
) -> Result<Vec<Container>, ServiceError> {
    let patience = Instant::now() + RESTARTS;
    loop {
        let found = look()?;
        let restarting = found.iter().find(|one| one.doing == Doing::Restarting);
        let Some(restarting) = restarting else {
            return Ok(found);
        };
        if Instant::now() >= patience {
            return Err(ServiceError::Restarting {
                name: restarting.name.clone(),
                exit_code: restarting.exit_code,
            });
        }
        std::thread::sleep(AGAIN);
    }
}

/// A container that is removed when it stops could not be started again.
pub(super) fn refuse_to_lose(how: HoldHow, containers: &[Container]) -> Result<(), ServiceError> {
    let lost = containers.iter().find(|found| found.vanishes);
    match (how, lost) {
        (HoldHow::Stop { .. }, Some(lost)) => Err(ServiceError::Vanishes {
            name: lost.name.clone(),
        }),
        _ => Ok(()),
    }
}
