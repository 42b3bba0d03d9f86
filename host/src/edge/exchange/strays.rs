//! What somebody writes to a live directory in the midst of an exchange: it is in the way, of neither tree, and
//! never replaced.

use std::ffi::{OsStr, OsString};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::{Exchange, Moves, is_there};

/// What the name of the directory begins with in which it is kept.
pub(super) const NAME: &str = ".copal-strays-";

/// How often something that gets in the way is moved out of it.
const OUT_OF_THE_WAY: u32 = 100;

impl Exchange {
    /// Where that is put which somebody wrote to the live directory in the midst of the exchange.
    pub fn strays(&self) -> PathBuf {
        let name = self.before.file_name().unwrap_or_default().as_bytes();
        let run = name
            .strip_prefix(b".copal-before-")
            .unwrap_or(name)
            .to_owned();
        let mut strays = OsString::from(NAME);
        strays.push(OsStr::from_bytes(&run));
        self.live.join(strays)
    }
}

/// Moves something to where nothing is: nothing is ever replaced.
pub(super) fn move_to(from: &Path, to: &Path, moves: Moves) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // A file system that knows no such flags.
        Err(Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP) => {
            if is_there(to)? {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            (moves.rename)(from, to)
        }
        other => other.map_err(Into::into),
    }
}

/// Does it again where something has come to be at `to`, which is put aside.
pub(super) fn out_of_the_way(
    to: &Path,
    strays: &Path,
    deed: &mut dyn FnMut(&Path) -> io::Result<()>,
) -> io::Result<()> {
    for _ in 0..OUT_OF_THE_WAY {
        match deed(to) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => put_aside(to, strays)?,
            other => return other,
        }
    }
    deed(to)
}

/// Puts something aside that is of neither tree, under its own name. It is kept.
pub(super) fn put_aside(stray: &Path, strays: &Path) -> io::Result<()> {
    make_private(strays)?;
    let name = stray.file_name().unwrap_or_default();
    for number in 1u32.. {
        // The name itself may be as long as one can be.
        let round = strays.join(number.to_string());
        make_private(&round)?;
        match move_to(stray, &round.join(name), Moves::REAL) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            // It is gone by itself.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => return other,
        }
    }
    unreachable!("one of so many directories has no such name")
}

fn make_private(directory: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
