//! Databases that have more than one name (hard links).

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use copal_core::path::RelPath;

use super::error::SqliteError;
use super::source::sidecar;
use crate::capability::host::Host;
use crate::edge::interrupt::Interrupt;
use crate::edge::stat::Version;
use crate::edge::walk::absolute;

/// Finishes what is put off for a database, and for the same file under other names.
pub(super) fn finish(
    host: &Host,
    database: &RelPath,
    interrupt: &Interrupt,
) -> Result<(), SqliteError> {
    host.artifacts.finish_one(database, interrupt)?;
    let Ok(found) = fs::symlink_metadata(absolute(&host.source, database)) else {
        return Ok(());
    };
    let file = Version::of(&found).file();
    let ended = host.artifacts.end_views_of_file(file, interrupt);
    ended.map_err(|error| error.source)
}

/// The path by which the app has a database open that has more than one name: the one with a log or a
/// journal beside it, which SQLite looks for by name. Under any other it would be read without them.
pub(super) fn opened_as(host: &Host, database: &RelPath) -> PathBuf {
    let own = absolute(&host.source, database);
    let file = |path: &Path| fs::symlink_metadata(path).ok();
    let Some(found) = file(&own).filter(|found| found.nlink() > 1) else {
        return own;
    };
    let is_same = |path: &PathBuf| {
        file(path).is_some_and(|it| Version::of(&it).file() == Version::of(&found).file())
    };
    let is_open = |path: &PathBuf| {
        let mut beside = ["-wal", "-journal"].iter();
        beside.any(|suffix| sidecar(path, suffix).exists())
    };
    let names = host.databases.iter().chain(&host.live_databases);
    let mut names = names.map(|other| absolute(&host.source, other));
    let other = names.find(|path| is_same(path) && is_open(path));
    other.unwrap_or(own)
}
