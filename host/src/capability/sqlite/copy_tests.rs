use copal_core::sqlite::SIDECARS;

use super::*;
use crate::capability::sqlite::is_database;
use crate::capability::sqlite::source::open_copy;
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
        back_up(
            Beneath::at(&self.path()),
            &self.copy(),
            &Interrupt::default(),
        )
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
        Beneath::at(&dir.path().join("app ?#%.db")),
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
    back_up(Beneath::at(&path), &copy, &Interrupt::default()).unwrap();
    assert_eq!(rows(&copy), 100);
    for suffix in SIDECARS {
        assert!(!sidecar(&path, suffix).exists(), "no {suffix} was made");
    }
    drop(dir);
}

/// As a killed application leaves a database whose index in shared memory went with the machine.
fn left_without_an_index(live: &Live) -> PathBuf {
    let left = live.dir.path().join("left");
    fs::create_dir(&left).unwrap();
    let path = left.join("app.db");
    fs::copy(live.path(), &path).unwrap();
    fs::copy(sidecar(&live.path(), "-wal"), sidecar(&path, "-wal")).unwrap();
    path
}

#[test]
fn a_log_without_an_index_is_read_and_nothing_else_is_made_beside_it() {
    let live = Live::new("wal");
    let path = left_without_an_index(&live);
    let log = fs::read(sidecar(&path, "-wal")).unwrap();
    let view = View::open(
        Beneath::at(&path),
        &live.copy(),
        PATIENCE,
        &Interrupt::default(),
    )
    .unwrap();
    assert!(!view.lets_write(), "it is not locked");
    let expected = view.expected().unwrap();
    let copied = view.copy(&Interrupt::default()).unwrap();
    let copied = copied.check(&Interrupt::default()).unwrap();
    assert_eq!((rows(&live.copy()), copied), (100, expected));
    assert_eq!(fs::read(sidecar(&path, "-wal")).unwrap(), log);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 2);
}

#[test]
fn an_application_that_opens_a_log_without_an_index_meanwhile_is_noticed() {
    let live = Live::new("wal");
    let path = left_without_an_index(&live);
    let view = View::open(
        Beneath::at(&path),
        &live.copy(),
        PATIENCE,
        &Interrupt::default(),
    )
    .unwrap();
    let app = Connection::open(&path).unwrap();
    app.execute("INSERT INTO chat (text) VALUES ('new')", [])
        .unwrap();
    let copied = view.copy(&Interrupt::default());
    assert!(matches!(copied, Err(SqliteError::Changed)));
}

