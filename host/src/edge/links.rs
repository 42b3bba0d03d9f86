//! Second names in a folder of this machine: a snapshot's file that did not change is the last one's.
//!
//! The folder may be somebody's: from its top on no symbolic link is followed, here or there, and no name
//! leads out of the two directories.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::fs::{AtFlags, FileType, Mode, fstat, linkat, mkdirat, statat, unlinkat};
use rustix::io::Errno;

use super::beneath::Beneath;
use super::interrupt::Interrupt;
use super::remote::{Linked, Within};
use super::top::Top;

/// Gives files of one directory of a folder names in another one, on every core. It never fails after the
/// first: what has no second name is told.
pub(super) fn link_within(
    folder: &Path,
    files: Within<'_>,
    interrupt: &Interrupt,
) -> io::Result<Linked> {
    if interrupt.signal().is_some() {
        return Ok(Linked::none_of(files));
    }
    let top = Top::hold(folder)?;
    let from = Beneath::below(&top, Path::new(files.from)).hold();
    let from = match from {
        Err(error) if Errno::from_io_error(&error) == Some(Errno::NOENT) => {
            return Ok(Linked::none_of(files));
        }
        from => from?,
    };
    let to = make(&top, Path::new(files.to))?;
    // Also where the file system has owners of its own, as NFS may.
    let owner = fstat(&to)?.st_uid;
    let held = |path: &str, directory| Top::of(Path::new(path), Some(&Arc::new(directory)));
    let job = Job {
        from: held(files.from, from),
        to: held(files.to, to),
        owner,
        is_over: AtomicBool::new(false),
        interrupt,
    };
    let pairs: Vec<_> = files.pairs().collect();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    // Neighbours stay together: these are mostly of one directory.
    let share = pairs.len().div_ceil(cores).max(1);
    let parts = thread::scope(|scope| {
        let workers = pairs.chunks(share);
        let workers: Vec<_> = workers
            .map(|part| scope.spawn(|| job.link_all(part)))
            .collect();
        let workers = workers.into_iter();
        let parts = workers.map(|worker| worker.join().expect("linking does not panic"));
        parts.collect::<Vec<_>>()
    });
    Ok(parts.into_iter().fold(Linked::default(), Linked::and))
}

/// What all that link have in common.
struct Job<'a> {
    from: Top,
    to: Top,
    /// Whose files the new ones have to be.
    owner: u32,
    /// Whether no other file would fare better.
    is_over: AtomicBool,
    interrupt: &'a Interrupt,
}

impl Job<'_> {
    fn link_all(&self, pairs: &[(&str, &str)]) -> Linked {
        let mut linker = Linker {
            from: Side::of(&self.from),
            to: Side::of(&self.to),
            owner: self.owner,
        };
        let mut told = Linked::default();
        for (there, here) in pairs {
            let goes_on =
                !self.is_over.load(Ordering::Relaxed) && self.interrupt.signal().is_none();
            let result = if goes_on {
                linker.link(there, here)
            } else {
                Err(Unlinked::Untried)
            };
            let Err(unlinked) = result else { continue };
            told.left.push((*here).to_owned());
            match unlinked {
                Unlinked::Untried => {}
                Unlinked::Gone => told.gone.push((*there).to_owned()),
                Unlinked::Unfit(error) => {
                    if is_of_the_folder(&error) {
                        self.is_over.store(true, Ordering::Relaxed);
                    }
                    told.unfit += 1;
                    told.why.get_or_insert(error);
                }
                Unlinked::Stuck(error) => {
                    self.is_over.store(true, Ordering::Relaxed);
                    told.stuck.get_or_insert(error);
                }
            }
        }
        told
    }
}

/// Whether it would end each other link as well.
fn is_of_the_folder(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::NOSPC | Errno::DQUOT | Errno::ROFS)
    )
}

/// Why a file has no second name.
enum Unlinked {
    /// Others had none, or a signal came.
    Untried,
    /// It is not there any more, or is no file.
    Gone,
    /// It can't have one: the file system knows no such names, or no more of them; it lies on another one,
    /// or belongs to somebody else.
    Unfit(io::Error),
    /// It should have none, and can't be rid of it.
    Stuck(io::Error),
}

impl From<io::Error> for Unlinked {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Gone,
            _ => Self::Unfit(error),
        }
    }
}

impl From<Errno> for Unlinked {
    fn from(error: Errno) -> Self {
        io::Error::from(error).into()
    }
}

struct Linker<'a> {
    from: Side<'a>,
    to: Side<'a>,
    owner: u32,
}

impl Linker<'_> {
    fn link(&mut self, there: &str, here: &str) -> Result<(), Unlinked> {
        let (from, name) = self.from.directory_of(there, false)?;
        let (to, new) = self.to.directory_of(here, true)?;
        linkat(from, name, to, new, AtFlags::empty()).map_err(|errno| match errno {
            // A directory has one name alone.
            Errno::PERM if is_directory(from, name) => Unlinked::Gone,
            errno => errno.into(),
        })?;
        // What it is shows best now: before, another could have taken its place.
        let Err(unlinked) = is_ours(to, new, self.owner) else {
            return Ok(());
        };
        // Whatever was sent by this name would be written to the other one's file.
        match unlinkat(to, new, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Err(unlinked),
            Err(error) => Err(Unlinked::Stuck(error.into())),
        }
    }
}

fn is_directory(directory: &OwnedFd, name: &OsStr) -> bool {
    let found = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW);
    found.is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::Directory)
}

/// Whether it is a file, and one that nobody else may write to whenever he likes.
fn is_ours(directory: &OwnedFd, name: &OsStr, owner: u32) -> Result<(), Unlinked> {
    let found = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
        return Err(Unlinked::Gone);
    }
    if found.st_uid != owner {
        let why = format!(
            "it belongs to the user {}, and what is new there to {owner}",
            found.st_uid
        );
        return Err(Unlinked::Unfit(io::Error::other(why)));
    }
    Ok(())
}

/// One of both directories, with the one below it that was used last: files come in the order of their names.
struct Side<'a> {
    top: &'a Top,
    last: Option<(PathBuf, OwnedFd)>,
}

impl<'a> Side<'a> {
    fn of(top: &'a Top) -> Self {
        Self { top, last: None }
    }

    /// The directory that a file lies in, made where that is wanted, and the file's name there.
    fn directory_of<'f>(
        &mut self,
        file: &'f str,
        make_it: bool,
    ) -> io::Result<(&OwnedFd, &'f OsStr)> {
        let path = Path::new(file);
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Errno::INVAL.into());
        };
        if self.last.as_ref().is_none_or(|(last, _)| last != parent) {
            let opened = if make_it {
                make(self.top, parent)?
            } else {
                Beneath::below(self.top, parent).hold()?
            };
            self.last = Some((parent.to_owned(), opened));
        }
        let (_, opened) = self.last.as_ref().expect("it was opened above");
        Ok((opened, name))
    }
}

/// Opens a directory, and makes it first where there is none.
fn make(top: &Top, directory: &Path) -> io::Result<OwnedFd> {
    let open = || Beneath::below(top, directory).hold();
    match (open(), directory.parent(), directory.file_name()) {
        (Err(error), Some(parent), Some(name)) if error.kind() == io::ErrorKind::NotFound => {
            let above = make(top, parent)?;
            // As rclone makes them: the umask decides.
            match mkdirat(&above, name, Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => open(),
                Err(error) => Err(error.into()),
            }
        }
        (opened, ..) => opened,
    }
}

#[cfg(test)]
#[path = "links_tests.rs"]
mod tests;
