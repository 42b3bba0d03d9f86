//! Has consistent copies made of SQLite databases, which stand in for the live files.
//!
//! Config: `databases`, a list of names. Without it, all that were found and granted are copied,
//! and finding none is fine; one that is named must be there. Wants the grant `sqlite`.
#![forbid(unsafe_code)]

use copal_hook_sdk::{Error, ErrorExt, PreBackup, info, sqlite};
use serde::Deserialize;

struct SqliteBackup;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    databases: Option<Vec<String>>,
}

impl PreBackup for SqliteBackup {
    type Config = Config;

    fn run(config: Config) -> Result<(), Error> {
        let databases = match config.databases {
            Some(named) => named,
            None => sqlite::databases()?,
        };
        for database in &databases {
            copy(database).map_err(|error| error.about(database))?;
        }
        Ok(())
    }
}

fn copy(database: &str) -> Result<(), Error> {
    let copied = sqlite::backup(database)?;
    match copied.pages.saturating_mul(copied.page_size.into()) {
        // In a dry run, which copies nothing.
        0 => info!("would copy {database}"),
        bytes => info!("copied {database}: {bytes} bytes"),
    }
    Ok(())
}

copal_hook_sdk::hook!(SqliteBackup: PreBackup);
