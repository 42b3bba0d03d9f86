//! The phases that are called once.

use serde::de::DeserializeOwned;

use crate::{Error, config, panic};

pub use crate::bindings::imports::copal::hooks::report::Report;

/// Called before the source is staged: for copies that stand in for live files.
pub trait PreBackup {
    /// The hook's `config` table. One that does not fit is an error before [`run`](Self::run).
    type Config: DeserializeOwned;

    /// Does the hook's work. An error ends the run.
    fn run(config: Self::Config) -> Result<(), Error>;
}

/// Called always once, when a run has ended, whatever became of it.
pub trait PostBackup {
    /// The hook's `config` table. One that does not fit is an error before [`run`](Self::run).
    type Config: DeserializeOwned;

    /// Does the hook's work. An error makes the run one that fell short.
    fn run(config: Self::Config, report: &Report) -> Result<(), Error>;
}

/// Called when everything is staged and no service is held any more.
pub trait Staged {
    /// The hook's `config` table. One that does not fit is an error before [`run`](Self::run).
    type Config: DeserializeOwned;

    /// Does the hook's work. An error ends the run.
    fn run(config: Self::Config) -> Result<(), Error>;
}

/// Called before a restore in place, when the snapshot lies complete beside the live tree.
pub trait PreRestore {
    /// The hook's `config` table. One that does not fit is an error before [`run`](Self::run).
    type Config: DeserializeOwned;

    /// Does the hook's work. An error ends the restore.
    fn run(config: Self::Config) -> Result<(), Error>;
}

/// Called always once, when a restore in place has ended, whatever became of it.
pub trait PostRestore {
    /// The hook's `config` table. One that does not fit is an error before [`run`](Self::run).
    type Config: DeserializeOwned;

    /// Does the hook's work. An error makes the restore one that fell short.
    fn run(config: Self::Config, report: &Report) -> Result<(), Error>;
}

/// Called on a restored copy in a scratch directory.
pub trait Drill {
    /// The hook's `config` table. One that does not fit is an error before [`run`](Self::run).
    type Config: DeserializeOwned;

    /// Tries the copy. An error is what is wrong with the snapshot.
    fn run(config: Self::Config) -> Result<(), Error>;
}

/// What an exported `pre-backup` does.
pub fn pre_backup<H: PreBackup>() -> Result<(), Error> {
    panic::log_panics();
    H::run(config::read()?)
}

/// What an exported `staged` does.
pub fn staged<H: Staged>() -> Result<(), Error> {
    panic::log_panics();
    H::run(config::read()?)
}

/// What an exported `pre-restore` does.
pub fn pre_restore<H: PreRestore>() -> Result<(), Error> {
    panic::log_panics();
    H::run(config::read()?)
}

/// What an exported `post-restore` does.
pub fn post_restore<H: PostRestore>(report: &Report) -> Result<(), Error> {
    panic::log_panics();
    H::run(config::read()?, report)
}

/// What an exported `drill` does.
pub fn drill<H: Drill>() -> Result<(), Error> {
    panic::log_panics();
    H::run(config::read()?)
}

/// What an exported `post-backup` does.
pub fn post_backup<H: PostBackup>(report: &Report) -> Result<(), Error> {
    panic::log_panics();
    H::run(config::read()?, report)
}
