//! Pause: from here until `resume` hooks may hold the app, so this stretch is kept short.

use std::sync::Arc;

use copal_hooks::{Cancel, HookFailure};

use crate::capability::artifacts::{Added, Artifact, Artifacts};
use crate::floors::Floor;
use crate::hooks::Hooks;

/// Every pre-backup hook has run; services may be held.
#[derive(Debug)]
pub struct Paused {
    /// What the hooks had made in place of something.
    pub artifacts: Vec<Artifact>,
    /// What they had made besides.
    pub added: Vec<Added>,
    /// All of it, with what is left to be done when the app goes on.
    pub made: Arc<Artifacts>,
}

/// Runs the pre-backup hooks in the order of the configuration.
pub fn pause(hooks: &mut Hooks, floor: &Floor, cancel: &Cancel) -> Result<Paused, HookFailure> {
    hooks.pre_backup(floor, cancel)?;
    Ok(Paused {
        artifacts: floor.view.artifacts.all(),
        added: floor.view.artifacts.added(),
        made: Arc::clone(&floor.view.artifacts),
    })
}
