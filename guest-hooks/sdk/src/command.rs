//! Commands of the owner's, as far as they were granted (`command`).
//!
//! ```no_run
//! # fn main() -> Result<(), copal_hook_sdk::Error> {
//! use copal_hook_sdk::command;
//!
//! let dump = command::capture("pg_dump", &[("database", "litellm")], "postgres/litellm.dump")?;
//! assert!(dump.bytes > 0);
//! # Ok(())
//! # }
//! ```

use crate::Error;
use crate::bindings::imports::copal::hooks::command;

pub use command::{Captured, Finished};

/// Runs the command of that name to its end, with a value for each of its placeholders. An exit
/// code other than 0 is no error here.
///
/// Errors: `denied`; `missing` for a name that copal.toml does not have; `invalid` for a
/// placeholder that the command does not have, one that was given no value or several, and a value
/// that the owner does not allow; `timed-out`; `failed` where it can't be started.
pub fn run(name: &str, placeholders: &[(&str, &str)]) -> Result<Finished, Error> {
    command::run(name, &arguments(placeholders))
}

/// Runs the command of that name, and writes what it writes to its standard output into the
/// snapshot, as the file `path`. In `pre-backup` alone.
///
/// Errors: as [`run`]; `invalid` also for a path that leads out of the source or is in use there;
/// `failed` also for an exit code other than 0.
pub fn capture(name: &str, placeholders: &[(&str, &str)], path: &str) -> Result<Captured, Error> {
    command::capture(name, &arguments(placeholders), path)
}

fn arguments(placeholders: &[(&str, &str)]) -> Vec<command::Argument> {
    let argument = |&(name, value): &(&str, &str)| command::Argument {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    placeholders.iter().map(argument).collect()
}
