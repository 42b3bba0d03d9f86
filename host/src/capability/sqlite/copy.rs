//! Online backup of live SQLite databases.
//!
//! The source is opened read-only, always. A read-write connection that closes last checkpoints the
//! log and deletes it, even under an application that still writes to it (when its own locks were
//! lost, which happens to Open WebUI after its "Download database" button): a read-only one can't.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::edge::interrupt::{Interrupt, Interrupted};
use crate::edge::open::open_regular;
use crate::edge::stat::Version;

/// What every SQLite database begins with. Source: <https://sqlite.org/fileformat2.html>, 1.3.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Pages copied between two looks at the signal and the clock: 16 MiB at the usual page size.
const PAGES_PER_STEP: i32 = 4096;

/// How long a writer may keep the database busy before the copy gives up.
const BUSY_LIMIT: Duration = Duration::from_secs(30);

/// Between two looks at the signal while a writer keeps it busy.
const LOOK: Duration = Duration::from_millis(200);

/// Whether `file` is a database: by its header, or by a log beside a file still empty.
pub fn is_database(file: &Path) -> io::Result<bool> {
    let mut header = [0; 16];
    let mut reader = open_regular(file)?;
    match reader.read_exact(&mut header) {
        Ok(()) => Ok(&header == MAGIC),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            let empty = reader.metadata()?.len() == 0;
            let log = fs::metadata(sidecar(file, "-wal"));
            Ok(empty && log.is_ok_and(|log| log.len() > 0))
        }
        Err(error) => Err(error),
    }
}

/// The path of a database's neighbour.
fn sidecar(database: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(database.as_os_str());
    name.push(OsStr::new(suffix));
    PathBuf::from(name)
}

/// A copy that was made and checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Number of pages.
    pub pages: u64,
    /// Bytes in each.
    pub page_size: u32,
    /// Whether it holds any table, index or view at all.
    pub has_schema: bool,
}