#[test]
fn a_signal_ends_the_wait_for_a_busy_database() {
    let live = Live::new("delete");
    live.writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let interrupt = Interrupt::default();
    let signal = interrupt.clone();
    std::thread::scope(|scope| {
        let (from, to) = (live.path(), live.copy());
        let waiting = scope.spawn(move || back_up(Beneath::at(&from), &to, &interrupt));
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
    let copied = back_up(
        Beneath::at(&empty),
        &dir.path().join("copy.db"),
        &Interrupt::default(),
    );
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
    let copied = back_up(
        Beneath::at(&path),
        &dir.path().join("copy.db"),
        &Interrupt::default(),
    )
    .unwrap();
    assert!(!copied.has_schema);
}

#[test]
fn a_database_is_known_by_its_header_whatever_its_name() {
    let live = Live::new("wal");
    assert!(is_database(Beneath::at(&live.path())).unwrap());
    let other = live.dir.path().join("not.db");
    for content in [
        &b""[..],
        b"SQLite format 3",
        b"SQLite format 2\0 and more",
        b"x",
    ] {
        fs::write(&other, content).unwrap();
        assert!(!is_database(Beneath::at(&other)).unwrap(), "{content:?}");
    }
}

#[test]
fn a_signal_ends_a_copy() {
    let live = Live::new("wal");
    let interrupt = Interrupt::default();
    interrupt.raise(Signal::Interrupt);
    let copied = back_up(Beneath::at(&live.path()), &live.copy(), &interrupt);
    assert!(matches!(copied, Err(SqliteError::Interrupted(_))));
}

#[test]
fn what_can_not_be_written_is_the_copys_fault_and_not_the_databases() {
    let live = Live::new("wal");
    let nowhere = live.dir.path().join("missing/copy.db");
    let copied = back_up(Beneath::at(&live.path()), &nowhere, &Interrupt::default());
    assert!(
        matches!(copied, Err(SqliteError::Unwritable(_))),
        "{copied:?}"
    );
}

/// A log that was copied in the middle of a write ends with its last whole transaction.
#[test]
fn a_torn_end_of_the_log_is_left_out_with_its_transaction() {
    let live = Live::new("wal");
    let to = live.copy();
    let view = View::open(
        Beneath::at(&live.path()),
        &to,
        PATIENCE,
        &Interrupt::default(),
    )
    .unwrap();
    let log = sidecar(&to, "-wal");
    let length = fs::metadata(&log).unwrap().len();
    File::options()
        .write(true)
        .open(&log)
        .unwrap()
        .set_len(length - 100)
        .unwrap();
    let copy = view.copy(&Interrupt::default()).unwrap();
    copy.check(&Interrupt::default()).unwrap();
    assert_eq!(rows(&to), 99);
}

#[test]
fn a_view_stays_what_it_was_while_the_application_writes_and_checkpoints() {
    let live = Live::new("wal");
    let (path, to) = (live.path(), live.copy());
    let view = View::open(Beneath::at(&path), &to, PATIENCE, &Interrupt::default()).unwrap();
    live.write(2000);
    let busy = |mode: &str| {
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        live.writer
            .query_row(&sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(
        (busy("PASSIVE"), busy("TRUNCATE")),
        (0, 1),
        "the view keeps the log"
    );
    view.copy(&Interrupt::default())
        .unwrap()
        .check(&Interrupt::default())
        .unwrap();
    assert_eq!(rows(&to), 100);
}

#[test]
fn a_view_of_a_log_that_is_wholly_in_the_file_stays_too_when_the_log_begins_anew() {
    let live = Live::new("wal");
    let (path, to) = (live.path(), live.copy());
    live.writer
        .query_row("PRAGMA wal_checkpoint", [], |_| Ok(()))
        .unwrap();
    let view = View::open(Beneath::at(&path), &to, PATIENCE, &Interrupt::default()).unwrap();
    let before = fs::read(sidecar(&path, "-wal")).unwrap();
    live.write(2000);
    let now = fs::read(sidecar(&path, "-wal")).unwrap();
    assert_ne!(
        before[16..24],
        now[16..24],
        "the salts say that it began anew"
    );
    view.copy(&Interrupt::default())
        .unwrap()
        .check(&Interrupt::default())
        .unwrap();
    assert_eq!(rows(&to), 100);
}

#[test]
fn a_log_that_began_anew_or_was_cut_while_it_was_copied_is_told_from_one_that_grew() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, content).unwrap();
        File::open(path).unwrap()
    };
    let log = [[7; 64], [8; 64]].concat();
    let copy = file("copy", &log[..64]);
    for (name, now, anew) in [
        ("same", &log[..64], false),
        ("grew", &log[..], false),
        ("anew", &log[64..], true),
        ("cut", &[][..], true),
    ] {
        assert_eq!(began_anew(&file(name, now), &copy).unwrap(), anew, "{name}");
    }
}

#[test]
fn a_database_that_is_replaced_while_its_log_is_copied_is_never_mixed_with_its_successor() {
    for journal_mode in ["wal", "delete"] {
        let (live, new) = (Live::new(journal_mode), Live::new(journal_mode));
        new.write(900);
        let (path, to) = (live.path(), live.copy());
        let interrupt = Interrupt::default();
        let source = Source::open(Beneath::at(&path), PATIENCE, &interrupt).unwrap();
        // Whole, as its log is in it.
        new.writer
            .execute_batch("PRAGMA journal_mode = delete")
            .unwrap();
        fs::rename(new.path(), &path).unwrap();
        let view = View::of(source, Beneath::at(&path), &to, &interrupt);
        assert!(matches!(view, Err(SqliteError::Replaced)), "{journal_mode}");
        for suffix in SIDECARS {
            remove_if_there(&sidecar(&path, suffix)).unwrap();
        }
        live.back_up().unwrap();
        assert_eq!(rows(&to), 1000, "{journal_mode}");
    }
}

#[test]
fn the_log_of_another_database_is_not_taken_for_its_own() {
    let (live, new) = (Live::new("wal"), Live::new("wal"));
    let (path, interrupt) = (live.path(), Interrupt::default());
    let source = Source::open(Beneath::at(&path), PATIENCE, &interrupt).unwrap();
    fs::rename(sidecar(&new.path(), "-wal"), sidecar(&path, "-wal")).unwrap();
    let view = View::of(source, Beneath::at(&path), &live.copy(), &interrupt);
    assert!(matches!(view, Err(SqliteError::Replaced)));
}

/// A source in which `sub` holds a database, and a directory outside with another of the same name.
fn source_and_elsewhere() -> (tempfile::TempDir, [PathBuf; 2]) {
    let dir = tempfile::tempdir().unwrap();
    let places = [("source/sub", 1), ("elsewhere", 2)].map(|(place, row)| {
        let place = dir.path().join(place);
        fs::create_dir_all(&place).unwrap();
        let database = Connection::open(place.join("app.db")).unwrap();
        let sql = format!("CREATE TABLE chat (id); INSERT INTO chat VALUES ({row})");
        database.execute_batch(&sql).unwrap();
        place
    });
    (dir, places)
}

#[test]
fn a_database_behind_a_link_that_took_its_directorys_place_is_not_opened() {
    let (dir, [inside, outside]) = source_and_elsewhere();
    fs::rename(&inside, dir.path().join("source/was")).unwrap();
    std::os::unix::fs::symlink(&outside, &inside).unwrap();
    let (source, to) = (dir.path().join("source"), dir.path().join("copy.db"));
    let database = "sub/app.db".parse().unwrap();
    let copied = back_up(Beneath::of(&source, &database), &to, &Interrupt::default());
    assert!(matches!(copied, Err(SqliteError::Unreadable(_))));
    assert!(!to.exists());
}

#[test]
fn a_directory_that_changes_places_with_a_link_all_the_time_lets_no_other_database_in() {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    let (dir, [inside, outside]) = source_and_elsewhere();
    let link = dir.path().join("source/link");
    std::os::unix::fs::symlink(&outside, &link).unwrap();
    let source = dir.path().join("source");
    let database = "sub/app.db".parse().unwrap();
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let mut is_foreign = false;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                renameat_with(CWD, &inside, CWD, &link, RenameFlags::EXCHANGE).unwrap();
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        for n in 0..500 {
            let to = dir.path().join(format!("copy-{n}.db"));
            if back_up(Beneath::of(&source, &database), &to, &Interrupt::default()).is_ok() {
                let copy = open_copy(&to).unwrap();
                let row = copy.query_row("SELECT id FROM chat", [], |row| row.get::<_, i64>(0));
                let is_inside = row.is_ok_and(|row| row == 1);
                is_foreign |= !is_inside;
            }
            remove_if_there(&to).unwrap();
        }
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(!is_foreign, "a copy is of another database");
}

/// What `copies_under_a_constant_writer` runs as a process of its own: locks are a process's.
#[test]
#[ignore = "runs until it is killed"]
fn constant_writer() {
    use std::io::Write as _;
    let Some(dir) = std::env::var_os("COPAL_TEST_WRITER") else {
        return;
    };
    let dir = PathBuf::from(dir);
    let writer = Connection::open(dir.join("app ?#%.db")).unwrap();
    writer.busy_timeout(Duration::from_mins(1)).unwrap();
    writer.pragma_update(None, "synchronous", "OFF").unwrap();
    writer
        .pragma_update(None, "wal_autocheckpoint", 50)
        .unwrap();
    let mut acknowledged = File::create(dir.join("acknowledged")).unwrap();
    for row in 1_000_u32.. {
        let text = "x".repeat(row as usize % 3000);
        writer
            .execute(
                "INSERT INTO chat (id, text) VALUES (?1, ?2)",
                rusqlite::params![row, text],
            )
            .unwrap();
        writer
            .execute("UPDATE chat SET text = 'seen' WHERE id = ?1", [row - 50])
            .unwrap();
        acknowledged
            .write_all(format!("{row}\n").as_bytes())
            .unwrap();
        std::thread::sleep(Duration::from_millis(1));
    }
}

struct Writing(std::process::Child);

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn last_acknowledged(dir: &Path) -> u32 {
    let text = fs::read_to_string(dir.join("acknowledged")).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().last().map_or(0, |line| line.parse().unwrap())
}

fn copies_under_a_constant_writer(journal_mode: &str) {
    let live = Live::new(journal_mode);
    live.write(500);
    let Live { dir, writer } = live;
    writer.close().unwrap();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--test-threads=1"])
        .arg(format!(
            "{}::constant_writer",
            module_path!().split_once("::").unwrap().1
        ))
        .env("COPAL_TEST_WRITER", dir.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let _writing = Writing(child);
    let limit = Duration::from_mins(1);
    let writes = || (last_acknowledged(dir.path()) > 1_000).then_some(());
    copal_testkit::wait_until("the first rows", limit, writes).unwrap();
    let (mut first, mut last) = (None, 0);
    for round in 0..20 {
        let to = dir.path().join(format!("copy-{round}"));
        let before = last_acknowledged(dir.path());
        back_up(
            Beneath::at(&dir.path().join("app ?#%.db")),
            &to,
            &Interrupt::default(),
        )
        .unwrap();
        let sql = "SELECT max(id) FROM chat";
        let newest: u32 = open_copy(&to)
            .unwrap()
            .query_row(sql, [], |row| row.get(0))
            .unwrap();
        assert!(
            newest >= before && newest >= last,
            "{newest}, {before}, {last}"
        );
        first.get_or_insert(newest);
        last = newest;
    }
    assert!(Some(last) > first, "it went on writing: {last}");
}

#[test]
fn copies_end_and_are_whole_under_a_constant_writer_with_a_log() {
    copies_under_a_constant_writer("wal");
}

#[test]
fn copies_end_and_are_whole_under_a_constant_writer_with_a_rollback_journal() {
    copies_under_a_constant_writer("delete");
}
