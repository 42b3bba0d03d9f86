//! What ended by itself after its release: something may have kept it from starting that is over now.

use std::time::Instant;

use super::{
    Deed, Driver as _, HeldCommands, HeldContainers, HeldUnit, HoldHow, Released, ServiceError,
    State,
};
use crate::edge::docker::{Container, Doing, converse};

/// The exit codes of what was told to end: that is somebody's wish. SIGINT, SIGKILL, SIGTERM.
const TOLD_TO_END: [i64; 4] = [0, 128 + 2, 128 + 9, 128 + 15];

impl HeldContainers {
    pub(super) fn start_again(&self, deadline: Instant) -> Result<bool, ServiceError> {
        if self.how == HoldHow::Pause {
            return Ok(false);
        }
        converse(&self.host, deadline, async |engine| {
            let mut any = false;
            for held in self.containers.iter().rev() {
                let found = engine.container(&held.id).await?;
                let since = |found: &Container| found.started != held.started && has_failed(found);
                if found.as_ref().is_some_and(since) {
                    engine.start(&held.id, &held.name).await?;
                    any = true;
                }
            }
            Ok(any)
        })
    }
}

fn has_failed(found: &Container) -> bool {
    found.doing == Doing::Nothing && !TOLD_TO_END.contains(&found.exit_code)
}

impl HeldUnit {
    pub(super) fn start_again(&self, deadline: Instant) -> Result<bool, ServiceError> {
        if self.how == HoldHow::Pause {
            return Ok(false);
        }
        let mut any = false;
        for unit in std::iter::once(&self.unit).chain(&self.dependents) {
            if self.manager.show(unit, deadline)?.has_failed {
                self.start(unit, deadline)?;
                any = true;
            }
        }
        Ok(any)
    }
}

impl HeldCommands {
    /// Why it does not run, no command tells.
    pub(super) fn start_again(&self, deadline: Instant) -> Result<bool, ServiceError> {
        if self.commands.state()? != State::Stopped {
            return Ok(false);
        }
        let released = self.release(deadline, Deed::Over)?;
        Ok(released == Released::Done)
    }
}
