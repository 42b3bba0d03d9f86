//! A directory of a run's own: private, and gone after it unless it is kept.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::leftovers::Leftovers;

/// A directory that this run made; removed when this value is dropped, or noted as left behind.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    kept: bool,
    leftovers: Leftovers,
}

/// Writes a few bytes in a directory, to a file without a name: nothing of it is left, however this ends.
pub fn write_and_forget(directory: &Path) -> io::Result<()> {
    let mut file = tempfile::tempfile_in(directory)?;
    file.write_all(b"copal")?;
    file.sync_all()
}

impl Scratch {
    /// Makes the directory, which must not be there yet: what is removed in the end is this run's.
    pub fn make(path: PathBuf, leftovers: &Leftovers) -> io::Result<Self> {
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self::adopt(path, leftovers))
    }

    /// Takes over one that is there.
    pub fn adopt(path: PathBuf, leftovers: &Leftovers) -> Self {
        Self {
            path,
            kept: false,
            leftovers: leftovers.clone(),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lets it stay while `deed` goes on, which may make something else of it, and for ever after unless
    /// `is_returned` says of the result that it is what it was.
    pub fn lend<T>(
        mut self,
        deed: impl FnOnce(&Path) -> T,
        is_returned: impl FnOnce(&T) -> bool,
    ) -> T {
        self.kept = true;
        let result = deed(&self.path);
        self.kept = !is_returned(&result);
        result
    }

    /// Lets it stay: it is something else by now.
    pub fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        if let Err(error) = remove_tree(&self.path) {
            self.leftovers.note(&self.path, error);
        }
    }
}

/// Removes a directory with all in it, also where a restored mode forbids to change it.
pub fn remove_tree(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
        other => return other,
    }
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        fs::set_permissions(&next, Permissions::from_mode(0o700))?;
        for entry in fs::read_dir(&next)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                open.push(entry.path());
            }
        }
    }
    fs::remove_dir_all(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scratch_directory_is_private_its_runs_own_and_gone_even_when_its_modes_forbid_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("scratch");
        let scratch = Scratch::make(path.clone(), &Leftovers::default()).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert!(
            Scratch::make(path.clone(), &Leftovers::default()).is_err(),
            "it is taken"
        );
        fs::create_dir_all(path.join("closed/deep")).unwrap();
        fs::write(path.join("closed/deep/file"), "x").unwrap();
        for closed in ["closed/deep", "closed"] {
            let closed = path.join(closed);
            fs::set_permissions(closed, Permissions::from_mode(0o500)).unwrap();
        }
        drop(scratch);
        assert!(!path.exists());
    }

    #[test]
    fn a_kept_one_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("scratch");
        Scratch::make(path.clone(), &Leftovers::default())
            .unwrap()
            .keep();
        assert!(path.exists());
    }

    #[test]
    fn one_that_can_not_be_removed_is_noted_unless_it_goes_with_what_is_above_it() {
        let dir = tempfile::tempdir().unwrap();
        let leftovers = Leftovers::default();
        for name in ["stays", "goes"] {
            let scratch = Scratch::make(dir.path().join(name), &leftovers).unwrap();
            // A file can't be removed as a directory, whoever tries.
            fs::remove_dir(scratch.path()).unwrap();
            fs::write(scratch.path(), "").unwrap();
        }
        fs::remove_file(dir.path().join("goes")).unwrap();
        let left = leftovers.take();
        let paths: Vec<_> = left.iter().map(|left| left.path.clone()).collect();
        assert_eq!(paths, [dir.path().join("stays")]);
    }
}
