//! Databases that are written to all the time while they are backed up, and not held at all.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use copal_testkit::{World, wait_until};
use rusqlite::{Connection, OpenFlags};

use crate::app::PATIENCE;
use crate::scale::times;
use crate::table::{Trials, row};

/// Transactions a second, of each writer.
const RATE: u32 = 500;

/// One that inserts a row a transaction, in a connection of its own.
struct Writer {
    /// The newest row whose commit has returned.
    acknowledged: Arc<AtomicI64>,
    over: Arc<AtomicBool>,
    thread: JoinHandle<Wrote>,
}

/// What it did.
struct Wrote {
    rows: i64,
    slowest: Duration,
    failures: Vec<String>,
    within: Duration,
}

impl Writer {
    fn start(path: &Path, mode: &str) -> Self {
        let connection = Connection::open(path).unwrap();
        connection.busy_timeout(Duration::from_secs(30)).unwrap();
        connection
            .pragma_update(None, "journal_mode", mode)
            .unwrap();
        // As with most apps: what is acknowledged outlives the app, and not every loss of power.
        connection
            .pragma_update(None, "synchronous", "off")
            .unwrap();
        connection
            .execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT, filler BLOB)")
            .unwrap();
        let acknowledged = Arc::new(AtomicI64::new(0));
        let over = Arc::new(AtomicBool::new(false));
        let (row, end) = (Arc::clone(&acknowledged), Arc::clone(&over));
        let thread = thread::spawn(move || write(&connection, &row, &end));
        Self {
            acknowledged,
            over,
            thread,
        }
    }

    fn acknowledged(&self) -> i64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    fn stop(self) -> Wrote {
        self.over.store(true, Ordering::SeqCst);
        self.thread.join().unwrap()
    }
}

/// Writes at its rate, or as quickly as it can where it is behind, until it is over.
fn write(connection: &Connection, acknowledged: &AtomicI64, over: &AtomicBool) -> Wrote {
    let insert = "INSERT INTO t VALUES (?1, datetime(), randomblob(60))";
    let mut insert = connection.prepare(insert).unwrap();
    let began = Instant::now();
    let mut due = began;
    let mut wrote = Wrote {
        rows: 0,
        slowest: Duration::ZERO,
        failures: Vec::new(),
        within: Duration::ZERO,
    };
    while !over.load(Ordering::SeqCst) {
        let before = Instant::now();
        match insert.execute([wrote.rows + 1]) {
            Ok(_) => {
                wrote.rows += 1;
                acknowledged.store(wrote.rows, Ordering::SeqCst);
            }
            Err(error) => wrote.failures.push(error.to_string()),
        }
        wrote.slowest = wrote.slowest.max(before.elapsed());
        due += Duration::from_secs(1) / RATE;
        sleep(due.saturating_duration_since(Instant::now()));
        // What was missed in a stall of the whole machine is not made up for in a rush.
        due = due.max(
            Instant::now()
                .checked_sub(Duration::from_secs(1))
                .unwrap_or(due),
        );
    }
    wrote.within = began.elapsed();
    wrote
}

const CONFIG: &str = r#"
name = "app"
source.path = "source"
destination = [{ remote = "vault:" }]

[[hook]]
use = "sqlite-backup"
grants = { sqlite = ["*"] }
"#;

const DATABASES: [(&str, &str); 2] = [("log.db", "wal"), ("rollback.db", "delete")];

#[test]
fn snapshots_under_writers_that_never_rest_are_whole_and_miss_nothing_acknowledged() {
    let world = World::new(env!("CARGO_BIN_EXE_copal"));
    world.write("copal.toml", CONFIG);
    let writers =
        DATABASES.map(|(name, mode)| Writer::start(&world.path("source").join(name), mode));
    wait_until("rows", PATIENCE, || {
        writers
            .iter()
            .all(|writer| writer.acknowledged() > 200)
            .then_some(())
    })
    .unwrap();
    let mut trials = Trials::of("snapshots of a WAL and a DELETE database under a writer each");
    for n in 0..times(200) {
        trials.took(&format!("snapshot {n}"), snapshot(&world, &writers));
    }
    let mut failures = Vec::new();
    for ((name, mode), writer) in DATABASES.into_iter().zip(writers) {
        let wrote = writer.stop();
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let rate = wrote.rows as f64 / wrote.within.as_secs_f64();
        let slowest = wrote.slowest.as_millis();
        let figure = format!("{rate:.0} transactions/s, the slowest commit took {slowest} ms");
        let what = format!("writer of `{name}` ({mode}): {} transactions", wrote.rows);
        row(&what, usize::from(wrote.failures.is_empty()), 1, &figure);
        failures.extend(wrote.failures);
    }
    trials.end(
        "all pass `integrity_check` and have each row acknowledged before; a run took at most {}",
    );
    assert_eq!(failures, [""; 0], "the app noticed");
}

fn snapshot(world: &World, writers: &[Writer]) -> Result<Duration, String> {
    let acknowledged: Vec<i64> = writers.iter().map(Writer::acknowledged).collect();
    let began = Instant::now();
    let output = world.copal(&["backup", "--json"]);
    let took = began.elapsed();
    if output.code() != Some(0) {
        return Err(format!("{output}"));
    }
    let json = output.json();
    let id = json["destinations"][0]["snapshot"].as_str();
    let id = id.ok_or_else(|| format!("{output}"))?;
    let folder = world.vault().join("app").join(id);
    for ((name, _), acknowledged) in DATABASES.iter().zip(acknowledged) {
        let found = examine(&folder.join(name)).map_err(|error| error.to_string())?;
        if found.integrity != "ok" {
            return Err(format!("{name}: {}", found.integrity));
        }
        if found.newest < acknowledged || found.rows != found.newest {
            return Err(format!(
                "{name}: {acknowledged} rows were acknowledged, and there are {} up to {}",
                found.rows, found.newest
            ));
        }
    }
    // The one before is compared with by the next run; that before it by none.
    remove_all_but(&world.vault().join("app"), id);
    Ok(took)
}

struct Found {
    integrity: String,
    newest: i64,
    rows: i64,
}

fn examine(database: &Path) -> rusqlite::Result<Found> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let uri = format!("file:{}?immutable=1", database.display());
    let connection = Connection::open_with_flags(uri, flags)?;
    let one = |sql: &str| connection.query_row(sql, [], |row| row.get(0));
    Ok(Found {
        integrity: connection.query_row("PRAGMA integrity_check(3)", [], |row| row.get(0))?,
        newest: one("SELECT coalesce(max(id), 0) FROM t")?,
        rows: one("SELECT count(*) FROM t")?,
    })
}

fn remove_all_but(folder: &Path, kept: &str) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != kept {
            fs::remove_dir_all(entry.path()).unwrap();
        }
    }
}
