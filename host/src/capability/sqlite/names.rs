//! Databases that have more than one name (hard links).

use std::os::unix::fs::MetadataExt;

use copal_core::path::RelPath;

use super::error::SqliteError;
use crate::capability::host::Host;
use crate::edge::beneath::Beneath;
use crate::edge::interrupt::Interrupt;
use crate::edge::stat::Version;

/// Finishes what is put off for a database, and for the same file under other names.
pub(super) fn finish(
    host: &Host,
    database: &RelPath,
    interrupt: &Interrupt,
) -> Result<(), SqliteError> {
    host.artifacts.finish_one(database, interrupt)?;
    let Ok(found) = Beneath::of(&host.source, database).metadata() else {
        return Ok(());
    };
    let file = Version::of(&found).file();
    let ended = host.artifacts.end_views_of_file(file, interrupt);
    ended.map_err(|error| error.source)
}

/// The path by which the app has a database open that has more than one name: the one with a log or a
/// journal beside it, which SQLite looks for by name. Under any other it would be read without them.
pub(super) fn opened_as(host: &Host, database: &RelPath) -> RelPath {
    let file = |path: &RelPath| Beneath::of(&host.source, path).metadata().ok();
    let Some(found) = file(database).filter(|found| found.nlink() > 1) else {
        return database.clone();
    };
    let is_same = |path: &&RelPath| {
        file(path).is_some_and(|it| Version::of(&it).file() == Version::of(&found).file())
    };
    let is_open = |path: &RelPath| {
        let mut beside = ["-wal", "-journal"].iter();
        beside.any(|suffix| file(&path.with_suffix(suffix)).is_some())
    };
    let mut names = host.databases.iter().chain(&host.live_databases);
    let other = names.find(|path| is_same(path) && is_open(path));
    other.unwrap_or(database).clone()
}
