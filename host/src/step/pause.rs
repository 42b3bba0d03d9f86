//! Pause: from here until `resume` hooks may hold the app, so this stretch is kept short.

use copal_hooks::{Cancel, HookFailure};

use crate::calls::Floor;
use crate::capability::artifacts::{Added, Artifact};
use crate::capability::host::Host;
use crate::hooks::Hooks;

/// Every pre-backup hook has run; services may be held.
#[derive(Debug)]
pub struct Paused {
    /// What the hooks had made in place of something.
    pub artifacts: Vec<Artifact>,
    /// What they had made besides.
    pub added: Vec<Added>,
}

/// Runs the pre-backup hooks in the order of the configuration; `view` is the
/// source as `floor` shows it to them.
pub fn pause(
    hooks: &mut Hooks,
    floor: &Floor,
    view: &Host,
    cancel: &Cancel,
) -> Result<Paused, HookFailure> {
    hooks.pre_backup(floor, view, cancel)?;
    Ok(Paused {
        artifacts: view.artifacts.all(),
        added: view.artifacts.added(),
    })
}
