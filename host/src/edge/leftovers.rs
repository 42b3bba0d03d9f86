//! What should be gone after a run and is not: told, since it holds the app's data and fills a disk.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// A directory of a run's own that can't be removed.
#[derive(Debug, thiserror::Error)]
#[error("`{}` is left behind", .path.display())]
pub struct Leftover {
    /// The directory.
    pub path: PathBuf,
    /// Why it can't be removed.
    pub source: io::Error,
}

/// Where those are noted whose owner is gone. Clones note in the same place.
#[derive(Debug, Clone, Default)]
pub struct Leftovers(Arc<Mutex<Vec<Leftover>>>);

impl Leftovers {
    /// Notes one.
    pub fn note(&self, path: &Path, source: io::Error) {
        let path = path.to_owned();
        self.noted().push(Leftover { path, source });
    }

    /// Those that nobody has removed since, each once.
    pub fn take(&self) -> Vec<Leftover> {
        let mut noted = std::mem::take(&mut *self.noted());
        noted.retain(|leftover| fs::symlink_metadata(&leftover.path).is_ok());
        noted
    }

    fn noted(&self) -> MutexGuard<'_, Vec<Leftover>> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

/// What lies in `directory` under a name that begins so, sorted.
pub fn named_so(directory: &Path, begins: &[u8]) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name().as_bytes().starts_with(begins) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}
