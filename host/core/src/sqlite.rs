//! The files that belong to a SQLite database, by their names.

use crate::path::RelPath;

/// What SQLite adds to a database's name for the files beside it. None of them travels: the copy
/// holds all that they hold, and next to another database they would corrupt it.
pub const SIDECARS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Whether `path` is the log, index or journal of one of these databases.
pub fn is_sidecar(path: &RelPath, is_database: impl Fn(&RelPath) -> bool) -> bool {
    SIDECARS.iter().any(|suffix| {
        let main = path.as_bytes().strip_suffix(suffix.as_bytes());
        main.and_then(|main| RelPath::new(main).ok())
            .is_some_and(|main| is_database(&main))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sidecar_is_one_of_a_database_that_there_is() {
        let database: RelPath = "data/app.db".parse().unwrap();
        let is = |path: &str| is_sidecar(&path.parse().unwrap(), |main| *main == database);
        assert!(is("data/app.db-wal") && is("data/app.db-shm") && is("data/app.db-journal"));
        assert!(!is("data/app.db") && !is("data/other.db-wal") && !is("-wal"));
    }
}
