//! What a hook in a test sees as files: `/source` and `/staging`, in a directory of the test's own.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use copal_core::grants::Tree;
use copal_core::path::RelPath;
use tempfile::TempDir;

use super::fake::BadGiven;

/// Both trees; they go with this value.
pub(super) struct Trees(TempDir);

impl Trees {
    /// An empty staging directory, and a source with these files.
    pub(super) fn new(files: &BTreeMap<String, String>) -> Result<Self, BadGiven> {
        let top = tempfile::Builder::new()
            .prefix("copal-hook-test-")
            .tempdir()?;
        let trees = Self(top);
        for tree in Tree::ALL {
            fs::create_dir(trees.path(tree))?;
        }
        for (name, text) in files {
            trees.write(Tree::Source, &path(name)?, text)?;
        }
        Ok(trees)
    }

    /// Where a tree is.
    pub(super) fn path(&self, tree: Tree) -> PathBuf {
        self.0.path().join(tree.name())
    }

    /// Writes a file with its directories.
    pub(super) fn write(&self, tree: Tree, path: &RelPath, text: &str) -> io::Result<()> {
        let file = self.path(tree).join(OsStr::from_bytes(path.as_bytes()));
        if let Some(directory) = file.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::write(file, text)
    }

    /// What is in the staging directory: paths and texts.
    pub(super) fn staged(&self) -> io::Result<BTreeMap<String, String>> {
        let top = self.path(Tree::Staging);
        let mut found = BTreeMap::new();
        read(&top, &top, &mut found)?;
        Ok(found)
    }
}

/// The path in the source that `name` means.
pub(super) fn path(name: &str) -> Result<RelPath, BadGiven> {
    name.parse().map_err(|error| BadGiven::Path {
        path: name.to_owned(),
        why: format!("{error}"),
    })
}

fn read(top: &Path, directory: &Path, found: &mut BTreeMap<String, String>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if fs::symlink_metadata(&path)?.is_dir() {
            read(top, &path, found)?;
        } else {
            let name = path.strip_prefix(top).unwrap_or(&path);
            let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
            found.insert(name.to_string_lossy().into_owned(), text);
        }
    }
    Ok(())
}
