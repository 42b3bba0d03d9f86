//! Where frozen files lie: clones and links have to be on the source's own file system.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, OFlags, StatxFlags};

use super::leftovers::Leftovers;
use super::open::open_regular;
use super::staging::{RUN, RunDir, StagingError, clean_up, make_for_run};
use super::state::make_private;

/// What the names of Copal's own directories in and beside a source begin with.
pub const PREFIX: &str = ".copal-staging-";

/// How the names of the runs' directories in these end.
const FROZEN: &str = "-frozen";

/// A run's directory of frozen files. All in it is removed when this value is dropped: links as
/// links, so that no live file is touched.
#[derive(Debug)]
pub struct FrozenDir {
    root: RunDir,
    /// Beside or in the source there is no directory of Copal's while nothing runs.
    _base: Base,
}

/// Where the job called `name` may keep frozen files, the best place first.
pub fn places(source: &Path, name: &str) -> Vec<PathBuf> {
    let own = format!("{PREFIX}{name}");
    let beside = source.parent().map(|parent| parent.join(&own));
    beside.into_iter().chain([source.join(&own)]).collect()
}

/// Whether a directory has the name of one of Copal's own in or beside a source.
pub fn is_own_name(name: &OsStr) -> bool {
    name.as_bytes().starts_with(PREFIX.as_bytes())
}

/// Whether a directory of such a name, with this mode and these entries, is one of Copal's own, of whatever
/// job: nothing is in it but what runs keep there. One with anything else in it is somebody's data.
pub fn is_own(mode: u32, entries: impl Iterator<Item = io::Result<fs::DirEntry>>) -> bool {
    let mut is_empty = true;
    for entry in entries {
        let is_of_a_run = entry.is_ok_and(|entry| {
            let name = entry.file_name();
            let name = name.as_bytes();
            let is_named_so = name.starts_with(RUN.as_bytes()) && name.ends_with(FROZEN.as_bytes());
            is_named_so && entry.file_type().is_ok_and(|kind| kind.is_dir())
        });
        if !is_of_a_run {
            return false;
        }
        is_empty = false;
    }
    // A run that has just begun has nothing in it, and a mode that hardly anybody else's has.
    !is_empty || mode & 0o777 == 0o700
}

/// Removes what killed runs of the job left in these places: the caller holds the job's lock.
pub fn remove_leftovers(places: &[PathBuf]) -> Result<(), StagingError> {
    for place in places {
        // A link in its place is somebody else's doing.
        if fs::symlink_metadata(place).is_ok_and(|found| found.is_dir()) {
            clean_up(place)?;
            let _base = Base(Some(place.clone()));
        }
    }
    Ok(())
}

impl FrozenDir {
    /// Makes one for the run called `run` below `base`, with these directories in it. Nothing else there
    /// is touched: the run's staging directory may be.
    pub fn create<'a>(
        base: &Path,
        run: &str,
        directories: impl IntoIterator<Item = &'a str>,
        leftovers: &Leftovers,
    ) -> Result<Self, StagingError> {
        let passing = base.file_name().is_some_and(is_own_name);
        if passing && base.is_symlink() {
            let source = io::Error::other("a link lies in its place");
            return Err(StagingError::making(base, source));
        }
        let guard = Base(passing.then(|| base.to_owned()));
        make_private(base).map_err(|source| StagingError::making(base, source))?;
        let root = make_for_run(base, &format!("{run}{FROZEN}"), leftovers)?;
        let frozen = Self { root, _base: guard };
        for directory in directories {
            let path = frozen.path().join(directory);
            fs::create_dir_all(&path).map_err(|source| StagingError::making(&path, source))?;
        }
        Ok(frozen)
    }

    /// Each file lies below it under its name on the remote.
    pub fn path(&self) -> &Path {
        self.root.path()
    }

    /// Makes what is missing of the directories above these names.
    pub fn make_parents<'a>(
        &self,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<(), StagingError> {
        let mut made = HashSet::new();
        for name in names {
            let parent = name.rsplit_once('/').map_or("", |(parent, _)| parent);
            if made.insert(parent) {
                let path = self.path().join(parent);
                self.make(&path)
                    .map_err(|source| StagingError::making(&path, source))?;
            }
        }
        Ok(())
    }

    /// What was a file when it was frozen ahead may be a directory by now.
    fn make(&self, directory: &Path) -> io::Result<()> {
        let Err(error) = fs::create_dir_all(directory) else {
            return Ok(());
        };
        let above = directory.ancestors();
        let below_top = above.take_while(|path| *path != self.path());
        let in_the_way = below_top
            .filter(|path| fs::symlink_metadata(path).is_ok_and(|found| !found.is_dir()))
            .last();
        match in_the_way {
            Some(file) => fs::remove_file(file).and_then(|()| fs::create_dir_all(directory)),
            None => Err(error),
        }
    }

    /// Removes what lies at one of its paths: it was frozen ahead, and is another by now.
    pub fn clear(&self, place: &Path) -> io::Result<()> {
        debug_assert!(place.starts_with(self.path()), "it is this run's own");
        if fs::symlink_metadata(place)?.is_dir() {
            fs::remove_dir_all(place)
        } else {
            fs::remove_file(place)
        }
    }
}

