//! Second names in a folder of this machine: a snapshot's file that did not change is the last one's.
//!
//! The folder may be somebody's: from its top on no symbolic link is followed, here or there.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, linkat, mkdirat, statat, unlinkat};
use rustix::io::Errno;

use super::beneath::Beneath;
use super::interrupt::Interrupt;
use super::remote::{Linked, Within};
use super::top::Top;

/// Gives files of one directory of a folder names in another one. It never fails after the first: what has
/// no second name is told.
pub(super) fn link_within(
    folder: &Path,
    files: Within<'_>,
    interrupt: &Interrupt,
) -> io::Result<Linked> {
    let top = Top::hold(folder)?;
    let mut linker = Linker {
        from: Side::of(&top, files.from),
        to: Side::of(&top, files.to),
    };
    let mut linked = Linked::default();
    let mut goes_on = true;
    for (there, here) in files.pairs() {
        goes_on = goes_on && interrupt.signal().is_none();
        let result = if goes_on {
            linker.link(there, here)
        } else {
            Err(Unlinked::Gone)
        };
        let Err(unlinked) = result else { continue };
        linked.left.push(here.to_owned());
        if let Unlinked::Unfit(error) = unlinked {
            // No other file would fare better.
            goes_on = goes_on && !matches!(error, Errno::NOSPC | Errno::DQUOT | Errno::ROFS);
            linked.unfit += 1;
            linked.why.get_or_insert_with(|| error.into());
        }
    }
    Ok(linked)
}

/// Why a file has no second name.
enum Unlinked {
    /// It is not there any more, or is no file.
    Gone,
    /// It can't have one: the file system knows no such names, or no more of them; it lies on another one,
    /// or belongs to somebody else.
    Unfit(Errno),
}

impl From<io::Error> for Unlinked {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Gone,
            _ => Self::Unfit(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
        }
    }
}

struct Linker<'a> {
    from: Side<'a>,
    to: Side<'a>,
}

impl Linker<'_> {
    fn link(&mut self, there: &str, here: &str) -> Result<(), Unlinked> {
        let (from, name) = self.from.directory_of(there, false)?;
        let (to, new) = self.to.directory_of(here, true)?;
        match linkat(from, name, to, new, AtFlags::empty()) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Err(Unlinked::Gone),
            Err(error) => return Err(Unlinked::Unfit(error)),
        }
        let found = statat(to, new, AtFlags::SYMLINK_NOFOLLOW).map_err(io::Error::from)?;
        if FileType::from_raw_mode(found.st_mode) == FileType::RegularFile {
            return Ok(());
        }
        // A link has taken the file's place there: it is nothing that belongs into a snapshot.
        unlinkat(to, new, AtFlags::empty()).map_err(io::Error::from)?;
        Err(Unlinked::Gone)
    }
}

/// One of both directories, with the one below it that was used last: files come in the order of their names.
struct Side<'a> {
    top: &'a Top,
    directory: &'a Path,
    last: Option<(PathBuf, OwnedFd)>,
}

impl<'a> Side<'a> {
    fn of(top: &'a Top, directory: &'a str) -> Self {
        Self {
            top,
            directory: Path::new(directory),
            last: None,
        }
    }

    /// The directory that a file lies in, made where that is wanted, and the file's name there.
    fn directory_of<'f>(&mut self, file: &'f str, make: bool) -> io::Result<(&OwnedFd, &'f OsStr)> {
        let path = self.directory.join(file);
        let (Some(parent), Some(name)) = (path.parent(), Path::new(file).file_name()) else {
            return Err(Errno::INVAL.into());
        };
        if self.last.as_ref().is_none_or(|(last, _)| last != parent) {
            let opened = if make {
                make_parent(self.top, &path)?
            } else {
                Beneath::below(self.top, &path).parent()?.0
            };
            self.last = Some((parent.to_owned(), opened));
        }
        let (_, opened) = self.last.as_ref().expect("it was opened above");
        Ok((opened, name))
    }
}

/// Opens the directory that `path` lies in, and makes it first where there is none.
fn make_parent(top: &Top, path: &Path) -> io::Result<OwnedFd> {
    let open = || Beneath::below(top, path).parent().map(|(opened, _)| opened);
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
    match (open(), parent) {
        (Err(error), Some(parent)) if error.kind() == io::ErrorKind::NotFound => {
            let above = make_parent(top, parent)?;
            let name = parent.file_name().ok_or(Errno::INVAL)?;
            // As rclone makes them: the umask decides.
            match mkdirat(&above, name, Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => open(),
                Err(error) => Err(error.into()),
            }
        }
        (opened, _) => opened,
    }
}

#[cfg(test)]
#[path = "links_tests.rs"]
mod tests;