/// Why there is no good copy.
#[derive(Debug, thiserror::Error)]
pub enum SqliteError {
    /// The live database can't be opened or read.
    #[error("can't read it: {0}")]
    Source(#[source] rusqlite::Error),
    /// The file can't be looked at.
    #[error("can't read it: {0}")]
    Unreadable(#[source] io::Error),
    /// An empty file beside a log that holds everything: only the application may open it.
    #[error("it is empty, and a log with data lies beside it, which only the application may read")]
    EmptyBesideLog,
    /// The copy can't be written.
    #[error("can't write the copy: {0}")]
    Copy(#[source] rusqlite::Error),
    /// It stayed locked by a writer.
    #[error("a writer kept it locked for {} s", .0.as_secs())]
    Busy(Duration),
    /// A crash left a journal that only the application may roll back.
    #[error("a crash left an unfinished transaction beside it, which only a writer may roll back")]
    HotJournal,
    /// It changed while it was read without locks.
    #[error("it was opened by a writer in the middle of the copy")]
    Changed,
    /// The copy failed its check.
    #[error("integrity check failed: {0}")]
    Damaged(String),
    /// A signal came.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Copies the live database `from` into the new file `to` and checks the copy.
///
/// One read transaction spans the whole copy, so that it is of one moment and no writer makes it
/// start over. In WAL mode writers go on meanwhile; in rollback mode they wait, as they would for
/// any reader.
pub fn back_up(from: &Path, to: &Path, interrupt: &Interrupt) -> Result<Copied, SqliteError> {
    match back_up_once(from, to, interrupt) {
        // A writer came in the middle; from now on there is a log, and locks are taken.
        Err(SqliteError::Changed) => {
            fs::remove_file(to).map_err(SqliteError::Unreadable)?;
            back_up_once(from, to, interrupt)
        }
        other => other,
    }
}

fn back_up_once(from: &Path, to: &Path, interrupt: &Interrupt) -> Result<Copied, SqliteError> {
    let source = open_source(from, interrupt)?;
    let pages = copy_pages(&source.connection, to, interrupt)?;
    source.close()?;
    let (page_size, has_schema) = check(to, interrupt)?;
    Ok(Copied {
        pages,
        page_size,
        has_schema,
    })
}

pub(super) struct Source {
    pub(super) connection: Connection,
    /// Set when the database is read without locks: which version of the file that was.
    lockless: Option<(PathBuf, Version)>,
}

impl Source {
    /// Closes it; an error if it changed while it was read without locks.
    pub(super) fn close(self) -> Result<(), SqliteError> {
        self.connection
            .close()
            .map_err(|(_, error)| SqliteError::Source(error))?;
        let Some((path, before)) = self.lockless else {
            return Ok(());
        };
        let unchanged = fs::metadata(&path).is_ok_and(|now| Version::of(&now) == before);
        if unchanged && !sidecar(&path, "-wal").exists() {
            Ok(())
        } else {
            Err(SqliteError::Changed)
        }
    }
}

/// Opens read-only, without writing anything beside the database: opening one in WAL mode that no
/// process has open would leave a log and an index there, which belong to whoever backs up, and the
/// application might not be able to use them. So such a one is read without locks, and watched for
/// change; that also serves on a read-only mount, where they can't be made.
pub(super) fn open_source(path: &Path, interrupt: &Interrupt) -> Result<Source, SqliteError> {
    let metadata = fs::metadata(path).map_err(SqliteError::Unreadable)?;
    // SQLite takes a log beside an empty file for a leftover, and deletes it, even read-only.
    if metadata.len() == 0 && sidecar(path, "-wal").exists() {
        return Err(SqliteError::EmptyBesideLog);
    }
    let at_rest = is_wal(path).unwrap_or(false) && !sidecar(path, "-wal").exists();
    if !at_rest {
        let connection = open_read_only(path, "", interrupt)?;
        return Ok(Source {
            connection,
            lockless: None,
        });
    }
    let version = Version::of(&metadata);
    let connection = open_read_only(path, "&immutable=1", interrupt)?;
    Ok(Source {
        connection,
        lockless: Some((path.to_owned(), version)),
    })
}

/// Whether its header says that it is in WAL mode. Source: <https://sqlite.org/fileformat2.html>, 1.3.3.
fn is_wal(path: &Path) -> io::Result<bool> {
    let mut header = [0; 20];
    open_regular(path)?.read_exact(&mut header)?;
    Ok(header[18..20] == [2, 2])
}

fn open_read_only(
    path: &Path,
    parameters: &str,
    interrupt: &Interrupt,
) -> Result<Connection, SqliteError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(uri(path, parameters), flags).map_err(SqliteError::Source)?;
    connection.busy_timeout(LOOK).map_err(SqliteError::Source)?;
    // Takes the read lock, which the backup then shares from its first page to its last.
    let begin = || connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;");
    let deadline = Instant::now() + BUSY_LIMIT;
    loop {
        interrupt.check()?;
        match begin().map_err(explain_source_error) {
            Ok(()) => break,
            Err(SqliteError::Busy(_)) if Instant::now() < deadline => {
                connection
                    .execute_batch("ROLLBACK")
                    .map_err(SqliteError::Source)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(connection)
}

fn explain_source_error(error: rusqlite::Error) -> SqliteError {
    const READONLY_ROLLBACK: i32 = rusqlite::ffi::SQLITE_READONLY_ROLLBACK;
    let extended = error.sqlite_error().map(|error| error.extended_code);
    match (error.sqlite_error_code(), extended) {
        (_, Some(READONLY_ROLLBACK)) => SqliteError::HotJournal,
        (Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked), _) => {
            SqliteError::Busy(BUSY_LIMIT)
        }
        _ => SqliteError::Source(error),
    }
}

/// A `file:` URI for any path, bytes included. Source: <https://sqlite.org/uri.html>.
fn uri(path: &Path, parameters: &str) -> String {
    use std::fmt::Write as _;
    use std::os::unix::ffi::OsStrExt;
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            write!(uri, "%{byte:02X}").expect("a String takes every write");
        }
    }
    uri + "?mode=ro" + parameters
}

fn copy_pages(source: &Connection, to: &Path, interrupt: &Interrupt) -> Result<u64, SqliteError> {
    let mut copy = Connection::open(to).map_err(SqliteError::Copy)?;
    // The copy is thrown away with the run if anything fails: it needs no journal of its own.
    copy.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;",
    )
    .map_err(SqliteError::Copy)?;
    let pages = {
        let backup = Backup::new(source, &mut copy).map_err(SqliteError::Source)?;
        let mut deadline = Instant::now() + BUSY_LIMIT;
        loop {
            interrupt.check()?;
            match backup.step(PAGES_PER_STEP).map_err(step_error)? {
                StepResult::Done => break,
                StepResult::Busy | StepResult::Locked if Instant::now() > deadline => {
                    return Err(SqliteError::Busy(BUSY_LIMIT));
                }
                StepResult::Busy | StepResult::Locked => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                // It goes on: patience begins anew.
                _ => deadline = Instant::now() + BUSY_LIMIT,
            }
        }
        u64::try_from(backup.progress().pagecount).unwrap_or(0)
    };
    copy.close()
        .map_err(|(_, error)| SqliteError::Copy(error))?;
    Ok(pages)
}

/// A step reads one file and writes another; only a full disk or a failed write is the copy's.
fn step_error(error: rusqlite::Error) -> SqliteError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => SqliteError::Copy(error),
        _ => explain_source_error(error),
    }
}

/// `PRAGMA integrity_check` on the copy; nothing is shipped that does not pass it.
fn check(copy: &Path, interrupt: &Interrupt) -> Result<(u32, bool), SqliteError> {
    let mut connection =
        open_copy(copy).map_err(|error| SqliteError::Damaged(error.to_string()))?;
    let watched = interrupt.clone();
    connection
        .progress_handler(100_000, Some(move || watched.signal().is_some()))
        .map_err(SqliteError::Copy)?;
    let findings: Result<Vec<String>, _> = connection
        .prepare("PRAGMA integrity_check(5)")
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect());
    interrupt.check()?;
    match findings {
        Ok(findings) if findings == ["ok"] => {}
        Ok(findings) => return Err(SqliteError::Damaged(findings.join("; "))),
        Err(error) => return Err(SqliteError::Damaged(error.to_string())),
    }
    let read = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, u32>(0));
    let page_size = read("PRAGMA page_size").map_err(SqliteError::Copy)?;
    let objects = read("SELECT count(*) FROM sqlite_schema").map_err(SqliteError::Copy)?;
    Ok((page_size, objects > 0))
}

/// Immutable: a copy still marked as WAL would otherwise get a log and an index beside it.
pub(super) fn open_copy(copy: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(uri(copy, "&immutable=1"), flags)
}

#[cfg(test)]
#[path = "copy_tests.rs"]
mod tests;
