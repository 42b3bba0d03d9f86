//! The two ways, one after the other, on the same data.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;
use copal_testkit::World;
use serde_json::json;

use crate::data::{DATABASE, FILES};

/// How long each way took.
pub(crate) struct Pair {
    pub(crate) copal: Duration,
    pub(crate) sqlite3: Duration,
    pub(crate) rclone: Duration,
}

impl Pair {
    pub(crate) fn by_hand(&self) -> Duration {
        self.sqlite3 + self.rclone
    }

    pub(crate) fn ratio(&self) -> f64 {
        self.copal.as_secs_f64() / self.by_hand().as_secs_f64()
    }
}

/// Where by-hand backups put the database's copy, as the usual script does: into the source.
const COPY: &str = "backup-of-app.db";

pub(crate) struct Contest<'a> {
    world: &'a World,
}

impl<'a> Contest<'a> {
    pub(crate) fn new(world: &'a World) -> Self {
        Self { world }
    }

    /// Runs both once without counting, which warms the disk's cache for both, and sees that both
    /// ship everything.
    pub(crate) fn check_both_arrive(&self) -> anyhow::Result<()> {
        self.copal()?;
        self.by_hand()?;
        for way in ["copal", "by-hand"] {
            let found = files_below(&self.world.vault().join(way))?;
            anyhow::ensure!(found > FILES, "{way}: only {found} files arrived");
        }
        Ok(())
    }

    /// One of each; who begins changes from pair to pair.
    pub(crate) fn pair(&self, n: usize) -> anyhow::Result<Pair> {
        let (copal, (sqlite3, rclone)) = if n % 2 == 1 {
            let copal = self.copal()?;
            (copal, self.by_hand()?)
        } else {
            let by_hand = self.by_hand()?;
            (self.copal()?, by_hand)
        };
        Ok(Pair {
            copal,
            sqlite3,
            rclone,
        })
    }

    fn copal(&self) -> anyhow::Result<Duration> {
        self.clear("copal")?;
        let arguments = [
            "backup",
            "--quiet",
            "--source",
            "source",
            "--to",
            "vault:copal",
        ];
        timed(self.world.command(&arguments))
    }

    fn by_hand(&self) -> anyhow::Result<(Duration, Duration)> {
        self.clear("by-hand")?;
        let source = self.world.source();
        let mut backup = Command::new("sqlite3");
        backup
            .current_dir(&source)
            .arg(DATABASE)
            .arg(format!(".backup {COPY}"));
        let sqlite3 = timed(backup)?;
        let request = json!({
            "srcFs": source,
            "dstFs": "vault:by-hand",
            "_filter": { "ExcludeRule": [format!("/{DATABASE}"), format!("/{DATABASE}-*")] },
        });
        let rclone = timed(
            self.world
                .command(&["rclone", "sync/copy", &request.to_string()]),
        )?;
        fs::remove_file(source.join(COPY))?;
        Ok((sqlite3, rclone))
    }

    /// Removes what the same way left the last time, so that there is nothing to skip, and each
    /// begins in the same state: its own leavings just gone, the other's still there, and what was
    /// written before on the disk, so that nobody waits for another's leavings. Neither way has its
    /// own writes flushed for it while the clock stands: a script has no such pause either.
    fn clear(&self, way: &str) -> io::Result<()> {
        match fs::remove_dir_all(self.world.vault().join(way)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        rustix::fs::sync();
        Ok(())
    }
}

/// Runs a command to its end; its output is shown only if it fails.
pub(crate) fn timed(mut command: Command) -> anyhow::Result<Duration> {
    let name = command.get_program().to_string_lossy().into_owned();
    let began = Instant::now();
    let output = command
        .output()
        .with_context(|| format!("could not run {name}"))?;
    let took = began.elapsed();
    anyhow::ensure!(
        output.status.success(),
        "{name}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(took)
}

fn files_below(directory: &Path) -> anyhow::Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            count += files_below(&entry.path())?;
        } else {
            count += 1;
        }
    }
    Ok(count)
}
