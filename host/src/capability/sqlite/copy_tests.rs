use copal_core::sqlite::SIDECARS;

use super::*;
use crate::edge::interrupt::Signal;

struct Live {
    dir: tempfile::TempDir,
    writer: Connection,
}

impl Live {
    fn new(journal_mode: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let writer = Connection::open(dir.path().join("app ?#%.db")).unwrap();
        writer
            .pragma_update(None, "journal_mode", journal_mode)
            .unwrap();
        writer
            .execute_batch("CREATE TABLE chat (id INTEGER PRIMARY KEY, text TEXT)")
            .unwrap();
        let live = Self { dir, writer };
        live.write(100);
        live
    }

    fn write(&self, rows: usize) {
        for _ in 0..rows {
            self.writer
                .execute("INSERT INTO chat (text) VALUES (hex(randomblob(400)))", [])
                .unwrap();
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("app ?#%.db")
    }

    fn copy(&self) -> PathBuf {
        self.dir.path().join("copy.db")
    }

    fn back_up(&self) -> Result<Copied, SqliteError> {
        back_up(&self.path(), &self.copy(), &Interrupt::default())
    }
}

fn rows(path: &Path) -> u32 {
    open_copy(path)
        .unwrap()
        .query_row("SELECT count(*) FROM chat", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn rows_that_only_the_log_holds_are_in_the_copy() {
    let live = Live::new("wal");
    let copied = live.back_up().unwrap();
    assert_eq!(rows(&live.copy()), 100);
    assert!(copied.has_schema && copied.pages > 2 && copied.page_size == 4096);
    assert!(sidecar(&live.path(), "-wal").exists(), "the live log stays");
    for suffix in SIDECARS {
        assert!(
            !sidecar(&live.copy(), suffix).exists(),
            "the copy has no {suffix}"
        );
    }
}

#[test]
fn a_database_in_rollback_mode_is_copied_too() {
    let live = Live::new("delete");
    live.back_up().unwrap();
    assert_eq!(rows(&live.copy()), 100);
}

#[test]
fn the_live_log_survives_a_copy_that_closes_last() {
    let live = Live::new("wal");
    let wal = sidecar(&live.path(), "-wal");
    let kept = fs::read(&wal).unwrap();
    let Live { dir, writer } = live;
    // Keeps the log in place as a killed application leaves it.
    std::mem::forget(writer);
    back_up(
        &dir.path().join("app ?#%.db"),
        &dir.path().join("copy.db"),
        &Interrupt::default(),
    )
    .unwrap();
    assert_eq!(fs::read(&wal).unwrap(), kept);
}

#[test]
fn a_database_at_rest_is_copied_without_leaving_anything_beside_it() {
    let live = Live::new("wal");
    let (path, copy) = (live.path(), live.copy());
    let Live { dir, writer } = live;
    writer.close().unwrap();
    assert!(!sidecar(&path, "-wal").exists(), "closed in good order");
    back_up(&path, &copy, &Interrupt::default()).unwrap();
    assert_eq!(rows(&copy), 100);
    for suffix in SIDECARS {
        assert!(!sidecar(&path, suffix).exists(), "no {suffix} was made");
    }
    drop(dir);
}

#[test]
fn a_signal_ends_the_wait_for_a_busy_database() {
    let live = Live::new("delete");
    live.writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let interrupt = Interrupt::default();
    let signal = interrupt.clone();
    std::thread::scope(|scope| {
        let (from, to) = (live.path(), live.copy());
        let waiting = scope.spawn(move || back_up(&from, &to, &interrupt));
        signal.raise(Signal::Terminate);
        assert!(matches!(
            waiting.join().unwrap(),
            Err(SqliteError::Interrupted(_))
        ));
    });
}

#[test]
fn the_log_beside_an_empty_file_is_never_touched() {
    let live = Live::new("wal");
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().join("app.db");
    fs::write(&empty, "").unwrap();
    fs::copy(sidecar(&live.path(), "-wal"), sidecar(&empty, "-wal")).unwrap();
    let copied = back_up(&empty, &dir.path().join("copy.db"), &Interrupt::default());
    assert!(
        matches!(copied, Err(SqliteError::EmptyBesideLog)),
        "{copied:?}"
    );
    assert!(sidecar(&empty, "-wal").exists());
}

#[test]
fn a_damaged_database_is_never_called_copied() {
    let live = Live::new("delete");
    let mut bytes = fs::read(live.path()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0xA5);
    fs::write(live.path(), bytes).unwrap();
    assert!(matches!(
        live.back_up(),
        Err(SqliteError::Damaged(_) | SqliteError::Source(_))
    ));
}

#[test]
fn an_empty_database_is_told_apart_from_one_with_tables() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("empty.db");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA user_version = 1").unwrap();
    let copied = back_up(&path, &dir.path().join("copy.db"), &Interrupt::default()).unwrap();
    assert!(!copied.has_schema);
}

#[test]
fn a_database_is_known_by_its_header_whatever_its_name() {
    let live = Live::new("wal");
    assert!(is_database(&live.path()).unwrap());
    let other = live.dir.path().join("not.db");
    for content in [
        &b""[..],
        b"SQLite format 3",
        b"SQLite format 2\0 and more",
        b"x",
    ] {
        fs::write(&other, content).unwrap();
        assert!(!is_database(&other).unwrap(), "{content:?}");
    }
}

#[test]
fn a_signal_ends_a_copy() {
    let live = Live::new("wal");
    let interrupt = Interrupt::default();
    interrupt.raise(Signal::Interrupt);
    let copied = back_up(&live.path(), &live.copy(), &interrupt);
    assert!(matches!(copied, Err(SqliteError::Interrupted(_))));
}

#[test]
fn a_full_disk_is_the_copys_fault_and_not_the_databases() {
    let live = Live::new("wal");
    let copied = back_up(&live.path(), Path::new("/dev/full"), &Interrupt::default());
    assert!(copied.is_err());
}
