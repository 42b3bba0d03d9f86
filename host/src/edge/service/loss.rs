//! How a hold can be lost: it ended by itself, while it was relied on.

use std::fmt;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::containers::{AGAIN, LAST_LOOK};
use super::{HeldContainer, HeldContainers, HoldHow, ServiceError, Undo};
use crate::edge::docker::{Container, Doing, Engine, EngineError, Happening, Silence, converse};

/// How long an engine may take to tell what it has done.
const ON_ITS_WAY: Duration = Duration::from_secs(2);

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
                let others = members.find(engine).await?;
                let mut others = others.iter().filter(|found| self.is_another(found));
                if let Some(loss) = others.find_map(|found| self.loss_by(found)) {
                    return Ok(Some(loss));
                }
            }
            for held in &self.containers {
                let loss = held.loss(self.how, engine).await?;
                if loss.is_some() {
                    return Ok(loss);
                }
            }
            self.went_on(engine).await
        })
    }

    fn is_another(&self, found: &Container) -> bool {
        let mut held = self.containers.iter();
        held.all(|held| held.id != found.id && held.name != found.name)
    }

    /// What another container of the project ends: also one that did not run before is not to write.
    fn loss_by(&self, another: &Container) -> Option<Loss> {
        if matches!(another.doing, Doing::Running | Doing::Restarting) {
            return Some(Loss::Resumed);
        }
        let started: Option<Timestamp> = another.started.parse().ok();
        let ran = self.since.is_some_and(|since| started > Some(since));
        ran.then(|| Loss::Between(another.name.clone()))
    }

    /// What went on in between, though all looks as it was held: somebody had it go on and held it again, or a
    /// part that was down ran for a while. It may have written.
    ///
    /// The engine has told of it since before the hold; what it remembers is asked for as well, since the last of
    /// that may be on its way. Each start leaves its time behind, so that only what is paused may have gone on
    /// unseen: where neither reaches back to the pause, whether it lasted can't be known.
    async fn went_on(&self, engine: &Engine<'_>) -> Result<Option<Loss>, ServiceError> {
        let past = self.past(engine).await;
        let knows_all = |past: &Option<Vec<Happening>>| self.is_in(past.as_deref().unwrap_or(&[]));
        let mut is_known = past.as_ref().is_ok_and(knows_all);
        let (told, end) = self.told(engine, is_known).await;
        is_known |= end.is_none() && self.is_in(&told);
        let past = match past {
            Err(error) if !is_known && error.may_pass() => return Err(error.into()),
            past => past,
        };
        let remembered = past.as_ref().ok().and_then(Option::as_deref);
        let mut all = told.iter().chain(remembered.unwrap_or(&[]));
        if let Some(one) = all.find(|one| one.goes_on() && self.has(one)) {
            return Ok(Some(Loss::Between(one.name.clone())));
        }
        if is_known || matches!(self.how, HoldHow::Stop { .. }) {
            return Ok(None);
        }
        Err(match (past, end) {
            (Err(error), _) => ServiceError::Unwatched {
                why: error.to_string(),
            },
            (Ok(None), Some(Silence::Refused(why))) => ServiceError::Unwatched { why },
            (Ok(_), end) => ServiceError::Forgotten {
                name: self.name_of_all(),
                why: end.map_or_else(|| "nothing came".to_owned(), |end| end.to_string()),
            },
        })
    }

    /// What it remembers since the hold. None where it keeps its clock to itself.
    async fn past(&self, engine: &Engine<'_>) -> Result<Option<Vec<Happening>>, EngineError> {
        let Some(since) = self.since else {
            return Ok(None);
        };
        let until = match self.followed.age() {
            Some(age) => Some(since.saturating_add(age).unwrap_or(Timestamp::MAX)),
            None => engine.now().await?,
        };
        let Some(until) = until else {
            return Ok(None);
        };
        engine.happened(&self.whose(), since, until).await.map(Some)
    }

    /// What it has told meanwhile, and why no more. Where all depends on that, it is waited for a little: our
    /// own deed may be on its way.
    async fn told(&self, engine: &Engine<'_>, is_known: bool) -> (Vec<Happening>, Option<Silence>) {
        let enough = Instant::now() + ON_ITS_WAY;
        loop {
            let (told, end) = self.followed.told();
            let is_over = end.is_some() || is_known || self.is_in(&told);
            if is_over || Instant::now() >= enough {
                return (told, end);
            }
            engine.rest(AGAIN).await;
        }
    }

    /// Whether all that are held were so within this past. What is forgotten first is our own deed.
    fn is_in(&self, past: &[Happening]) -> bool {
        let is_in = |held: &HeldContainer| past.iter().any(|one| one.id == held.id && one.halts());
        self.containers.iter().all(is_in)
    }

    fn has(&self, one: &Happening) -> bool {
        let is_held = self.containers.iter().any(|held| held.id == one.id);
        let members = self.members.as_ref();
        is_held || members.is_some_and(|members| members.has(&one.id, &one.labels))
    }

    fn name_of_all(&self) -> String {
        let names: Vec<_> = self
            .containers
            .iter()
            .map(|held| held.name.as_str())
            .collect();
        names.join("`, `")
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

#[cfg(test)]
#[path = "loss_tests.rs"]
mod tests;
