//! Opening databases as the app does, and as a careful onlooker does.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

/// Open WebUI's connection to `webui.db`: write-ahead log, `synchronous=NORMAL`.
///
/// Closing it leaves `-wal` and `-shm` where they are, as the app does when it is stopped: the
/// newest rows are then in the log alone.
pub(crate) fn open_webui(path: &Path) -> anyhow::Result<Connection> {
    let connection = open(path)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    anyhow::ensure!(mode == "wal", "{} stays in mode {mode}", path.display());
    connection.pragma_update(None, "synchronous", "normal")?;
    Ok(connection)
}

/// Chroma's connection to `chroma.sqlite3`: a rollback journal, so a reader and the writer wait
/// for each other.
pub(crate) fn open_chroma(path: &Path) -> anyhow::Result<Connection> {
    let connection = open(path)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "delete", |row| row.get(0))?;
    anyhow::ensure!(mode == "delete", "{} stays in mode {mode}", path.display());
    Ok(connection)
}

/// What an app that was killed leaves: a database of one row, its log, and the log's index.
pub fn leave_a_database(path: &Path) -> anyhow::Result<()> {
    let app = Connection::open(path)?;
    app.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    app.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1);")?;
    app.close().map_err(|(_, error)| error)?;
    for suffix in ["-wal", "-shm"] {
        let beside = path.with_extension(format!("db{suffix}"));
        anyhow::ensure!(beside.exists(), "there is no {}", beside.display());
    }
    Ok(())
}

fn open(path: &Path) -> anyhow::Result<Connection> {
    let connection =
        Connection::open(path).with_context(|| format!("could not open {}", path.display()))?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}

/// Opens a database that nobody writes to, leaving no trace: a database in WAL mode would
/// otherwise get a `-wal` and a `-shm` from being looked at.
pub(crate) fn open_still(path: &Path) -> anyhow::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            write!(uri, "%{byte:02X}").expect("a String takes any text");
        }
    }
    uri.push_str("?immutable=1");
    Connection::open_with_flags(uri, flags)
        .with_context(|| format!("could not open {}", path.display()))
}

/// What `PRAGMA integrity_check` finds: `ok`, or the faults.
pub(crate) fn integrity(connection: &Connection) -> rusqlite::Result<String> {
    let mut statement = connection.prepare("PRAGMA integrity_check(10)")?;
    let lines: rusqlite::Result<Vec<String>> = statement.query_map([], |row| row.get(0))?.collect();
    Ok(lines?.join("; "))
}
