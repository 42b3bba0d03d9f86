//! Live databases: known by their header, opened to be read.
//!
//! The source is opened read-only. A read-write connection that closes last checkpoints the log and
//! deletes it, even under an application that still writes to it (when its own locks were lost, which
//! happens to Open WebUI after its "Download database" button): a read-only one can't. The one
//! exception is [`moment`](super::moment), which says why, and how it does no harm.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::at_rest::AtRest;
use super::error::{SqliteError, explain};
use crate::edge::beneath::Beneath;
use crate::edge::interrupt::Interrupt;
use crate::edge::processes::has_open;
use crate::edge::stat::Version;

/// What every SQLite database begins with. Source: <https://sqlite.org/fileformat2.html>, 1.3.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// How long a writer may keep the database busy before it is given up.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks at the signal while a writer keeps it busy.
const LOOK: Duration = Duration::from_millis(200);

/// Whether what begins so is a database.
pub fn begins_one(begins: &[u8; 16]) -> bool {
    begins == MAGIC
}

/// Whether `file` is a database: by its header, or by a log beside a file still empty.
///
/// Not for a file that this process has locked by SQLite: closing it here would end those locks.
pub fn is_database(file: Beneath<'_>) -> io::Result<bool> {
    let mut header = [0; 16];
    let mut reader = file.open_regular()?;
    match reader.read_exact(&mut header) {
        Ok(()) => Ok(begins_one(&header)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            let empty = reader.metadata()?.len() == 0;
            let log = looked_at(file, "-wal");
            Ok(empty && log.is_some_and(|log| log.len() > 0))
        }
        Err(error) => Err(error),
    }
}

/// The path of a database's neighbour.
pub(super) fn sidecar(database: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(database.as_os_str());
    name.push(OsStr::new(suffix));
    PathBuf::from(name)
}

/// A live database in one read transaction.
pub(super) struct Source {
    pub(super) connection: Connection,
    /// Whether it has a log that the transaction reads as well.
    pub(super) has_log: bool,
    /// Set when the database is read without locks.
    lockless: Option<AtRest>,
    /// Device and inode of what the connection reads.
    pub(super) file: (u64, u64),
    /// Those of its log, where it has one.
    log: Option<(u64, u64)>,
}

impl Source {
    /// Opens without writing anything beside the database: opening one in WAL mode that no process has
    /// open would leave a log and an index there, even read-only; they belong to whoever backs up, and the
    /// application might not be able to use them. So such a one is read without locks, and watched for
    /// change; that also serves on a read-only mount, where they can't be made.
    pub(super) fn open(
        live: Beneath<'_>,
        patience: Duration,
        interrupt: &Interrupt,
    ) -> Result<Self, SqliteError> {
        let metadata = live.metadata().map_err(SqliteError::Unreadable)?;
        let log = looked_at(live, "-wal");
        // SQLite takes a log beside an empty file for a leftover, and deletes it, even read-only.
        if metadata.len() == 0 && log.is_some() {
            return Err(SqliteError::EmptyBesideLog);
        }
        let at_rest = AtRest::of(live, Version::of(&metadata));
        let connection = match &at_rest {
            Some(at_rest) => at_rest.open()?,
            None => open_read_only(&live.place(), "")?,
        };
        begin(&connection, "BEGIN", patience, interrupt)?;
        Self::begun(connection, at_rest, live, Version::of(&metadata).file())
    }

    /// The same, and nobody else can end a transaction that writes until it is closed. One that is read
    /// without locks is not locked either, nor one that this process may not write to.
    pub(super) fn lock(
        live: Beneath<'_>,
        patience: Duration,
        interrupt: &Interrupt,
    ) -> Result<Self, SqliteError> {
        // Finds what only the application may mend, which the other one would.
        let reader = Self::open(live, patience, interrupt)?;
        if reader.lockless.is_some() {
            return Ok(reader);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(uri(&live.place(), "?mode=rw"), flags)
            .map_err(SqliteError::Source)?;
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
            .map_err(SqliteError::Source)?;
        if connection
            .is_readonly(rusqlite::MAIN_DB)
            .map_err(SqliteError::Source)?
        {
            return Ok(reader);
        }
        let file = reader.file;
        reader.close()?;
        begin(&connection, "BEGIN IMMEDIATE", patience, interrupt)?;
        Self::begun(connection, None, live, file)
    }

    /// A database that is replaced by a rename has its new file before its new log, or the other way
    /// round: `file` is what lay there before it was opened, and has to lie there still. SQLite opens by
    /// the path, which may have led elsewhere in between: it has to have this file open.
    fn begun(
        connection: Connection,
        lockless: Option<AtRest>,
        live: Beneath<'_>,
        file: (u64, u64),
    ) -> Result<Self, SqliteError> {
        let mode: String = connection
            .query_row("PRAGMA journal_mode", [], |row| row.get(0))
            .map_err(SqliteError::Source)?;
        let has_log = match &lockless {
            Some(at_rest) => at_rest.log.is_some(),
            None => mode == "wal",
        };
        let is_open = has_open(file).map_err(SqliteError::Unreadable)?;
        if !is_open || lies(live, "") != Some(file) {
            return Err(SqliteError::Replaced);
        }
        Ok(Self {
            connection,
            has_log,
            lockless,
            file,
            log: has_log.then(|| lies(live, "-wal")).flatten(),
        })
    }

    /// Its log, opened; an error where another lies there by now.
    pub(super) fn open_log(&self, live: Beneath<'_>) -> Result<Option<File>, SqliteError> {
        if !self.has_log {
            return Ok(None);
        }
        // Nobody locks the log itself: it may be closed.
        let path = sidecar(live.path(), "-wal");
        let log = match live.other(&path).open_regular() {
            Ok(log) => log,
            // SQLite takes no log away while it is read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(SqliteError::Replaced);
            }
            Err(error) => return Err(SqliteError::Unreadable(error)),
        };
        if self.log == Some(identity(&log)?) {
            Ok(Some(log))
        } else {
            Err(SqliteError::Replaced)
        }
    }

