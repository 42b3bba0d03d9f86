//! Who works in a directory: an app that was not restarted after a restore in place, most of all. It writes to
//! the old tree, whatever that is called by now.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::everything::below;
use super::mounts;
use super::processes::{self, Process};

/// One that works in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum User {
    /// A process has a file of it open, or it is mounted where the process runs: in a container, say.
    Process {
        /// Its number.
        pid: u32,
        /// Its program, as the system names it.
        program: String,
    },
    /// It is mounted elsewhere on this machine.
    Mount(PathBuf),
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process { pid, program } => write!(f, "process {pid} ({program})"),
            Self::Mount(at) => write!(f, "the mount at `{}`", at.display()),
        }
    }
}

impl From<&Process> for User {
    fn from(process: &Process) -> Self {
        Self::Process {
            pid: process.pid,
            program: process.program(),
        }
    }
}

/// The first that is found to work in `tree`, whose own name has to be its alone. Processes of others are
/// seen by root alone.
///
/// # Errors
/// Where the tree can't be seen, or no process at all.
pub fn user_of(tree: &Path) -> io::Result<Option<User>> {
    let name = tree.file_name().unwrap_or_default();
    let is_of_it = |(root, _): &(PathBuf, PathBuf)| root.iter().any(|part| part == name);
    if let Some((_, at)) = mounts::here()?.into_iter().find(is_of_it) {
        return Ok(Some(User::Mount(at)));
    }
    let processes = processes::all()?;
    let mounted = processes.iter().find(|process| {
        process
            .mounts()
            .is_ok_and(|mounts| mounts.iter().any(is_of_it))
    });
    if let Some(process) = mounted {
        return Ok(Some(process.into()));
    }
    let mut open = HashMap::new();
    for process in &processes {
        let files = process.descriptors().filter_map(|it| it.file().ok());
        let files = files.filter(fs::Metadata::is_file);
        open.extend(files.map(|file| ((file.dev(), file.ino()), process)));
    }
    Ok(first_in(tree, &open)?.map(Into::into))
}

/// Who has a file open that lies in the tree, by itself and not by its name: a container has names of its own.
fn first_in<'a>(
    tree: &Path,
    open: &HashMap<(u64, u64), &'a Process>,
) -> io::Result<Option<&'a Process>> {
    for entry in below(tree) {
        let metadata = entry?.metadata()?;
        if let Some(process) = open.get(&(metadata.dev(), metadata.ino())) {
            return Ok(Some(process));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn who_has_a_file_of_a_directory_open_works_in_it_whatever_it_was_called() {
        let dir = tempfile::tempdir().unwrap();
        let live = dir.path().join("app");
        fs::create_dir_all(live.join("deep")).unwrap();
        let open = File::create(live.join("deep/db")).unwrap();
        let tree = dir.path().join("app.before-1a-2b");
        fs::rename(&live, &tree).unwrap();
        let Some(User::Process { pid, program }) = user_of(&tree).unwrap() else {
            panic!("nobody")
        };
        assert_eq!(pid, std::process::id());
        assert!(!program.is_empty());
        drop(open);
        assert_eq!(user_of(&tree).unwrap(), None);
    }
}
