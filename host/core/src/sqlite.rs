//! The files that belong to a SQLite database, by their names.

pub mod log;

use crate::path::RelPath;

/// What SQLite adds to a database's name for the files beside it. None of them travels: the copy
/// holds all that they hold, and next to another database they would corrupt it.
pub const SIDECARS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Whether `path` is the log, index or journal of one of these databases.
pub fn is_sidecar(path: &RelPath, is_database: impl Fn(&RelPath) -> bool) -> bool {
    main_of(path).is_some_and(|main| is_database(&main))
}

/// The file that `path` would be the log, index or journal of, if that is a database.
pub fn main_of(path: &RelPath) -> Option<RelPath> {
    let main = SIDECARS
        .iter()
        .find_map(|suffix| path.as_bytes().strip_suffix(suffix.as_bytes()))?;
    RelPath::new(main).ok()
}

/// The paths that SQLite would take together with a file at `path`: the one that it would be the
/// log, index or journal of, and its own.
pub fn sidecar_relations(path: &RelPath) -> impl Iterator<Item = RelPath> {
    let own = SIDECARS.map(|suffix| path.with_suffix(suffix));
    main_of(path).into_iter().chain(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_and_its_log_are_related_both_ways() {
        let related = |path: &str, other: &str| {
            sidecar_relations(&path.parse().unwrap()).any(|found| found.to_string() == other)
        };
        assert!(related("data/app.db-wal", "data/app.db"));
        assert!(related("data/app.db", "data/app.db-journal"));
        assert!(!related("data/app.db", "data/app.db"));
        assert!(!related("-wal", ""));
    }

    #[test]
    fn a_sidecar_is_one_of_a_database_that_there_is() {
        let database: RelPath = "data/app.db".parse().unwrap();
        let is = |path: &str| is_sidecar(&path.parse().unwrap(), |main| *main == database);
        assert!(is("data/app.db-wal") && is("data/app.db-shm") && is("data/app.db-journal"));
        assert!(!is("data/app.db") && !is("data/other.db-wal") && !is("-wal"));
    }
}
