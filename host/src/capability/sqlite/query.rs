//! Rows of a database, for a hook that may read them.
//!
//! The statement is a stranger's: it may read this one database and compute, no more. Attaching
//! another file, pragmas and everything that writes are refused before they are run.

use std::time::{Duration, Instant};

use copal_hooks::QUERY_ANSWER;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use serde_json::{Map, Value};

use super::error::SqliteError;
use crate::edge::interrupt::Interrupt;

/// How long one statement may run.
const LONGEST: Duration = Duration::from_secs(20);

/// Steps of SQLite's machine between two looks at the clock and the signal.
const STEPS: i32 = 10_000;

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
    let longest = i32::try_from(QUERY_ANSWER).unwrap_or(i32::MAX);
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, longest)?;
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
    let refused = |error: rusqlite::Error| match error {
        error if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) => {
            SqliteError::Source(error)
        }
        error => SqliteError::Refused(error.to_string()),
    };
    let mut statement = connection.prepare(sql).map_err(refused)?;
    if !statement.readonly() || statement.column_count() == 0 || statement.parameter_count() > 0 {
        let why = "it is no statement that reads and answers with rows";
        return Err(SqliteError::Refused(why.into()));
    }
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([]).map_err(refused)?;
    let mut answer = String::from("[");
    let mut left = limit;
    while left > 0 {
        let Some(row) = rows.next().map_err(SqliteError::Source)? else {
            break;
        };
        if left < limit {
            answer.push(',');
        }
        left -= 1;
        answer.push_str(&object(row, &names).map_err(SqliteError::Source)?);
        if answer.len() >= QUERY_ANSWER {
            let why = format!("its rows are more than {QUERY_ANSWER} bytes");
            return Err(SqliteError::Refused(why));
        }
    }
    answer.push(']');
    Ok(answer)
}

fn object(row: &Row<'_>, names: &[String]) -> rusqlite::Result<String> {
    let mut object = Map::new();
    for (column, name) in names.iter().enumerate() {
        object.insert(name.clone(), value(row.get_ref(column)?));
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
            let answer = ask_of(sql);
            assert!(
                matches!(answer, Err(SqliteError::Refused(_))),
                "{sql}: {answer:?}"
            );
        }
    }

    #[test]
    fn no_code_is_loaded() {
        assert!(ask_of("SELECT load_extension('x')").is_err());
    }

    #[test]
    fn an_answer_that_is_too_large_is_refused_and_not_cut() {
        let answer = ask_of("SELECT hex(zeroblob(400000)) AS a, hex(zeroblob(400000)) AS b");
        assert!(matches!(answer, Err(SqliteError::Refused(_))), "{answer:?}");
        assert!(ask_of("SELECT hex(zeroblob(2000000000))").is_err());
    }
}
