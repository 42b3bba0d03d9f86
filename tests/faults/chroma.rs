//! A real `ChromaDB` that is written to while it is backed up. In `make soak` alone, and where
//! `COPAL_CHROMA_PYTHON` is a Python that has `chromadb`.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use copal_testkit::{World, wait_until};

use crate::app::PATIENCE;
use crate::scale::{is_whole, times};
use crate::table::Trials;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/faults/chroma.py");

const CONFIG: &str = r#"
name = "app"
source.path = "source"
destination = [{ remote = "vault:" }]

[[hook]]
use = "open-webui"
grants = { sqlite = ["*"], archive = ["vector_db"], query = ["webui.db"] }
"#;

/// The process that writes; it ends with this.
struct Writer(Child);

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Writer {
    /// The count of vectors whose addition has returned, as far as told.
    fn acknowledged(world: &World) -> u64 {
        let text = std::fs::read_to_string(world.path("acknowledged")).unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    }
}

#[test]
fn snapshots_of_a_chroma_that_is_written_to_open_count_and_answer() {
    if !is_whole() {
        return;
    }
    let Some(python) = std::env::var_os("COPAL_CHROMA_PYTHON") else {
        skip();
        return;
    };
    let python = Path::new(&python);
    let world = World::new(env!("CARGO_BIN_EXE_copal"));
    world.write("copal.toml", CONFIG);
    rusqlite::Connection::open(world.path("source/webui.db"))
        .unwrap()
        .execute_batch("PRAGMA journal_mode=wal; CREATE TABLE alembic_version (version_num TEXT); CREATE TABLE chat (id TEXT)")
        .unwrap();
    let mut writer = Writer(start(python, &world));
    wait_until("vectors", PATIENCE, || {
        (Writer::acknowledged(&world) > 200).then_some(())
    })
    .unwrap();
    let mut trials = Trials::of("snapshots of a ChromaDB that is written to");
    for n in 0..times(20) {
        trials.took(&format!("snapshot {n}"), snapshot(&world, python));
        assert!(writer.0.try_wait().unwrap().is_none(), "the writer ended");
    }
    trials.end("each restored copy opens, counts and answers; a run took at most {}");
}

fn start(python: &Path, world: &World) -> Child {
    let data = world.path("source/vector_db");
    Command::new(python)
        .args([SCRIPT, "write"])
        .args([data, world.path("acknowledged")])
        .stdin(Stdio::null())
        .spawn()
        .unwrap()
}

fn snapshot(world: &World, python: &Path) -> Result<Duration, String> {
    let acknowledged = Writer::acknowledged(world);
    let began = Instant::now();
    let output = world.copal(&["backup", "--json"]);
    let took = began.elapsed();
    if output.code() != Some(0) {
        return Err(format!("{output}"));
    }
    let restored = tempfile::tempdir().unwrap();
    let to = restored.path().join("r");
    let restore = world.copal(&["restore", "latest", "--to", &to.to_string_lossy()]);
    if restore.code() != Some(0) {
        return Err(format!("{restore}"));
    }
    let check = Command::new(python)
        .args([SCRIPT, "check"])
        .arg(to.join("vector_db"))
        .arg(acknowledged.to_string())
        .output()
        .unwrap();
    if !check.status.success() {
        return Err(String::from_utf8_lossy(&check.stderr).into_owned());
    }
    Ok(took)
}

#[expect(clippy::print_stderr, reason = "a test that is not done has to say so")]
fn skip() {
    eprintln!("SKIPPED: COPAL_CHROMA_PYTHON names no Python that has chromadb");
}
