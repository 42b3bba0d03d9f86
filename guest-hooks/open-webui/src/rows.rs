//! Questions to a database.

use copal_hook_sdk::{Error, debug, sqlite};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What a statement finds, at most `limit` rows.
pub(crate) fn rows<T: DeserializeOwned>(
    database: &str,
    sql: &str,
    limit: u32,
) -> Result<Vec<T>, Error> {
    let rows = sqlite::query(database, sql, limit)?;
    serde_json::from_str(&rows)
        .map_err(|error| Error::Failed(format!("the rows of {database}: {error}")))
}

/// The number `it` of the first row; 0 where it is not known.
pub(crate) fn count(database: &str, sql: &str) -> Result<u64, Error> {
    let answer = first(database, sql)?;
    Ok(answer.and_then(|answer| answer.as_u64()).unwrap_or(0))
}

/// The column `it` of the first row. None also where this version of the app has no such table.
pub(crate) fn first(database: &str, sql: &str) -> Result<Option<Value>, Error> {
    let mut rows: Vec<Value> = match rows(database, sql, 1) {
        Err(Error::Invalid(why) | Error::TimedOut(why)) => {
            debug!("not known: {why}");
            return Ok(None);
        }
        rows => rows?,
    };
    Ok(rows.first_mut().map(|row| row["it"].take()))
}

/// A text as SQL has it.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
