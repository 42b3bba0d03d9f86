//! What is to be seen of a hold only afterwards.

use std::time::{Duration, Instant};

use super::{HeldContainers, ServiceError, Undo};
use crate::edge::docker::{Container, converse};

/// How long a look may take that only tells people more.
const LOOK: Duration = Duration::from_secs(2);

/// The exit code of what ended by SIGKILL.
const KILLED: i64 = 128 + 9;

impl Undo {
    /// Whether some of what was stopped, and took all its time, was killed then. Commands kill nothing
    /// themselves.
    pub fn was_killed(&self) -> bool {
        match self {
            Self::Containers(held) => held.killed().unwrap_or(false),
            // systemd was told to.
            Self::Unit(_) => true,
            Self::Commands(_) | Self::Nothing => false,
        }
    }

    /// The containers that are not there any more, by their names: somebody removed them, or made them
    /// anew.
    pub fn gone(&self) -> Result<Vec<String>, ServiceError> {
        match self {
            Self::Containers(held) => {
                let found = held.found()?.into_iter().zip(&held.containers);
                let gone = found.filter(|(found, _)| found.is_none());
                Ok(gone.map(|(_, held)| held.name.clone()).collect())
            }
            Self::Unit(_) | Self::Commands(_) | Self::Nothing => Ok(Vec::new()),
        }
    }
}

impl HeldContainers {
    fn killed(&self) -> Result<bool, ServiceError> {
        let found = self.found()?;
        Ok(found
            .iter()
            .flatten()
            .any(|found| found.exit_code == KILLED))
    }

    /// Each as it is now, in their order. None where it is gone.
    fn found(&self) -> Result<Vec<Option<Container>>, ServiceError> {
        converse(&self.host, Instant::now() + LOOK, async |engine| {
            let mut all = Vec::new();
            for held in &self.containers {
                all.push(engine.container(&held.id).await?);
            }
            Ok(all)
        })
    }
}
