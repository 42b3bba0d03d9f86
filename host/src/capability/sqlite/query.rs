//! Rows of a database, for a hook that may read them.
//!
//! The statement is a stranger's: it may read this one database and compute, no more. Attaching
//! another file, pragmas and everything that writes are refused before they are run.

use std::time::{Duration, Instant};

use copal_hooks::QUERY_ANSWER;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, Row};
use serde_json::{Map, Value};

use super::error::SqliteError;
use crate::edge::interrupt::Interrupt;

/// How long one statement may run.
pub(super) const LONGEST: Duration = Duration::from_secs(20);

/// What the values that a statement has in hand may come to, in bytes, shared out among its columns. Apps keep
/// texts that are far longer than any answer: a whole chat with its images, say. Such a one can be looked at.
const IN_HAND: usize = 256 * 1024 * 1024;

/// Steps of SQLite's machine between two looks at the clock and the signal.
pub(super) const STEPS: i32 = 10_000;

/// At most `limit` rows, as a JSON list of objects.
pub(super) fn rows(
    connection: &mut Connection,
    sql: &str,
    limit: u32,
    interrupt: &Interrupt,
) -> Result<String, SqliteError> {
    fence(connection, interrupt.clone()).map_err(SqliteError::Source)?;
    let began = Instant::now();
    let answer = ask(connection, sql, limit);
    interrupt.check()?;
    answer.map_err(|error| match error {
        SqliteError::Source(_) if began.elapsed() >= LONGEST => SqliteError::TooLong(LONGEST),
        other => other,
    })
}

fn fence(connection: &mut Connection, interrupt: Interrupt) -> rusqlite::Result<()> {
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.authorizer(Some(|asked: AuthContext<'_>| match asked.action {
        AuthAction::Select
        | AuthAction::Read { .. }
        | AuthAction::Function { .. }
        | AuthAction::Recursive => Authorization::Allow,
        _ => Authorization::Deny,
    }))?;
    let deadline = Instant::now() + LONGEST;
    let over = move || interrupt.signal().is_some() || Instant::now() >= deadline;
    connection.progress_handler(STEPS, Some(over))
}

fn ask(connection: &Connection, sql: &str, limit: u32) -> Result<String, SqliteError> {
    let mut statement = connection.prepare(sql).map_err(refused)?;
    let columns = statement.column_count();
    if !statement.readonly() || columns == 0 || statement.parameter_count() > 0 {
        let why = "it is no statement that reads and answers with rows";
        return Err(SqliteError::Refused(why.into()));
    }
    let longest = longest_value(columns);
    connection
        .set_limit(Limit::SQLITE_LIMIT_LENGTH, longest)
        .map_err(SqliteError::Source)?;
    let too_long = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::TooBig) => {
            let why = format!("it comes to a value of more than {longest} bytes");
            SqliteError::Refused(why)
        }
        _ => SqliteError::Source(error),
    };
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([]).map_err(refused)?;
    let mut answer = String::from("[");
    let mut left = limit;
    while left > 0 {
        let Some(row) = rows.next().map_err(too_long)? else {
            break;
        };
        if left < limit {
            answer.push(',');
        }
        left -= 1;
        let room = QUERY_ANSWER.saturating_sub(answer.len());
        answer.push_str(&object(row, &names, room)?);
        if answer.len() >= QUERY_ANSWER {
            return Err(too_much());
        }
    }
    answer.push(']');
    Ok(answer)
}

fn refused(error: rusqlite::Error) -> SqliteError {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => SqliteError::Source(error),
        _ => SqliteError::Refused(error.to_string()),
    }
}

fn too_much() -> SqliteError {
    SqliteError::Refused(format!("its rows are more than {QUERY_ANSWER} bytes"))
}

/// How long one value may be in a statement that has so many columns, each of which may be as long.
fn longest_value(columns: usize) -> i32 {
    let share = IN_HAND / columns.max(1);
    i32::try_from(share.max(QUERY_ANSWER)).unwrap_or(i32::MAX)
}

