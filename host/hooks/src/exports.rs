//! The phases that a component exports, found once and looked up by number from then on.

use wasmtime::component::{Instance, InstancePre};
use wasmtime::{AsContextMut, Result};

use crate::bindings::exports::copal::hooks::{filter, post_backup, pre_backup};
use crate::call::State;
use crate::{Flaw, Phase};

/// Where each exported phase is. What a component exports is what it takes part in.
#[derive(Default)]
pub(crate) struct Exports {
    pub(crate) pre_backup: Option<pre_backup::GuestIndices>,
    pub(crate) filter: Option<filter::GuestIndices>,
    pub(crate) post_backup: Option<post_backup::GuestIndices>,
}

impl Exports {
    pub(crate) fn of(phases: &[Phase], pre: &InstancePre<State>) -> Result<Self, Flaw> {
        let mut exports = Self::default();
        for &phase in phases {
            let found = match phase {
                Phase::PreBackup => pre_backup::GuestIndices::new(pre)
                    .map(|indices| exports.pre_backup = Some(indices)),
                Phase::Filter => {
                    filter::GuestIndices::new(pre).map(|indices| exports.filter = Some(indices))
                }
                Phase::PostBackup => post_backup::GuestIndices::new(pre)
                    .map(|indices| exports.post_backup = Some(indices)),
            };
            found.map_err(|error| Flaw::UnfitPhase {
                phase,
                why: format!("{error:#}"),
            })?;
        }
        Ok(exports)
    }

    pub(crate) fn has(&self, phase: Phase) -> bool {
        match phase {
            Phase::PreBackup => self.pre_backup.is_some(),
            Phase::Filter => self.filter.is_some(),
            Phase::PostBackup => self.post_backup.is_some(),
        }
    }
}

/// One phase's place in a component, and the functions found there in an instance.
pub(crate) trait Indices {
    type Functions;

    /// Fails where a function has another type than the one that is called.
    fn load(&self, store: impl AsContextMut, instance: &Instance) -> Result<Self::Functions>;
}

impl Indices for pre_backup::GuestIndices {
    type Functions = pre_backup::Guest;
    fn load(&self, store: impl AsContextMut, instance: &Instance) -> Result<Self::Functions> {
        self.load(store, instance)
    }
}

impl Indices for filter::GuestIndices {
    type Functions = filter::Guest;
    fn load(&self, store: impl AsContextMut, instance: &Instance) -> Result<Self::Functions> {
        self.load(store, instance)
    }
}

impl Indices for post_backup::GuestIndices {
    type Functions = post_backup::Guest;
    fn load(&self, store: impl AsContextMut, instance: &Instance) -> Result<Self::Functions> {
        self.load(store, instance)
    }
}
