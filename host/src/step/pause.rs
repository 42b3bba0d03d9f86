//! Pause: from here until `resume` hooks may hold the app, so this stretch is kept short.

use std::sync::Arc;

use copal_hooks::Cancel;

use crate::capability::artifacts::{Artifact, Artifacts};
use crate::capability::host::Host;
use copal_hooks::HookFailure;

use crate::hooks::Hooks;

/// Every pre-backup hook has run; services may be held.
#[derive(Debug)]
pub struct Paused {
    /// What the hooks had made.
    pub artifacts: Vec<Artifact>,
}

/// Runs the pre-backup hooks in the order of the configuration; the first that fails ends the run.
pub fn pause(hooks: &mut Hooks, host: Host, cancel: &Cancel) -> Result<Paused, HookFailure> {
    let artifacts: Arc<Artifacts> = Arc::clone(&host.artifacts);
    hooks.pre_backup(&(Arc::new(host) as _), cancel)?;
    Ok(Paused {
        artifacts: artifacts.all(),
    })
}
