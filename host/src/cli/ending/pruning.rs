//! What to do where something was not pruned.

use super::places::of_remote;
use super::reading::of_store;
use super::{Ending, failed, interrupted};
use crate::step::prune::PruneError;

pub(super) fn of_prune(error: &PruneError) -> Ending {
    match error {
        PruneError::Store(store) => of_store(store),
        PruneError::Remote(remote) => of_remote(remote),
        PruneError::NotListed { .. } => failed(
            "the next run tries again; if it says the same, look at what the provider lists (`rclone lsf`)",
        ),
        PruneError::Passed { .. } => failed(
            "most likely another machine makes snapshots of the same name there, or its clock is wrong: give each job a name of its own; `copal prune` prunes all the same",
        ),
        PruneError::Damaged { .. } => failed(
            "it is kept until somebody looks: its files may still be good (`sha256sum -c .copal/SHA256SUMS`); if you don't need them, remove the directory with `rclone purge`",
        ),
        PruneError::NotRemoved { source, .. } => {
            let Ending { exit, next } = of_remote(source);
            let next = format!(
                "{next}; it is no snapshot any more, and the next `copal prune` or backup goes on where this ended"
            );
            Ending { exit, next }
        }
        PruneError::Interrupted(signal) => interrupted(signal.0),
    }
}
