//! The walk over a source: everything the filters keep, in the order of its paths.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use copal_core::manifest::Attributes;
use copal_core::path::RelPath;
use copal_core::units::ByteCount;

use super::beneath::Beneath;
use super::exchange;
use super::frozen;
use super::interrupt::{Interrupt, Interrupted};
use super::stat::{Version, attributes};
use super::top::{self, Root};

/// How many paths a filter sees at once: large enough that a call's cost vanishes.
pub const BATCH: usize = 4096;

/// One thing in the source.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its path below the source.
    pub path: RelPath,
    /// Mode, owner, time.
    pub attributes: Attributes,
    /// Which version of it was seen.
    pub version: Version,
    /// What it is.
    pub kind: FoundKind,
}

/// What there can be in a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, with where it points.
    Symlink(Vec<u8>),
    /// A socket, a pipe or a device: a place to talk, not data.
    Special(&'static str),
}

/// What a filter says of one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// It belongs to the snapshot.
    Yes,
    /// It does not; for a directory, what is in it may.
    No,
    /// Neither it nor anything below it does.
    NothingBelow,
}

/// Decides what belongs to a snapshot; several filters are asked as one.
pub trait Filter {
    /// What stopped it from deciding. A filter that fails ends the run: it never drops a file.
    type Error;

    /// One answer for each found thing, in their order.
    fn decide(&mut self, found: &[Found]) -> Result<Vec<Keep>, Self::Error>;
}