/// A directory that is to go when it is empty.
#[derive(Debug)]
struct Base(Option<PathBuf>);

impl Drop for Base {
    fn drop(&mut self) {
        if let Some(base) = &self.0
            && let Err(error) = fs::remove_dir(base)
        {
            // What keeps it is not this run's, or is told of as left behind.
            tracing::debug!(path = %base.display(), %error, "the directory stays");
        }
    }
}

/// The directory itself, or what of the way to it is there.
pub fn existing(place: &Path) -> &Path {
    let mut there = place.ancestors();
    there.find(|path| path.is_dir()).unwrap_or(Path::new("/"))
}

/// Why the content of `file` can't be cloned to a file in `place`, found out without leaving a trace.
pub fn hinders_reflink(file: &Path, place: &Path) -> Result<(), String> {
    let said = |error: &dyn std::fmt::Display| Err(error.to_string());
    let from = match open_regular(file) {
        Ok(from) => from,
        Err(error) => return said(&error),
    };
    let unnamed = OpenOptions::new()
        .write(true)
        .mode(0o600)
        .custom_flags(OFlags::TMPFILE.bits().cast_signed())
        .open(existing(place));
    let clone: File = match unnamed {
        Ok(clone) => clone,
        Err(error) => return said(&error),
    };
    match rustix::fs::ioctl_ficlone(&clone, &from) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOTTY) => {
            Err("the file system does not clone files".to_owned())
        }
        Err(rustix::io::Errno::XDEV) => Err(elsewhere(place)),
        Err(error) => said(&error),
    }
}

/// Why files of `source` can't be linked in `place`, as far as that shows without trying.
pub fn hinders_link(source: &Path, place: &Path) -> Result<(), String> {
    let there = existing(place);
    if mount(source)? != mount(there)? {
        return Err(elsewhere(place));
    }
    rustix::fs::access(there, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|error| format!("`{}` can't be written to: {error}", there.display()))
}

fn elsewhere(place: &Path) -> String {
    format!("`{}` lies on another file system", place.display())
}

/// Has all that was written to the file system of `source` go to its disk.
pub fn settle(source: &Path) {
    let synced = File::open(source).and_then(|top| Ok(rustix::fs::syncfs(top)?));
    if let Err(error) = synced {
        // It saves time, and nothing depends on it.
        tracing::debug!(%error, "the source's file system is not synced");
    }
}

/// Whether every change of a file's content changes its times there, through memory maps as well: a
/// clone writes back what was written through one, and the next write to it is noticed anew.
pub fn notes_every_change(source: &Path) -> bool {
    // Source: linux/magic.h.
    const XFS: i128 = 0x5846_5342;
    const BTRFS: i128 = 0x9123_683e;
    rustix::fs::statfs(source).is_ok_and(|found| [XFS, BTRFS].contains(&i128::from(found.f_type)))
}

/// Device and mount: a link can't lead from one mount to another, even of one device.
fn mount(path: &Path) -> Result<(u32, u32, u64), String> {
    let stat = rustix::fs::statx(CWD, path, AtFlags::empty(), StatxFlags::MNT_ID);
    let stat = stat.map_err(|error| format!("can't look at `{}`: {error}", path.display()))?;
    Ok((stat.stx_dev_major, stat.stx_dev_minor, stat.stx_mnt_id))
}

#[cfg(test)]
#[path = "frozen_tests.rs"]
mod tests;
