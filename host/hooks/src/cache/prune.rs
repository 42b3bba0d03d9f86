//! Keeps the cache small.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How the names of entries end.
pub(super) const FINISHED: &str = "compiled";

/// How the names of entries end that are still being written, or that nobody finished.
pub(super) const UNFINISHED: &str = "unfinished";

const DAY: Duration = Duration::from_hours(24);

/// How long an entry is kept that nobody uses.
const UNUSED: Duration = Duration::from_hours(90 * 24);

/// How much all entries may occupy.
const ROOM: u64 = 1024 * 1024 * 1024;

/// Notes in an entry's time that it was used. Once a day is enough.
pub(super) fn mark_used(file: &File) {
    let now = SystemTime::now();
    let last = file.metadata().and_then(|found| found.modified());
    if last.is_ok_and(|last| now.duration_since(last).is_ok_and(|age| age > DAY)) {
        // Where this can't be noted, the entry is compiled anew some time.
        drop(file.set_modified(now));
    }
}

/// Removes what was not used for long, then the longest unused beyond the room there is.
pub(super) fn prune(directory: &Path) {
    for path in superfluous(directory, SystemTime::now(), ROOM) {
        tracing::debug!(path = %path.display(), "removed from the cache");
        drop(fs::remove_file(path));
    }
}

fn superfluous(directory: &Path, now: SystemTime, room: u64) -> Vec<PathBuf> {
    let mut removed = Vec::new();
    let mut kept = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(found) = entry.metadata() else {
            continue;
        };
        let Ok(used) = found.modified() else { continue };
        let age = now.duration_since(used).unwrap_or_default();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some(FINISHED) if age > UNUSED => removed.push(path),
            Some(FINISHED) => kept.push((used, found.len(), path)),
            Some(UNFINISHED) if age > DAY => removed.push(path),
            // Not ours.
            _ => {}
        }
    }
    kept.sort();
    let mut occupied: u64 = kept.iter().map(|(_, size, _)| size).sum();
    for (_, size, path) in kept {
        if occupied <= room {
            break;
        }
        occupied -= size;
        removed.push(path);
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(directory: &Path, name: &str, size: usize, age: Duration, now: SystemTime) {
        let path = directory.join(name);
        fs::write(&path, vec![0; size]).unwrap();
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(now - age).unwrap();
    }

    fn names(paths: Vec<PathBuf>) -> Vec<String> {
        let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        paths.into_iter().map(name).collect()
    }

    #[test]
    fn what_nobody_used_for_long_goes_and_so_does_what_nobody_finished() {
        let directory = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        entry(directory.path(), "old.compiled", 1, 91 * DAY, now);
        entry(directory.path(), "young.compiled", 1, 89 * DAY, now);
        entry(directory.path(), "1-0.unfinished", 1, 2 * DAY, now);
        entry(directory.path(), "2-0.unfinished", 1, DAY / 2, now);
        entry(directory.path(), "foreign.txt", 1, 900 * DAY, now);
        let mut removed = names(superfluous(directory.path(), now, ROOM));
        removed.sort();
        assert_eq!(removed, ["1-0.unfinished", "old.compiled"]);
    }

    #[test]
    fn beyond_the_room_the_longest_unused_go_first() {
        let directory = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        for (name, days) in [("b", 2), ("c", 3), ("a", 1)] {
            let name = format!("{name}.compiled");
            entry(directory.path(), &name, 100, days * DAY, now);
        }
        assert_eq!(names(superfluous(directory.path(), now, 300)), [""; 0]);
        let removed = names(superfluous(directory.path(), now, 150));
        assert_eq!(removed, ["c.compiled", "b.compiled"]);
    }

    #[test]
    fn a_directory_that_is_gone_is_no_failure() {
        prune(Path::new("/nonexistent/copal"));
    }

    #[test]
    fn a_use_is_noted_once_a_day() {
        let directory = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        for (age, is_noted) in [(2 * DAY, true), (DAY / 2, false)] {
            entry(directory.path(), "a.compiled", 1, age, now);
            let path = directory.path().join("a.compiled");
            let file = File::options().read(true).open(&path).unwrap();
            mark_used(&file);
            let noted = fs::metadata(&path).unwrap().modified().unwrap();
            assert_eq!(noted > now - DAY / 4, is_noted);
        }
    }
}
