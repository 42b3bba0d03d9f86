//! Who works in a directory: an app that was not restarted after a restore in place, most of all. It writes to
//! the old tree, whatever that is called by now.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::everything::below;
use super::mounts::{self, Mount};
use super::processes::{self, Process};

/// One that works in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum User {
    /// A process has something of it open, stands in it, or it is mounted where the process runs: in a
    /// container, say.
    Process {
        /// Its number.
        pid: u32,
        /// Its program, as the system names it.
        program: String,
    },
    /// It is mounted elsewhere on this machine, or is a layer of what is.
    Mount(PathBuf),
    /// A file of it is an image, and is mounted.
    Device {
        /// By which device.
        device: PathBuf,
        /// Which.
        image: PathBuf,
    },
}

/// What counts as work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A file that is open, and mounts: what an app does.
    Files,
    /// Whatever would notice that the directory is deleted.
    Any,
}

/// A directory that was live, and is kept.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    /// Where it is, by a name that is its alone.
    pub tree: &'a Path,
    /// Where it was live.
    pub live: &'a Path,
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process { pid, program } => write!(f, "process {pid} ({program})"),
            Self::Mount(at) => write!(f, "the mount at `{}`", at.display()),
            Self::Device { device, image } => {
                let (device, image) = (device.display(), image.display());
                write!(f, "the device `{device}`, of which `{image}` is the image,")
            }
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

/// The first that is found to work in a directory. Processes of others are seen by root alone.
///
/// # Errors
/// Where the directory can't be seen, or no process at all.
pub fn user_of(kept: Kept<'_>, work: Work) -> io::Result<Option<User>> {
    let name = kept.tree.file_name().unwrap_or_default();
    let is_in_it = |path: &Path| path.iter().any(|part| part == name);
    // A layer has the name by which it was mounted, which was before it was kept, perhaps.
    let is_layer = |layer: &PathBuf| is_in_it(layer) || layer.starts_with(kept.live);
    let is_of_it = |mount: &Mount| is_in_it(&mount.root) || mount.layers.iter().any(is_layer);
    if let Some(mount) = mounts::here()?.into_iter().find(is_of_it) {
        return Ok(Some(User::Mount(mount.at)));
    }
    if let Some(device) = images().find(|(_, image)| is_in_it(image)) {
        let (device, image) = device;
        return Ok(Some(User::Device { device, image }));
    }
    let processes = processes::all()?;
    let mounted = processes
        .iter()
        .find(|process| process.mounts().is_ok_and(|it| it.iter().any(is_of_it)));
    if let Some(process) = mounted {
        return Ok(Some(process.into()));
    }
    let mut open = HashMap::new();
    for process in &processes {
        open.extend(used(process, work).map(|file| ((file.dev(), file.ino()), process)));
    }
    Ok(first_in(kept.tree, &open)?.map(Into::into))
}

/// What a process would lose.
fn used(process: &Process, work: Work) -> impl Iterator<Item = Metadata> {
    let open = process.descriptors().filter_map(|it| it.file().ok());
    let open = open.filter(move |it| it.is_file() || (work == Work::Any && it.is_dir()));
    // Where Copal itself stands its shell does.
    let stands = work == Work::Any && process.pid != std::process::id();
    open.chain(stands.then(|| process.places()).into_iter().flatten())
}

/// The files that the system has mounted as devices, each after its device.
fn images() -> impl Iterator<Item = (PathBuf, PathBuf)> {
    let devices = fs::read_dir("/sys/block").into_iter().flatten().flatten();
    devices.filter_map(|device| {
        let image = fs::read(device.path().join("loop/backing_file")).ok()?;
        let image = image.strip_suffix(b"\n").unwrap_or(&image).to_owned();
        let device = Path::new("/dev").join(device.file_name());
        Some((device, PathBuf::from(OsString::from_vec(image))))
    })
}

/// Who uses the tree or what lies in it, by itself and not by its name: a container has names of its own.
fn first_in<'a>(
    tree: &Path,
    open: &HashMap<(u64, u64), &'a Process>,
) -> io::Result<Option<&'a Process>> {
    let by = |file: &Metadata| open.get(&(file.dev(), file.ino())).copied();
    if let Some(process) = by(&fs::metadata(tree)?) {
        return Ok(Some(process));
    }
    for entry in below(tree) {
        if let Some(process) = by(&entry?.metadata()?) {
            return Ok(Some(process));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::process::Command;

    use super::*;

    fn kept(dir: &Path) -> (PathBuf, PathBuf) {
        let live = dir.join("app");
        fs::create_dir_all(live.join("deep")).unwrap();
        (dir.join("app.before-1a-2b"), live)
    }

    #[test]
    fn who_has_a_file_of_a_directory_open_works_in_it_whatever_it_was_called() {
        let dir = tempfile::tempdir().unwrap();
        let (tree, live) = kept(dir.path());
        let open = File::create(live.join("deep/db")).unwrap();
        fs::rename(&live, &tree).unwrap();
        let kept = Kept {
            tree: &tree,
            live: &live,
        };
        for work in [Work::Files, Work::Any] {
            let Some(User::Process { pid, program }) = user_of(kept, work).unwrap() else {
                panic!("nobody")
            };
            assert_eq!(pid, std::process::id());
            assert!(!program.is_empty());
        }
        drop(open);
        assert_eq!(user_of(kept, Work::Any).unwrap(), None);
    }

    #[test]
    fn who_has_a_directory_open_or_stands_in_one_would_notice_that_it_is_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let (tree, live) = kept(dir.path());
        let kept = Kept {
            tree: &tree,
            live: &live,
        };
        let open = File::open(live.join("deep")).unwrap();
        fs::rename(&live, &tree).unwrap();
        let uses = |work| user_of(kept, work).unwrap().is_some();
        assert!(uses(Work::Any));
        assert!(!uses(Work::Files));
        drop(open);
        assert!(!uses(Work::Any));
        for place in [tree.clone(), tree.join("deep")] {
            let mut stands = Command::new("sleep");
            let mut stands = stands.arg("600").current_dir(place).spawn().unwrap();
            let found = (uses(Work::Any), uses(Work::Files));
            stands.kill().unwrap();
            stands.wait().unwrap();
            assert_eq!(found, (true, false));
        }
    }
}
