//! How a hold can be lost: it ended by itself, while it was relied on.

use std::fmt;
use std::time::Instant;

use super::compose::Members;
use super::containers::LAST_LOOK;
use super::{HeldContainer, HeldContainers, HoldHow, ServiceError, Undo};
use crate::edge::docker::{Container, Doing, Engine, EngineError, Happening, Whose, converse};

/// What ended a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// Somebody, or an engine that restarted, had it go on; or a part of it that was down runs now.
    Resumed,
    /// This container is there no more.
    Removed(String),
    /// Another is there under the name of this container.
    Anew(String),
    /// This container was paused, and does not run any more.
    Ended(String),
    /// This container went on in between, and is held again.
    Between(String),
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resumed => f.write_str("something else resumed it"),
            Self::Removed(name) => write!(f, "container `{name}` was removed"),
            Self::Anew(name) => write!(f, "container `{name}` was removed, and made anew"),
            Self::Ended(name) => write!(f, "container `{name}` ended"),
            Self::Between(name) => write!(f, "container `{name}` went on in between"),
        }
    }
}

impl Undo {
    /// What ended the hold. None where all of it is held still, and was all the time as far as that shows.
    /// An engine that restarts, for example, brings paused containers back running.
    pub fn loss(&self) -> Result<Option<Loss>, ServiceError> {
        let resumed = |is_intact: bool| (!is_intact).then_some(Loss::Resumed);
        match self {
            Self::Containers(held) => held.loss(),
            Self::Unit(held) => held.is_intact().map(resumed),
            Self::Commands(held) => held.is_intact().map(resumed),
            Self::Nothing => Ok(None),
        }
    }

    /// Whether there is none.
    #[cfg(test)]
    pub fn is_intact(&self) -> Result<bool, ServiceError> {
        Ok(self.loss()?.is_none())
    }
}

impl HeldContainers {
    fn loss(&self) -> Result<Option<Loss>, ServiceError> {
        converse(&self.host, Instant::now() + LAST_LOOK, async |engine| {
            if let Some(members) = &self.members {
                // Also one that did not run before: it is not to write either.
                let is_another = |found: &Container| {
                    let mut held = self.containers.iter();
                    let is_up = matches!(found.doing, Doing::Running | Doing::Restarting);
                    is_up && held.all(|held| held.id != found.id && held.name != found.name)
                };
                if members.find(engine).await?.iter().any(is_another) {
                    return Ok(Some(Loss::Resumed));
                }
            }
            for held in &self.containers {
                let loss = held.loss(self.how, engine).await?;
                if loss.is_some() {
                    return Ok(loss);
                }
            }
            Ok(self.went_on(engine).await?)
        })
    }

    /// What went on in between, though all looks as it was held: somebody had it go on and held it again, or a
    /// part that was down ran for a while. It may have written. An engine that can't tell has seen nothing.
    async fn went_on(&self, engine: &Engine<'_>) -> Result<Option<Loss>, EngineError> {
        let past = match self.past(engine).await {
            Err(error) if !error.may_pass() => {
                tracing::debug!(%error, "whether anything went on in between can't be seen");
                return Ok(None);
            }
            told => told?,
        };
        // An engine forgets what is long past: then it has forgotten our own deed first.
        let is_known = |held: &HeldContainer| {
            let mut past = past.iter();
            past.any(|one| one.id == held.id && one.halts())
        };
        if let Some(held) = self.containers.iter().find(|held| !is_known(held)) {
            tracing::debug!(name = held.name, "the engine has forgotten how it was held");
        }
        let went_on = past.into_iter().find(|one| one.goes_on() && self.has(one));
        Ok(went_on.map(|one| Loss::Between(one.name)))
    }

    async fn past(&self, engine: &Engine<'_>) -> Result<Vec<Happening>, EngineError> {
        let (Some(since), Some(until)) = (self.since, engine.now().await?) else {
            return Ok(Vec::new());
        };
        let ids = || self.containers.iter().map(|held| held.id.clone()).collect();
        let members = self.members.as_ref();
        let whose = members.map_or_else(|| Whose::These(ids()), Members::whose);
        engine.happened(&whose, since, until).await
    }

    fn has(&self, one: &Happening) -> bool {
        let is_held = self.containers.iter().any(|held| held.id == one.id);
        let members = self.members.as_ref();
        is_held || members.is_some_and(|members| members.has(&one.id, &one.labels))
    }
}

impl HeldContainer {
    async fn loss(&self, how: HoldHow, engine: &Engine<'_>) -> Result<Option<Loss>, EngineError> {
        let name = self.name.clone();
        let Some(found) = engine.container(&self.id).await? else {
            let is_anew = engine.container(&name).await?.is_some();
            return Ok(Some(if is_anew {
                Loss::Anew(name)
            } else {
                Loss::Removed(name)
            }));
        };
        let is_same = found.started == self.started;
        Ok(match (how, found.doing) {
            (HoldHow::Pause, Doing::Paused) | (HoldHow::Stop { .. }, Doing::Nothing) if is_same => {
                None
            }
            (HoldHow::Pause, Doing::Nothing) => Some(Loss::Ended(name)),
            _ => Some(Loss::Resumed),
        })
    }
}
