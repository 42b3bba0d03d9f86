//! Everything below a directory, in no order: for looks at a whole tree, of which nothing is left out.

use std::fs::{self, DirEntry, ReadDir};
use std::io;
use std::path::{Path, PathBuf};

/// What lies below a directory, each thing once. Links are told and not followed.
pub struct Everything {
    open: Option<ReadDir>,
    left: Vec<PathBuf>,
}

/// All that lies below `top`, without that itself. A directory that can't be read is an error in its place.
pub fn below(top: &Path) -> Everything {
    Everything {
        open: None,
        left: vec![top.to_owned()],
    }
}

impl Everything {
    fn told(&mut self, entry: io::Result<DirEntry>) -> io::Result<DirEntry> {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            self.left.push(entry.path());
        }
        Ok(entry)
    }
}

impl Iterator for Everything {
    type Item = io::Result<DirEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.open.as_mut().and_then(Iterator::next) {
                return Some(self.told(entry));
            }
            match fs::read_dir(self.left.pop()?) {
                Ok(entries) => self.open = Some(entries),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_told_once_and_no_link_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        let path = |below: &str| dir.path().join(below);
        fs::create_dir_all(path("top/a/empty")).unwrap();
        fs::create_dir(path("elsewhere")).unwrap();
        for file in ["top/b", "top/a/c", "elsewhere/d"] {
            fs::write(path(file), "").unwrap();
        }
        std::os::unix::fs::symlink("../../elsewhere", path("top/a/link")).unwrap();
        let found = below(&path("top")).map(|entry| entry.unwrap().path());
        let mut found: Vec<_> = found.collect();
        found.sort();
        let expected = ["top/a", "top/a/c", "top/a/empty", "top/a/link", "top/b"].map(path);
        assert_eq!(found, expected);
        assert!(below(&path("nowhere")).next().unwrap().is_err());
    }
}
