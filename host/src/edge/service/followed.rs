//! Held containers that are followed: what happens to them is heard as it happens.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::compose::Members;
use super::containers::LOOK;
use super::{HeldContainers, ServiceError, Undo};
use crate::edge::docker::{DockerHost, Following, Happening, Silence, Whose, converse};

/// What an engine has told of held containers. It is no part of how a hold is undone.
#[derive(Debug, Clone, Default)]
pub struct Followed(Option<Arc<Open>>);

#[derive(Debug)]
struct Open {
    began: Instant,
    following: Following,
}

impl PartialEq for Followed {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Followed {}

impl Followed {
    /// All that was told, and why no more is. None while more is.
    pub(super) fn told(&self) -> (Vec<Happening>, Option<Silence>) {
        let nobody = || Silence::Ended("nobody listened".to_owned());
        self.0.as_ref().map_or_else(
            || (Vec::new(), Some(nobody())),
            |open| {
                let told = open.following.told();
                (told.happened, told.end)
            },
        )
    }

    /// For how long. None where they are not.
    pub(super) fn age(&self) -> Option<Duration> {
        self.0.as_ref().map(|open| open.began.elapsed())
    }
}

impl Undo {
    /// Begins to listen to what happens to it, before it is held.
    pub fn follow(&mut self) -> Result<(), ServiceError> {
        match self {
            Self::Containers(held) => held.follow(),
            Self::Unit(_) | Self::Commands(_) | Self::Nothing => Ok(()),
        }
    }

    /// It is over.
    pub fn unfollow(&mut self) {
        if let Self::Containers(held) = self {
            held.followed = Followed::default();
        }
    }
}

impl HeldContainers {
    fn follow(&mut self) -> Result<(), ServiceError> {
        self.since = now(&self.host)?;
        // Of an engine on this machine, which alone is spoken to, the clock is ours.
        let since = self.since.unwrap_or_else(Timestamp::now);
        let open = Open {
            began: Instant::now(),
            following: Following::begin(self.host.clone(), self.whose(), since),
        };
        self.followed = Followed(Some(Arc::new(open)));
        Ok(())
    }

    /// Whose past and present tell of all of them.
    pub(super) fn whose(&self) -> Whose {
        let ids = || self.containers.iter().map(|held| held.id.clone()).collect();
        let members = self.members.as_ref();
        members.map_or_else(|| Whose::These(ids()), Members::whose)
    }
}

/// What the engine's clock shows. None where it is kept from saying so, as a proxy before it may do.
fn now(host: &DockerHost) -> Result<Option<Timestamp>, ServiceError> {
    converse(host, Instant::now() + LOOK, async |engine| {
        match engine.now().await {
            Err(error) if !error.may_pass() => {
                tracing::debug!(%error, "the engine does not tell the time");
                Ok(None)
            }
            told => Ok(told?),
        }
    })
}
