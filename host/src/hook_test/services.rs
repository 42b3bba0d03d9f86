//! The services of a case, and how many of each are held.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use copal_hooks::{CapabilityError, HoldId, HoldWish, ServiceState, Taken};

use super::spec::{ServiceAnswer, ServiceWas};

/// The services that a case speaks of.
pub(super) struct Services {
    answers: BTreeMap<String, ServiceAnswer>,
    /// In a dry run none is held.
    is_dry_run: bool,
    holds: Mutex<Vec<Hold>>,
}

struct Hold {
    service: String,
    how: HoldWish,
    is_over: bool,
}

impl Services {
    pub(super) fn new(answers: BTreeMap<String, ServiceAnswer>, is_dry_run: bool) -> Self {
        Self {
            answers,
            is_dry_run,
            holds: Mutex::default(),
        }
    }

    /// What the service is doing: what it did before, unless it is held.
    pub(super) fn state(&self, name: &str) -> Result<ServiceState, CapabilityError> {
        let before = state(self.answer(name)?.was);
        if before != ServiceState::Running {
            return Ok(before);
        }
        let holds = self.holds();
        let mut held = holds.iter().filter(|hold| hold.service == name);
        let last = held.rfind(|hold| !hold.is_over);
        Ok(last.map_or(before, |hold| match hold.how {
            HoldWish::Pause => ServiceState::Paused,
            HoldWish::Stop { .. } => ServiceState::Stopped,
        }))
    }

    pub(super) fn hold(&self, name: &str, how: HoldWish) -> Result<Taken, CapabilityError> {
        let answer = self.answer(name)?;
        if let Some(why) = answer.error {
            return Err(CapabilityError::Failed(why));
        }
        let mut holds = self.holds();
        holds.push(Hold {
            service: name.to_owned(),
            how,
            is_over: self.is_dry_run,
        });
        Ok(Taken::Held(HoldId(holds.len() as u64 - 1)))
    }

    pub(super) fn release(&self, hold: HoldId) {
        let mut holds = self.holds();
        let at = usize::try_from(hold.0).ok();
        if let Some(hold) = at.and_then(|at| holds.get_mut(at)) {
            hold.is_over = true;
        }
    }

    fn answer(&self, name: &str) -> Result<ServiceAnswer, CapabilityError> {
        match self.answers.get(name) {
            Some(answer) => Ok(answer.clone()),
            None if self.answers.is_empty() => Ok(ServiceAnswer::default()),
            None => Err(CapabilityError::Missing(name.to_owned())),
        }
    }

    fn holds(&self) -> MutexGuard<'_, Vec<Hold>> {
        self.holds.lock().expect("no holder of this lock panics")
    }
}

fn state(was: ServiceWas) -> ServiceState {
    match was {
        ServiceWas::Running => ServiceState::Running,
        ServiceWas::Paused => ServiceState::Paused,
        ServiceWas::Stopped => ServiceState::Stopped,
        ServiceWas::Missing => ServiceState::Missing,
    }
}
