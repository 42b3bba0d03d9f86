//! What a hook could not tell of runs that were killed, as whoever it tells did not answer: it is told by the next run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::begun::Begun;
use super::whole::{self, Mode};

/// Older ones are not waited for any more.
const MOST: usize = 20;

/// A hook, and the run that it could not tell of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Untold {
    /// The hook's name.
    pub hook: String,
    /// The run.
    pub run: Begun,
}

/// The list of a job, under its lock.
#[derive(Debug)]
pub struct UntoldRuns {
    file: PathBuf,
}

impl UntoldRuns {
    /// The one in this file.
    pub fn at(file: PathBuf) -> Self {
        Self { file }
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// All of them, the oldest first. What is no such list is none.
    pub fn all(&self) -> io::Result<Vec<Untold>> {
        match fs::read(&self.file) {
            Ok(text) => Ok(serde_json::from_slice(&text).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Keeps these, and no others.
    pub fn keep(&self, all: &[Untold]) -> io::Result<()> {
        if all.is_empty() {
            return whole::remove(&self.file);
        }
        if let Some(directory) = self.file.parent() {
            fs::create_dir_all(directory)?;
        }
        let newest = &all[all.len().saturating_sub(MOST)..];
        let text = serde_json::to_vec(newest).expect("texts and times become JSON");
        whole::replace(&self.file, &text, Mode::Private)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_an_empty_list_is_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let list = UntoldRuns::at(dir.path().join("untold/app"));
        assert_eq!(list.all().unwrap(), []);
        list.keep(&[]).unwrap();
        let untold = |n: usize| Untold {
            hook: "notify".to_owned(),
            run: Begun {
                run: format!("5f-{n}"),
                started: "2026-11-24T03:00:00Z".parse().unwrap(),
                sealed: None,
            },
        };
        let many: Vec<_> = (0..MOST + 5).map(untold).collect();
        list.keep(&many).unwrap();
        assert_eq!(list.all().unwrap(), many[5..]);
        list.keep(&[]).unwrap();
        assert!(!list.file().exists());
        fs::write(list.file(), "torn").unwrap();
        assert_eq!(list.all().unwrap(), []);
    }
}
