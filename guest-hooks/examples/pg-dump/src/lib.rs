//! Puts dumps of PostgreSQL databases into the snapshot, made by the owner's command `pg_dump`.
#![forbid(unsafe_code)]

use copal_hook_sdk::{CodedError, Error, ErrorExt, PreBackup, command, info, run};
use serde::Deserialize;

copal_hook_sdk::requests! { command = ["pg_dump"] }

struct PgDump;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Config {
    /// The databases to dump.
    databases: Vec<String>,
    /// Where the dumps are in the snapshot.
    #[serde(default = "postgres")]
    directory: String,
}

fn postgres() -> String {
    "postgres".into()
}

impl PreBackup for PgDump {
    type Config = Config;

    fn run(config: Config) -> Result<(), Error> {
        if config.databases.is_empty() {
            let why = "config: `databases` is empty, so there is nothing to dump";
            return Err(Error::Invalid(why.into()));
        }
        let directory = config.directory.trim_end_matches('/');
        // All names first: none is dumped if one is wrong.
        for database in &config.databases {
            check(database)?;
        }
        for database in &config.databases {
            dump(database, &format!("{directory}/{database}.dump"))
                .map_err(|error| error.about(database))?;
        }
        Ok(())
    }
}

fn dump(database: &str, path: &str) -> Result<(), Error> {
    let captured = command::capture("pg_dump", &[("database", database)], path)?;
    if captured.bytes == 0 && !run::is_dry() {
        return Err(Error::Other(CodedError {
            code: "empty-dump".into(),
            message: "pg_dump wrote nothing".into(),
        }));
    }
    info!("dumped {database}: {} bytes in {path}", captured.bytes);
    Ok(())
}

/// A database's name becomes a file's.
fn check(database: &str) -> Result<(), Error> {
    let sound = !database.is_empty()
        && !database.starts_with(['.', '-'])
        && database
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if sound {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "config: `databases` holds `{database}`; a name has letters, digits, `_`, `-` and `.`"
    )))
}

copal_hook_sdk::hook!(PgDump: PreBackup);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_no_file_of_its_own_is_refused_by_name() {
        for name in ["", "..", "-h", "a/b", "a%b", "host=elsewhere", "a\nb"] {
            let error = check(name).expect_err(name);
            assert!(matches!(error, Error::Invalid(why) if why.contains(name)));
        }
        for name in ["openwebui", "lite-llm_2.old", "Größe"] {
            assert_eq!(check(name).ok(), Some(()), "{name}");
        }
    }
}