/// A row, of which no more is taken out of SQLite than there is room for.
fn object(row: &Row<'_>, names: &[String], room: usize) -> Result<String, SqliteError> {
    let mut object = Map::new();
    let mut taken = 0;
    for (column, name) in names.iter().enumerate() {
        let found = row.get_ref(column).map_err(SqliteError::Source)?;
        taken += match found {
            ValueRef::Text(text) => text.len(),
            ValueRef::Blob(bytes) => bytes.len() * 2,
            ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => 0,
        };
        if taken > room {
            return Err(too_much());
        }
        object.insert(name.clone(), value(found));
    }
    Ok(Value::Object(object).to_string())
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        // Infinity is no number of JSON.
        ValueRef::Real(number) => serde_json::Number::from_f64(number)
            .map_or_else(|| number.to_string().into(), Value::Number),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Blob(bytes) => {
            use std::fmt::Write as _;
            let mut digits = String::with_capacity(bytes.len() * 2);
            for byte in bytes {
                write!(digits, "{byte:02x}").expect("a String takes every write");
            }
            digits.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask_of(sql: &str) -> Result<String, SqliteError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.db");
        let made = "CREATE TABLE chat (id INTEGER PRIMARY KEY, text TEXT, seen REAL, raw BLOB);
            INSERT INTO chat VALUES (1, 'a \"b\"', 0.5, x'00ff'), (2, NULL, 1e999, NULL);";
        let mut connection = Connection::open(path).unwrap();
        connection.execute_batch(made).unwrap();
        rows(&mut connection, sql, 2, &Interrupt::default())
    }

    #[test]
    fn rows_are_objects_by_the_names_of_their_columns() {
        let found = ask_of("SELECT * FROM chat ORDER BY id").unwrap();
        let expected = r#"[{"id":1,"raw":"00ff","seen":0.5,"text":"a \"b\""},"#.to_owned()
            + r#"{"id":2,"raw":null,"seen":"inf","text":null}]"#;
        assert_eq!(found, expected);
        assert_eq!(ask_of("SELECT id FROM chat WHERE id = 7").unwrap(), "[]");
        let numbers =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
        assert_eq!(
            ask_of(numbers).unwrap(),
            r#"[{"i":1},{"i":2}]"#,
            "the limit"
        );
    }

    #[track_caller]
    fn is_refused(sql: &str) {
        let answer = ask_of(sql);
        assert!(
            matches!(answer, Err(SqliteError::Refused(_))),
            "{sql}: {answer:?}"
        );
    }

    #[test]
    fn what_does_not_only_read_this_database_is_refused() {
        for sql in [
            "DELETE FROM chat",
            "INSERT INTO chat (text) VALUES ('x') RETURNING id",
            "ATTACH '/etc/passwd' AS other",
            "PRAGMA user_version = 3",
            "PRAGMA table_info(chat)",
            "VACUUM INTO '/tmp/copy.db'",
            "SELECT 1; SELECT 2",
            "SELECT * FROM nothing",
            "SELECT ?1",
            "BEGIN",
            "",
        ] {
            is_refused(sql);
        }
    }

    #[test]
    fn no_code_is_loaded() {
        assert!(ask_of("SELECT load_extension('x')").is_err());
    }

    #[test]
    fn an_answer_that_is_too_large_is_refused_and_not_cut() {
        is_refused("SELECT hex(zeroblob(400000)) AS a, hex(zeroblob(400000)) AS b");
        for sql in [
            "SELECT hex(zeroblob(3000000))",
            "SELECT zeroblob(600000)",
            "SELECT hex(zeroblob(2000000000))",
            "SELECT length(zeroblob(200000000)), 1",
        ] {
            is_refused(sql);
        }
    }

    #[test]
    fn what_is_longer_than_any_answer_can_be_looked_at() {
        let long = "WITH long(text) AS (SELECT hex(zeroblob(20000000)) || 'the end')
            SELECT length(text) AS n, substr(text, -3) AS last, instr(text, 'end') > 0 AS found FROM long";
        let expected = r#"[{"found":1,"last":"end","n":40000007}]"#;
        assert_eq!(ask_of(long).unwrap(), expected);
    }
}
