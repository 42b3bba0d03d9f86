//! The directories above a source that was lost with them.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::edge::frozen::existing;
use crate::edge::leftovers::Leftovers;

/// Directories that were made for a tree. Those in which nothing lies in the end go with this value.
#[derive(Debug)]
pub struct Above {
    /// The topmost first.
    made: Vec<PathBuf>,
    leftovers: Leftovers,
}

impl Above {
    /// Makes all that are missing of `path`.
    pub(super) fn make(path: &Path, leftovers: &Leftovers) -> io::Result<Self> {
        let missing = path.ancestors().take_while(|above| !above.exists());
        let mut missing: Vec<_> = missing.map(Path::to_owned).collect();
        missing.reverse();
        let mut above = Self {
            made: Vec::new(),
            leftovers: leftovers.clone(),
        };
        for directory in missing {
            fs::create_dir(&directory)?;
            above.made.push(directory);
        }
        Ok(above)
    }
}

impl Drop for Above {
    fn drop(&mut self) {
        for directory in self.made.iter().rev() {
            match fs::remove_dir(directory) {
                Ok(()) => {}
                // What was restored lies there.
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => break,
                Err(error) => self.leftovers.note(directory, error),
            }
        }
    }
}

/// The path without links, as far as it is there. What is not there is made by its name, which has to be one.
pub(super) fn resolved(path: &Path) -> io::Result<PathBuf> {
    let there = existing(path);
    let rest = path.strip_prefix(there).unwrap_or(Path::new(""));
    let Some(first) = rest.components().next() else {
        return path.canonicalize();
    };
    let is_taken = fs::symlink_metadata(there.join(first)).is_ok();
    let is_name = |part: Component<'_>| matches!(part, Component::Normal(_));
    if is_taken || !rest.components().all(is_name) {
        // A link that leads nowhere, for one: the error says so.
        return path.canonicalize();
    }
    Ok(there.canonicalize()?.join(rest))
}