    /// Its file, opened; an error where another lies there by now. To be closed after the connection.
    pub(super) fn open_file(&self, live: Beneath<'_>) -> Result<File, SqliteError> {
        if lies(live, "") != Some(self.file) {
            return Err(SqliteError::Replaced);
        }
        let file = live.open_regular().map_err(SqliteError::Unreadable)?;
        if identity(&file)? == self.file {
            Ok(file)
        } else {
            Err(SqliteError::Replaced)
        }
    }

    /// Whether the application may write to it while this lasts.
    pub(super) fn lets_write(&self) -> bool {
        self.has_log && self.lockless.is_none()
    }

    /// Closes it; an error if it changed while it was read without locks.
    pub(super) fn close(self) -> Result<(), SqliteError> {
        self.connection
            .close()
            .map_err(|(_, error)| SqliteError::Source(error))?;
        match self.lockless {
            Some(at_rest) if !at_rest.is_still() => Err(SqliteError::Changed),
            _ => Ok(()),
        }
    }
}

/// What lies beside a database under its name with this suffix; with none, itself.
pub(super) fn looked_at(live: Beneath<'_>, suffix: &str) -> Option<Metadata> {
    let path = sidecar(live.path(), suffix);
    live.other(&path).metadata().ok()
}

/// Device and inode of that.
fn lies(live: Beneath<'_>, suffix: &str) -> Option<(u64, u64)> {
    looked_at(live, suffix).map(|found| Version::of(&found).file())
}

fn identity(file: &File) -> Result<(u64, u64), SqliteError> {
    let metadata = file.metadata().map_err(SqliteError::Unreadable)?;
    Ok(Version::of(&metadata).file())
}

/// Whether its header says that it is in WAL mode. Source: <https://sqlite.org/fileformat2.html>, 1.3.3.
pub(super) fn is_wal(live: Beneath<'_>) -> io::Result<bool> {
    let mut header = [0; 20];
    live.open_regular()?.read_exact(&mut header)?;
    Ok(header[18..20] == [2, 2])
}

pub(super) fn open_read_only(path: &Path, parameters: &str) -> Result<Connection, SqliteError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let uri = uri(path, &format!("?mode=ro{parameters}"));
    Connection::open_with_flags(uri, flags).map_err(SqliteError::Source)
}

/// Begins a transaction that has its lock when this returns, for as long as it lasts.
pub(super) fn begin(
    connection: &Connection,
    begin: &str,
    patience: Duration,
    interrupt: &Interrupt,
) -> Result<(), SqliteError> {
    connection.busy_timeout(LOOK).map_err(SqliteError::Source)?;
    let begin = format!("{begin}; SELECT count(*) FROM sqlite_schema;");
    let deadline = Instant::now() + patience;
    loop {
        interrupt.check()?;
        let done = connection.execute_batch(&begin);
        match done.map_err(|error| explain(error, patience)) {
            Ok(()) => return Ok(()),
            Err(SqliteError::Busy(_)) if Instant::now() < deadline => {
                if !connection.is_autocommit() {
                    connection
                        .execute_batch("ROLLBACK")
                        .map_err(SqliteError::Source)?;
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// A `file:` URI for any path, bytes included. Source: <https://sqlite.org/uri.html>.
pub(super) fn uri(path: &Path, parameters: &str) -> String {
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
    uri + parameters
}

/// Immutable: a copy still marked as WAL would otherwise get a log and an index beside it.
pub(super) fn open_copy(copy: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(uri(copy, "?mode=ro&immutable=1"), flags)
}
