//! The old trees that restores in place have kept: a record of each, in the state directory.
//!
//! A directory's name says nothing about who made it. What may be swapped back, and above all what may be
//! deleted, is what a record names and what is still the same directory.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use copal_core::units::ByteCount;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::everything::below;
use super::exchange::{read_path, write_path};
use super::identity::Identity;
use super::state::{StateDir, make_private};
use super::whole::{self, Mode};

/// An old tree that a restore in place kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldTree {
    /// The run that kept it.
    pub run: String,
    /// When that began.
    pub since: Timestamp,
    /// Where it was live.
    #[serde(serialize_with = "write_path", deserialize_with = "read_path")]
    pub live: PathBuf,
    /// Where it lies.
    #[serde(serialize_with = "write_path", deserialize_with = "read_path")]
    pub path: PathBuf,
    /// Another directory under its name is another's.
    #[serde(flatten)]
    pub identity: Identity,
    /// Whether its deletion was begun: from then on it may be half a tree.
    #[serde(default)]
    pub discarded: bool,
}

/// What is where an old tree was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The old tree, whole.
    Kept,
    /// What a deletion has left of it.
    Half,
    /// Nothing.
    Gone,
    /// Something else.
    Other,
}

/// How much a directory holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// Everything in it that is no directory.
    pub files: u64,
    /// What it takes on the disk. What has another name elsewhere is not freed with it.
    pub bytes: ByteCount,
}

/// The records of one job.
#[derive(Debug, Clone)]
pub struct OldTrees {
    dir: PathBuf,
}

impl OldTrees {
    /// Those of the job called `name`.
    pub fn of(state: &StateDir, name: &str) -> Self {
        Self {
            dir: state.old_trees(name),
        }
    }

    /// All that there are records of, the newest first, wherever they are by now.
    ///
    /// # Errors
    /// The record that can't be read, or its directory.
    pub fn all(&self) -> Result<Vec<OldTree>, (PathBuf, io::Error)> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| (path, error)
        };
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(failed(&self.dir))?,
        };
        let mut all = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed(&self.dir))?.path();
            // One that was being written when its run was killed is none.
            if path.extension().is_none_or(|ending| ending != "json") {
                continue;
            }
            let text = fs::read(&path).map_err(failed(&path))?;
            let tree: OldTree = serde_json::from_slice(&text)
                .map_err(io::Error::other)
                .map_err(failed(&path))?;
            all.push(tree);
        }
        all.sort_by_key(|tree| std::cmp::Reverse(tree.since));
        Ok(all)
    }

    /// Notes one, or notes it anew. The record is on the disk when this returns.
    ///
    /// # Errors
    /// The record, and what the system said.
    pub fn note(&self, tree: &OldTree) -> Result<(), (PathBuf, io::Error)> {
        let path = self.path_of(&tree.run);
        let write = || {
            make_private(&self.dir)?;
            let text = serde_json::to_vec_pretty(tree)?;
            whole::replace(&path, &text, Mode::Private)
        };
        write().map_err(|error| (path.clone(), error))
    }

    /// Forgets one.
    ///
    /// # Errors
    /// The record, and what the system said.
    pub fn forget(&self, run: &str) -> Result<(), (PathBuf, io::Error)> {
        let path = self.path_of(run);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err((path, error)),
            _ => Ok(()),
        }
    }

    /// Forgets what a run was to keep and did not: it was put back, by the run or by whoever found it killed.
    ///
    /// # Errors
    /// The record, and what the system said.
    pub fn forget_unless_there(&self, run: &str) -> Result<(), (PathBuf, io::Error)> {
        let tree = self.all()?.into_iter().find(|tree| tree.run == run);
        let Some(tree) = tree else { return Ok(()) };
        match tree.standing() {
            Ok(Standing::Gone) => self.forget(run),
            Ok(_) => Ok(()),
            Err(error) => Err((tree.path, error)),
        }
    }

    fn path_of(&self, run: &str) -> PathBuf {
        self.dir.join(format!("{run}.json"))
    }
}

impl OldTree {
    /// What is there now.
    ///
    /// # Errors
    /// Where that can't be seen.
    pub fn standing(&self) -> io::Result<Standing> {
        let metadata = match fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Standing::Gone),
            other => other?,
        };
        Ok(match self.identity.is(&metadata) {
            false => Standing::Other,
            true if self.discarded => Standing::Half,
            true => Standing::Kept,
        })
    }

    /// Whether it is what is live where it was: the exchange that was to keep it did not happen, or was undone.
    ///
    /// # Errors
    /// Where that can't be seen.
    pub fn is_live(&self) -> io::Result<bool> {
        match fs::symlink_metadata(&self.live) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            other => Ok(self.identity.is(&other?)),
        }
    }

    /// How much it holds.
    ///
    /// # Errors
    /// Where that can't be seen.
    pub fn size(&self) -> io::Result<Size> {
        let mut size = Size::default();
        for entry in below(&self.path) {
            let metadata = entry?.metadata()?;
            size.bytes += ByteCount(metadata.blocks() * 512);
            size.files += u64::from(!metadata.is_dir());
        }
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    fn tree(dir: &Path, run: &str, second: i64) -> OldTree {
        let path = dir.join(format!("app.before-{run}"));
        fs::create_dir(&path).unwrap();
        OldTree {
            run: run.to_owned(),
            since: Timestamp::from_second(second).unwrap(),
            live: dir.join(std::ffi::OsStr::from_bytes(b"app\xff")),
            identity: Identity::of(&fs::metadata(&path).unwrap()),
            path,
            discarded: false,
        }
    }

    #[test]
    fn records_come_back_the_newest_first_whatever_bytes_their_paths_have() {
        let dir = tempfile::tempdir().unwrap();
        let trees = OldTrees::of(&StateDir::at(dir.path().join("state")), "app");
        assert_eq!(trees.all().unwrap(), []);
        let (one, other) = (tree(dir.path(), "1", 1), tree(dir.path(), "2", 2));
        trees.note(&one).unwrap();
        trees.note(&other).unwrap();
        assert_eq!(trees.all().unwrap(), [other.clone(), one]);
        trees.forget("1").unwrap();
        trees.forget_unless_there("2").unwrap();
        assert_eq!(trees.all().unwrap(), std::slice::from_ref(&other));
        fs::remove_dir(&other.path).unwrap();
        trees.forget_unless_there("2").unwrap();
        assert_eq!(trees.all().unwrap(), []);
    }

    #[test]
    fn a_directory_that_took_the_name_of_an_old_tree_is_another() {
        let dir = tempfile::tempdir().unwrap();
        let mut old = tree(dir.path(), "1", 1);
        assert_eq!(old.standing().unwrap(), Standing::Kept);
        old.discarded = true;
        assert_eq!(old.standing().unwrap(), Standing::Half);
        fs::rename(&old.path, dir.path().join("elsewhere")).unwrap();
        assert_eq!(old.standing().unwrap(), Standing::Gone);
        fs::create_dir(&old.path).unwrap();
        assert_eq!(old.standing().unwrap(), Standing::Other);
        fs::remove_dir(&old.path).unwrap();
        std::os::unix::fs::symlink("elsewhere", &old.path).unwrap();
        assert_eq!(old.standing().unwrap(), Standing::Other);
    }
}
