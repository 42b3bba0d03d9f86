//! The processes of this machine and what they have open, as far as `/proc` shows it to this user.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::mounts::{self, Mount};

/// A process that was there.
#[derive(Debug)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    directory: PathBuf,
}

/// A descriptor of a process.
#[derive(Debug)]
pub struct Descriptor {
    link: PathBuf,
}

/// All there are just now.
pub fn all() -> io::Result<Vec<Process>> {
    let numbers = numbers(Path::new("/proc"))?;
    Ok(numbers.map(Process::numbered).collect())
}

/// Whether this process has a file open (device and inode).
pub fn has_open(file: (u64, u64)) -> io::Result<bool> {
    let own = PathBuf::from("/proc/self/fd");
    let mut open = numbers(&own)?.map(|number| Descriptor {
        link: own.join(number.to_string()),
    });
    let is_it = |found: Metadata| (found.dev(), found.ino()) == file;
    Ok(open.any(|descriptor| descriptor.file().is_ok_and(is_it)))
}

impl Process {
    fn numbered(pid: u32) -> Self {
        let directory = PathBuf::from(format!("/proc/{pid}"));
        Self { pid, directory }
    }

    /// Its program, as the system names it; nothing where it is gone.
    pub fn program(&self) -> String {
        let name = fs::read_to_string(self.directory.join("comm")).unwrap_or_default();
        name.trim_end().to_owned()
    }

    /// What it has mounted ([`mounts::of`]).
    ///
    /// # Errors
    /// Where it is gone by now, or another user's.
    pub fn mounts(&self) -> io::Result<Vec<Mount>> {
        mounts::of(&self.directory)
    }

    /// Where it stands and what it runs: its working directory, its root, and its program. None where it is gone by
    /// now, or another user's.
    pub fn places(&self) -> impl Iterator<Item = Metadata> {
        let places = ["cwd", "root", "exe"].into_iter();
        places.filter_map(|place| fs::metadata(self.directory.join(place)).ok())
    }

    /// What it has open: nothing where it is gone by now, or another user's.
    pub fn descriptors(&self) -> impl Iterator<Item = Descriptor> + use<> {
        let directory = self.directory.join("fd");
        let numbers = numbers(&directory).into_iter().flatten();
        numbers.map(move |number| Descriptor {
            link: directory.join(number.to_string()),
        })
    }
}

impl Descriptor {
    /// Whether it is open for writing, which the mode of its link says: no file is looked at for it.
    pub fn is_written_to(&self) -> bool {
        const WRITES: u32 = 0o200;
        fs::symlink_metadata(&self.link).is_ok_and(|link| link.permissions().mode() & WRITES != 0)
    }

    /// What is open, by itself and not by its name: a container has names of its own.
    pub fn file(&self) -> io::Result<Metadata> {
        fs::metadata(&self.link)
    }

    /// The name it was opened by, with ` (deleted)` where it has none any more.
    pub fn name(&self) -> io::Result<PathBuf> {
        fs::read_link(&self.link)
    }
}

fn numbers(directory: &Path) -> io::Result<impl Iterator<Item = u32> + use<>> {
    let entries = fs::read_dir(directory)?;
    // What goes while it is listed is not there.
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok()))
}