/// What stopped a walk.
#[derive(Debug, thiserror::Error)]
pub enum WalkError<E> {
    /// A directory, link or name in the source can't be read.
    #[error("can't read `{}`", .path.display())]
    Unreadable {
        /// What can't be read.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A filter failed.
    #[error(transparent)]
    Filter(E),
    /// A signal came.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// What a walk found.
#[derive(Debug, Default)]
pub struct Walked {
    /// Device and inode of the directory that was walked.
    pub top: (u64, u64),
    /// What the filters kept, sorted by path.
    pub kept: Vec<Found>,
    /// What they left out: each a path, with `true` for a directory that was never entered.
    pub left_out: Vec<(RelPath, bool)>,
    /// Files that vanished between being listed and being looked at: the app deleted them.
    pub vanished: Vec<RelPath>,
}

/// Walks `source`, never entering the directories in `never`, nor any in which a run of any job keeps
/// frozen files; those are told as left out.
pub fn walk<R: Root + ?Sized, F: Filter>(
    source: &R,
    never: &[PathBuf],
    filter: &mut F,
    interrupt: &Interrupt,
) -> Result<Walked, WalkError<F::Error>> {
    let top = top::metadata(source).map_err(|error| WalkError::Unreadable {
        path: source.path().to_owned(),
        source: error,
    })?;
    let mut walked = Walked {
        top: Version::of(&top).file(),
        ..Walked::default()
    };
    let mut directories: Vec<Option<RelPath>> = vec![None];
    while !directories.is_empty() {
        let mut batch = Vec::new();
        while batch.len() < BATCH {
            let Some(directory) = directories.pop() else {
                break;
            };
            interrupt.check()?;
            read_directory(source, directory.as_ref(), never, &mut batch, &mut walked)?;
        }
        let answers = filter.decide(&batch).map_err(WalkError::Filter)?;
        for (found, keep) in batch.into_iter().zip(answers) {
            if found.kind == FoundKind::Directory && keep != Keep::NothingBelow {
                directories.push(Some(found.path.clone()));
            }
            match keep {
                Keep::Yes => walked.kept.push(found),
                Keep::No => walked.left_out.push((found.path, false)),
                Keep::NothingBelow => {
                    walked
                        .left_out
                        .push((found.path, found.kind == FoundKind::Directory));
                }
            }
        }
    }
    keep_parents(source, &mut walked)?;
    walked.kept.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    walked.left_out.sort_unstable();
    Ok(walked)
}

fn read_directory<R: Root + ?Sized, E>(
    source: &R,
    directory: Option<&RelPath>,
    never: &[PathBuf],
    batch: &mut Vec<Found>,
    walked: &mut Walked,
) -> Result<(), WalkError<E>> {
    let absolute = directory.map_or_else(
        || source.path().to_owned(),
        |path| absolute(source.path(), path),
    );
    let unreadable = |source| WalkError::Unreadable {
        path: absolute.clone(),
        source,
    };
    let listing = match list(source, directory) {
        Ok(listing) => listing,
        // The directory was there when its parent was listed; only the top has to be there always.
        Err(error) if is_gone(&error) && directory.is_some() => {
            walked.vanished.extend(directory.cloned());
            return Ok(());
        }
        Err(error) => return Err(unreadable(error)),
    };
    for entry in listing.entries {
        let entry = entry.map_err(unreadable)?;
        let place = absolute.join(entry.file_name());
        if never.contains(&place) {
            continue;
        }
        let name = entry.file_name().into_vec();
        let path = match directory {
            Some(directory) => directory.child(&name),
            None => RelPath::new(name),
        };
        let path = path.map_err(|error| unreadable(io::Error::other(error)))?;
        // By the directory's handle: no way is looked up again for each file.
        let looked = entry
            .metadata()
            .and_then(|metadata| found(path.clone(), &entry.path(), &metadata));
        match looked {
            Ok(found)
                if is_frozen_dir(source, &entry.file_name(), &found)
                    || (directory.is_none() && is_of_a_restore(&entry.file_name(), &found)) =>
            {
                walked.left_out.push((path, true));
            }
            Ok(found) => batch.push(found),
            Err(error) if is_gone(&error) => walked.vanished.push(path),
            Err(source) => {
                return Err(WalkError::Unreadable {
                    path: place,
                    source,
                });
            }
        }
    }
    Ok(())
}

/// The entries of one directory, whose paths stay those of this one whatever takes its place.
struct Listing {
    entries: fs::ReadDir,
    /// The paths of the entries lead through it.
    _handle: File,
}

/// Lists a directory of the source, which no link leads to.
fn list<R: Root + ?Sized>(source: &R, directory: Option<&RelPath>) -> io::Result<Listing> {
    let directory = directory.map_or(&b""[..], RelPath::as_bytes);
    let directory = Path::new(OsStr::from_bytes(directory));
    let handle = Beneath::below(source, directory).open_directory()?;
    let entries = fs::read_dir(format!("/proc/self/fd/{}", handle.as_raw_fd()));
    Ok(Listing {
        // What is open is not gone: that it can't be found means that `/proc` is not there.
        entries: entries.map_err(|error| {
            io::Error::other(format!("it can't be listed by /proc/self/fd: {error}"))
        })?,
        _handle: handle,
    })
}

/// Whether it is a directory in which runs keep frozen files: of this job, or of another whose source is
/// this one, or lies in it.
fn is_frozen_dir<R: Root + ?Sized>(source: &R, name: &OsStr, found: &Found) -> bool {
    found.kind == FoundKind::Directory
        && frozen::is_own_name(name)
        && list(source, Some(&found.path))
            .is_ok_and(|listing| frozen::is_own(found.attributes.mode.bits(), listing.entries))
}

/// Whether it is a directory of a restore in a source that can't be renamed: an old tree, for example.
fn is_of_a_restore(name: &OsStr, found: &Found) -> bool {
    found.kind == FoundKind::Directory && exchange::is_own_name(name)
}

fn found(path: RelPath, absolute: &Path, metadata: &Metadata) -> io::Result<Found> {
    Ok(Found {
        path,
        attributes: attributes(metadata),
        version: Version::of(metadata),
        kind: kind_of(absolute, metadata)?,
    })
}

fn kind_of(absolute: &Path, metadata: &Metadata) -> io::Result<FoundKind> {
    let file_type = metadata.file_type();
    Ok(if file_type.is_file() {
        FoundKind::File
    } else if file_type.is_dir() {
        FoundKind::Directory
    } else if file_type.is_symlink() {
        FoundKind::Symlink(fs::read_link(absolute)?.into_os_string().into_vec())
    } else if file_type.is_socket() {
        FoundKind::Special("socket")
    } else if file_type.is_fifo() {
        FoundKind::Special("pipe")
    } else {
        FoundKind::Special("device")
    })
}

/// A filter may leave out a directory and keep a file in it; the snapshot needs both.
fn keep_parents<R: Root + ?Sized, E>(source: &R, walked: &mut Walked) -> Result<(), WalkError<E>> {
    let mut known: std::collections::HashSet<RelPath> = walked
        .kept
        .iter()
        .filter(|found| found.kind == FoundKind::Directory)
        .map(|found| found.path.clone())
        .collect();
    let missing: Vec<RelPath> = walked
        .kept
        .iter()
        .flat_map(|found| found.path.ancestors())
        .filter(|parent| known.insert(parent.clone()))
        .collect();
    for path in missing {
        let place = absolute(source.path(), &path);
        let looked = Beneath::of(source, &path)
            .metadata()
            .and_then(|metadata| found(path.clone(), &place, &metadata));
        let found = looked.map_err(|source| WalkError::Unreadable {
            path: place,
            source,
        })?;
        walked
            .left_out
            .retain(|(left_out, _)| *left_out != found.path);
        walked.kept.push(found);
    }
    Ok(())
}

fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

/// Where a path below the source lies on this machine.
pub fn absolute(source: &Path, path: &RelPath) -> PathBuf {
    source.join(OsStr::from_bytes(path.as_bytes()))
}

/// Sum of the sizes of the regular files.
pub fn total_size<'a>(found: impl IntoIterator<Item = &'a Found>) -> ByteCount {
    found
        .into_iter()
        .filter(|found| found.kind == FoundKind::File)
        .map(|found| found.version.size())
        .sum()
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
