//! The run that the hook is part of.

use std::time::Duration;

use crate::Error;
use crate::bindings::imports::copal::hooks::run_info;

/// The run's identifier: the same for all hooks and phases of one run.
pub fn id() -> String {
    run_info::run_id()
}

/// The name of the job that is run.
pub fn job() -> String {
    run_info::job()
}

/// The name of the phase that is being called.
pub fn phase() -> String {
    run_info::phase()
}

/// Whether the run only tells what it would do. Capabilities then do nothing by themselves.
pub fn is_dry() -> bool {
    run_info::dry_run()
}

/// The identifier of the snapshot that is being restored or drilled; none in a backup.
pub fn snapshot() -> Option<String> {
    run_info::snapshot()
}

/// A figure of the run by its name: `files` or `bytes` of what is staged, or of the snapshot.
pub fn counter(name: &str) -> Option<u64> {
    run_info::counter(name)
}

/// How much longer the hook may compute or wait in this call.
pub fn time_left() -> Duration {
    Duration::from_millis(run_info::time_left_ms())
}

/// Writes a fact about the source into the snapshot's manifest. In `pre-backup` alone.
pub fn record(key: &str, value: &str) -> Result<(), Error> {
    run_info::record(key, value)
}

pub(crate) fn config() -> String {
    run_info::config()
}
