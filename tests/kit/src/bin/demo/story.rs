//! What happens, from top to bottom.

use std::env;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use copal_testkit::{OpenWebUi, Restored, Size, Stopped, Tally, World, Write, Writer};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::stage::{Stage, line};

/// How it ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everything is as it must be.
    Good,
    /// Something was missing, or a command failed; the stage has shown what.
    FellShort,
}

/// Writes that people have made before the backup begins.
const HEAD_START: usize = 120;
const REMOTE: &str = "vault:backups";

pub(crate) fn tell(stage: &Stage, place: &Path, binary: &Path) -> anyhow::Result<Ending> {
    let interrupted = heed_interruptions()?;
    let began = Instant::now();
    let mut world = World::within(place, binary);
    // For the progress bar: what kind of terminal this is.
    if let Some(terminal) = env::var_os("TERM") {
        world.set("TERM", terminal);
    }

    stage.title("Copal backs up an Open WebUI while people are using it")?;
    let app = OpenWebUi::create(&world.path("open-webui"), &Size::TEAM)?;
    introduce(stage, &app)?;
    let writer = Writer::start(&app)?;
    writer.wait_for(HEAD_START, Duration::from_mins(1))?;
    line("")?;
    line(&format!(
        "People go on using it all the while: {} writes acknowledged so far, into both databases",
        writer.count()
    ))?;
    line(
        "and uploads/. The remote `vault:` is a folder on this disk, by rclone's own rclone.conf.",
    )?;

    let acknowledged = writer.acknowledged_before(Instant::now());
    let all_ran = run_commands(stage, &world, &writer, &interrupted)?;
    let stopped = writer.stop();
    if !all_ran {
        return Ok(Ending::FellShort);
    }
    let good = judge(stage, &world.path("restored"), &acknowledged, &stopped)?;
    line("")?;
    line(&format!("All of it took {}.", shown(began.elapsed())))?;
    Ok(if good {
        Ending::Good
    } else {
        Ending::FellShort
    })
}

/// Ctrl-C stops the command under way, and then this: so that it can clean up.
fn heed_interruptions() -> io::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
    }
    Ok(interrupted)
}

fn introduce(stage: &Stage, app: &OpenWebUi) -> anyhow::Result<()> {
    let size = |name: &str| -> io::Result<u64> { size_of(&app.directory().join(name)) };
    let megabytes = |bytes: u64| format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10);
    line("Its data directory, open-webui/:")?;
    for (name, bytes, remark) in [
        (
            "webui.db",
            size("webui.db")? + size("webui.db-wal")?,
            "write-ahead log; the newest chats are in webui.db-wal alone",
        ),
        (
            "vector_db/",
            size("vector_db")?,
            "Chroma: rollback journal, one index per collection",
        ),
        (
            "uploads/",
            size("uploads")?,
            "one file per row of the table `file`",
        ),
        ("cache/", size("cache")?, "must not travel"),
        ("audit.log", size("audit.log")?, "must not travel"),
    ] {
        stage.row(name, &megabytes(bytes), remark)?;
    }
    Ok(())
}

/// Backs up, lists, verifies and restores; stops at the first command that fails.
fn run_commands(
    stage: &Stage,
    world: &World,
    writer: &Writer,
    interrupted: &AtomicBool,
) -> anyhow::Result<bool> {
    let before = writer.count();
    let commands: [(&[&str], usize); 5] = [
        (&["backup", "--source", "open-webui", "--to", REMOTE], 30),
        (&["snapshots", "--from", REMOTE], 10),
        (&["ls", "latest", "--from", REMOTE], 8),
        (&["verify", "latest", "--full", "--from", REMOTE], 10),
        (
            &["restore", "latest", "--from", REMOTE, "--to", "restored"],
            10,
        ),
    ];
    for (arguments, at_most) in commands {
        let began = Instant::now();
        let typed = format!("copal {}", arguments.join(" "));
        let status = stage.run(&typed, world.command(arguments), at_most)?;
        let took = shown(began.elapsed());
        if interrupted.load(Ordering::Relaxed) {
            stage.verdict(false, "interrupted")?;
            return Ok(false);
        }
        if !status.success() {
            stage.verdict(false, &format!("failed after {took} ({status})"))?;
            return Ok(false);
        }
        if arguments[0] == "backup" {
            let meanwhile = writer.count() - before;
            stage.verdict(
                true,
                &format!("{took}, during which {meanwhile} more writes were acknowledged"),
            )?;
        } else {
            stage.verdict(true, &took)?;
        }
    }
    Ok(true)
}

/// Compares what came back with what was promised.
fn judge(
    stage: &Stage,
    restored: &Path,
    acknowledged: &[Write],
    stopped: &Stopped,
) -> anyhow::Result<bool> {
    stage.title("What came back, of what the app had acknowledged before the backup began")?;
    let report = Restored::check(restored, acknowledged)?;
    for (name, tally) in [
        ("chats", report.chats),
        ("uploads", report.uploads),
        ("vectors", report.passages),
    ] {
        let good = tally.found == tally.expected && tally.expected > 0;
        stage.verdict(good, &format!("{name:<10} {}", of(tally)))?;
    }
    let every_file = report.files.found == report.files.expected;
    stage.verdict(
        every_file,
        &format!(
            "{:<10} {} rows with their upload",
            "files",
            of(report.files)
        ),
    )?;
    for (name, verdict) in [
        ("webui.db", &report.webui_db),
        ("chroma.sqlite3", &report.chroma_db),
    ] {
        stage.verdict(
            verdict == "ok",
            &format!("integrity_check of {name}: {verdict}"),
        )?;
    }
    let nothing_else = report.leftovers.is_empty();
    let text = if nothing_else {
        "no cache/, no audit.log, no -wal, -shm or -journal".to_owned()
    } else {
        format!("should not have travelled: {}", report.leftovers.join(", "))
    };
    stage.verdict(nothing_else, &text)?;
    let unharmed = stopped.failures.is_empty();
    let text = match stopped.failures.first() {
        None => format!(
            "no write of the app failed; the slowest took {}",
            shown(stopped.slowest)
        ),
        Some(first) => format!(
            "{} writes of the app failed: {first}",
            stopped.failures.len()
        ),
    };
    stage.verdict(unharmed, &text)?;
    for shortfall in report.shortfalls().iter().take(5) {
        line(shortfall)?;
    }
    Ok(report.is_whole() && unharmed)
}

fn of(tally: Tally) -> String {
    format!("{} of {}", tally.found, tally.expected)
}

fn shown(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

/// Bytes in a file or in everything below a directory.
fn size_of(path: &Path) -> io::Result<u64> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    let mut sum = 0;
    for entry in fs::read_dir(path)? {
        sum += size_of(&entry?.path())?;
    }
    Ok(sum)
}
