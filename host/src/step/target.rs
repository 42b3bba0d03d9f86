//! The directory that a restore fills: empty until everything is proven, or as it was.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use copal_core::manifest::Manifest;
use copal_core::units::ByteCount;

use super::restore::RestoreError;
use crate::edge::attributes::{self, Owners};
use crate::edge::leftovers::Leftovers;
use crate::edge::scratch::remove_tree;
use crate::edge::staging::room;
use crate::edge::state::make_private;

/// Where a restore works until everything is proven, unless the snapshot has something of that name; the target holds
/// nothing else until then.
const WORK: &str = ".copal-restoring";

/// The directory that is restored into. Until [`Target::finish`], dropping it leaves it as it was.
pub(super) struct Target {
    dir: PathBuf,
    work: PathBuf,
    /// The directories that were made for it, itself first and then those above it.
    made: Vec<PathBuf>,
    finished: bool,
    leftovers: Leftovers,
}

impl Target {
    pub(super) fn prepare(
        dir: &Path,
        manifest: &Manifest,
        leftovers: &Leftovers,
    ) -> Result<Self, RestoreError> {
        let name = work_name(manifest);
        let place = |source| RestoreError::Place {
            path: dir.to_owned(),
            source,
        };
        let made = match fs::read_dir(dir) {
            Ok(inside) => {
                let names: Result<Vec<_>, _> = inside
                    .map(|entry| entry.map(|entry| entry.file_name()))
                    .collect();
                let names = names.map_err(place)?;
                // Alone in there, it is what a killed restore left.
                if names.iter().any(|found| **found != *name) {
                    return Err(taken(dir, &names));
                }
                if !names.is_empty() {
                    remove_tree(&dir.join(&name)).map_err(place)?;
                }
                Vec::new()
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(dir).map_err(place)?,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(RestoreError::NotADirectory(dir.to_owned()));
            }
            Err(error) => return Err(place(error)),
        };
        let target = Self {
            dir: dir.to_owned(),
            work: dir.join(name),
            made,
            finished: false,
            leftovers: leftovers.clone(),
        };
        for dir in [&target.work, &target.stored(), &target.tree()] {
            make_private(dir).map_err(place)?;
        }
        Ok(target)
    }

    pub(super) fn stored(&self) -> PathBuf {
        self.work.join("stored")
    }

    pub(super) fn tree(&self) -> PathBuf {
        self.work.join("tree")
    }

    pub(super) fn check_room(&self, needed: ByteCount) -> Result<(), RestoreError> {
        let free = room(&self.dir).map_err(|source| RestoreError::Place {
            path: self.dir.clone(),
            source,
        })?;
        if free >= needed {
            return Ok(());
        }
        Err(RestoreError::NoRoom {
            path: self.dir.clone(),
            free,
            needed,
        })
    }

    /// Moves the proven tree into the target.
    pub(super) fn finish(
        mut self,
        manifest: &Manifest,
        owners: &mut Owners,
    ) -> Result<(), RestoreError> {
        let place = |path: &Path| {
            let path = path.to_owned();
            move |source| RestoreError::Place { path, source }
        };
        let tree = self.tree();
        let mut moved = Vec::new();
        for entry in fs::read_dir(&tree).map_err(place(&tree))? {
            let from = entry.map_err(place(&tree))?.path();
            let to = self.dir.join(from.file_name().unwrap_or_default());
            if let Err(error) = refuse_existing(&to).and_then(|()| move_to(&from, &to)) {
                // Back with what was moved, so that dropping this leaves the directory empty.
                let back = moved
                    .iter()
                    .try_for_each(|(from, to): &(PathBuf, PathBuf)| move_to(to, from));
                self.finished = back.is_err();
                return Err(place(&to)(error));
            }
            moved.push((from, to));
        }
        self.finished = true;
        fs::remove_dir_all(&self.work).map_err(|source| RestoreError::CleanUp {
            path: self.work.clone(),
            source,
        })?;
        attributes::apply(&self.dir, &manifest.root, owners).map_err(place(&self.dir))
    }
}

/// Makes a directory and those that it lacks above it, or none; itself first.
fn make(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let absent = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let mut missing: Vec<PathBuf> = dir
        .ancestors()
        .take_while(absent)
        .map(Path::to_owned)
        .collect();
    let mut made = Vec::new();
    while let Some(next) = missing.pop() {
        match fs::create_dir(&next) {
            Ok(()) => made.insert(0, next),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                // What stays is empty, and why it does would hide why this fails.
                drop(unmake(&made));
                return Err(error);
            }
        }
    }
    Ok(made)
}

/// Removes directories that were made, from the first on, as long as nobody has put anything into them.
fn unmake(made: &[PathBuf]) -> Result<(), (&Path, io::Error)> {
    for dir in made {
        match fs::remove_dir(dir) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => return Ok(()),
            Err(error) => return Err((dir, error)),
        }
    }
    Ok(())
}

/// Why nothing is restored into a directory with this in it.
fn taken(dir: &Path, names: &[OsString]) -> RestoreError {
    let is_work = |name: &&OsString| {
        let rest = name.to_str().and_then(|name| name.strip_prefix(WORK));
        let number = rest.map(|rest| rest.strip_prefix('.').unwrap_or(rest));
        number.is_some_and(|number| number.bytes().all(|digit| digit.is_ascii_digit()))
    };
    let has_parts = |name: &OsString| {
        let work = dir.join(name);
        let is_dir = |path: PathBuf| fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
        is_dir(work.clone()) && (is_dir(work.join("tree")) || is_dir(work.join("stored")))
    };
    if names.iter().filter(is_work).any(has_parts) {
        RestoreError::HalfMoved(dir.to_owned())
    } else {
        RestoreError::NotEmpty(dir.to_owned())
    }
}

/// A name that nothing of the snapshot has. An app that was started on what a killed restore left has that one in its
/// data, and so in its snapshots.
fn work_name(manifest: &Manifest) -> String {
    let is_free = |name: &String| {
        let mut entries = manifest.entries.iter();
        !entries.any(|entry| entry.path.as_bytes() == name.as_bytes())
    };
    let others = (1_u32..).map(|n| format!("{WORK}.{n}"));
    let mut names = std::iter::once(WORK.to_owned()).chain(others);
    names.find(is_free).expect("no snapshot has every name")
}

impl Drop for Target {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        let removed = remove_tree(&self.work).map_err(|error| (self.work.as_path(), error));
        if let Err((left, error)) = removed.and_then(|()| unmake(&self.made)) {
            self.leftovers.note(left, error);
        }
    }
}

/// Moving onto something would replace it.
fn refuse_existing(to: &Path) -> io::Result<()> {
    match fs::symlink_metadata(to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
    }
}

/// Moving a directory to another parent rewrites its `..`, for which anybody but root needs the
/// right to write to it.
fn move_to(from: &Path, to: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(from)?;
    if !metadata.is_dir() {
        return fs::rename(from, to);
    }
    let own = metadata.permissions();
    fs::set_permissions(from, Permissions::from_mode(own.mode() | 0o700))?;
    fs::rename(from, to)?;
    fs::set_permissions(to, own)
}
