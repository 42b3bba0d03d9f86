//! Whether what was released is back: it runs, and is as healthy as it was before the hold.

use std::thread;
use std::time::{Duration, Instant};

use copal_hooks::Cancel;

use super::containers::LOOK;
use super::{
    HeldCommands, HeldContainer, HeldContainers, HeldUnit, HoldHow, NotReady, end_of_look,
};
use crate::edge::docker::{Container, Doing, converse};

/// How long a health check is waited for that comes so rarely. One that is rarer says nothing about a
/// release.
const RAREST: Duration = Duration::from_mins(10);

/// Between two looks.
const AGAIN: Duration = Duration::from_millis(100);

impl HeldContainer {
    /// That it was paused and has ended, and nobody is going to start it: a pause starts nothing.
    fn is_down(&self, how: HoldHow, found: &Container) -> bool {
        let is_same = found.started == self.started;
        how == HoldHow::Pause && found.doing == Doing::Nothing && is_same && !found.restarts
    }

    /// What is amiss with it after a release, if something is.
    pub(super) fn complaint(&self, found: &Container) -> Option<String> {
        match found.doing {
            Doing::Running if !self.was_healthy || found.healthy == Some(true) => None,
            Doing::Running if found.probe > RAREST => None,
            Doing::Running => Some("runs, and its health check is not content yet".to_owned()),
            Doing::Paused => Some("is paused".to_owned()),
            Doing::Restarting => Some(format!(
                "ends again and again, last with exit code {}",
                found.exit_code
            )),
            Doing::Nothing => Some(format!(
                "does not run; it ended with exit code {}",
                found.exit_code
            )),
        }
    }
}

impl HeldContainers {
    pub(super) fn wait_ready(&self, deadline: Instant, cancel: &Cancel) -> Result<(), NotReady> {
        let mut waiting: Vec<&HeldContainer> = self.containers.iter().collect();
        let began = Instant::now();
        loop {
            // An engine that restarts brings its containers back.
            let looked = self.look(&mut waiting, deadline);
            // What can't come back is not waited for.
            if let Err(error @ (NotReady::Gone { .. } | NotReady::Down { .. })) = looked {
                return Err(error);
            }
            let probe = looked
                .as_ref()
                .ok()
                .and_then(|complaint| complaint.as_ref());
            // It runs, and its health check has had no time to say anything.
            let deadline = probe.map_or(deadline, |(_, probe)| deadline.max(began + *probe));
            let Some(first) = waiting.last() else {
                return Ok(());
            };
            let what = format!("container `{}`", first.name);
            if cancel.is_cancelled() {
                return Err(NotReady::Interrupted { what });
            }
            if Instant::now() + AGAIN >= deadline {
                let how = looked?.map_or_else(|| "is not ready".to_owned(), |(how, _)| how);
                return Err(NotReady::Late { what, how });
            }
            thread::sleep(AGAIN);
        }
    }

    /// Takes from `waiting` those that are ready, and says what is amiss with the last of the others, and
    /// how long that may take by itself.
    fn look(
        &self,
        waiting: &mut Vec<&HeldContainer>,
        deadline: Instant,
    ) -> Result<Option<(String, Duration)>, NotReady> {
        converse(
            &self.host,
            end_of_look(deadline).min(Instant::now() + LOOK),
            async |engine| {
                let mut complaint = None;
                while let Some(held) = waiting.last() {
                    let Some(found) = engine.container(&held.id).await? else {
                        // What was made anew under its name is somebody else's to look after.
                        if engine.container(&held.name).await?.is_none() {
                            return Err(NotReady::Gone {
                                name: held.name.clone(),
                            });
                        }
                        waiting.pop();
                        continue;
                    };
                    if held.is_down(self.how, &found) {
                        return Err(NotReady::Down {
                            name: held.name.clone(),
                            exit_code: found.exit_code,
                        });
                    }
                    let is_running = found.doing == Doing::Running;
                    let probe = if is_running {
                        found.probe
                    } else {
                        Duration::ZERO
                    };
                    complaint = held.complaint(&found).map(|how| (how, probe));
                    if complaint.is_some() {
                        break;
                    }
                    waiting.pop();
                }
                Ok(complaint)
            },
        )
    }
}

impl HeldUnit {
    pub(super) fn wait_ready(&self, deadline: Instant, cancel: &Cancel) -> Result<(), NotReady> {
        for unit in std::iter::once(&self.unit).chain(&self.dependents) {
            let what = || format!("unit `{unit}`");
            loop {
                let found = self.manager.show(unit, end_of_look(deadline))?;
                if found.is_ready {
                    break;
                }
                if cancel.is_cancelled() {
                    return Err(NotReady::Interrupted { what: what() });
                }
                if Instant::now() + AGAIN >= deadline {
                    let how = format!("is not active but {}", found.words);
                    return Err(NotReady::Late { what: what(), how });
                }
                thread::sleep(AGAIN);
            }
        }
        Ok(())
    }
}

impl HeldCommands {
    pub(super) fn wait_ready(&self, deadline: Instant, cancel: &Cancel) -> Result<(), NotReady> {
        let what = || format!("service `{}`", self.commands.name);
        loop {
            let runs = self.commands.runs(Some(end_of_look(deadline)));
            if matches!(runs, Ok(Some(true) | None)) {
                return Ok(());
            }
            if cancel.is_cancelled() {
                return Err(NotReady::Interrupted { what: what() });
            }
            if Instant::now() + AGAIN >= deadline {
                runs?;
                let state = self.commands.state.as_deref().unwrap_or_default().join(" ");
                let how = format!("does not run, says `{state}`");
                return Err(NotReady::Late { what: what(), how });
            }
            thread::sleep(AGAIN);
        }
    }
}
