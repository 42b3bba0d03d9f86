//! Pause: from here until `resume` hooks may hold the app, so this stretch is kept short.

use copal_hooks::{Cancel, HookFailure};

use crate::calls::Floor;
use crate::capability::artifacts::{Artifact, Artifacts};
use crate::hooks::Hooks;

/// Every pre-backup hook has run; services may be held.
#[derive(Debug)]
pub struct Paused {
    /// What the hooks had made.
    pub artifacts: Vec<Artifact>,
}

/// Runs the pre-backup hooks in the order of the configuration; `artifacts` is where the floor puts
/// what they have made.
pub fn pause(
    hooks: &mut Hooks,
    floor: &Floor,
    artifacts: &Artifacts,
    cancel: &Cancel,
) -> Result<Paused, HookFailure> {
    hooks.pre_backup(floor, cancel)?;
    Ok(Paused {
        artifacts: artifacts.all(),
    })
}
