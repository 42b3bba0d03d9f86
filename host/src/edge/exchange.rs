//! An exchange: a tree takes the place of the live one, which is kept. It is a sequence of renames, and all
//! that is needed to go back from any of them is known before the first: so another process can, when the
//! one that began is gone. Old or new, never a mix.

mod inside;
mod strays;

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use copal_core::path::{decode_bytes, encode_bytes};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::identity::Identity;

pub use inside::{Inside, is_own_name};

/// Two trees that change their places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// Where the live tree is.
    #[serde(serialize_with = "write_path", deserialize_with = "read_path")]
    pub live: PathBuf,
    /// The tree that takes its place.
    #[serde(serialize_with = "write_path", deserialize_with = "read_path")]
    pub new: PathBuf,
    /// Where the old tree is to be.
    #[serde(serialize_with = "write_path", deserialize_with = "read_path")]
    pub before: PathBuf,
    /// How that is done.
    pub how: How,
}

/// How trees change their places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// The directories change their names, and are recognised under any.
    Whole {
        /// The live one.
        old: Identity,
        /// The other one.
        new: Identity,
        /// The one that both are in: another is in its place where its disk is not mounted.
        above: Identity,
    },
    /// The live directory keeps its place, since something is mounted there, and what is in it goes.
    Inside(Inside),
}

/// Which tree is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Live {
    /// The one that was.
    Old,
    /// The one that was to take its place.
    New,
    /// Another, which somebody has put there since.
    Other,
}

/// What an exchange came to.
#[derive(Debug, Default)]
pub struct Exchanged {
    /// Where the old tree is.
    pub before: PathBuf,
    /// Why it is not where it was to be.
    pub keeps_name: Option<io::Error>,
    /// Why it may not outlast a power cut within seconds.
    pub not_written_down: Option<io::Error>,
}

/// Told of each rename that is about to be done.
pub type Pass<'a> = &'a dyn Fn(&'static str);

/// How directories change their places: what a test replaces.
#[derive(Clone, Copy)]
pub struct Moves {
    /// Two directories at once.
    pub exchange: fn(&Path, &Path) -> Result<(), Errno>,
    /// One, onto nothing.
    pub rename: fn(&Path, &Path) -> io::Result<()>,
}

impl Moves {
    /// Those of the system.
    pub const REAL: Self = Self {
        exchange: |one, other| renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE),
        rename: |from, to| fs::rename(from, to),
    };
}

impl Exchange {
    /// Of two directories that can be renamed.
    ///
    /// # Errors
    /// Where one can't be looked at.
    pub fn whole(live: PathBuf, new: PathBuf, before: PathBuf) -> io::Result<Self> {
        let how = How::Whole {
            old: identity(&live)?,
            new: identity(&new)?,
            above: identity(above(&live))?,
        };
        Ok(Self {
            live,
            new,
            before,
            how,
        })
    }

    /// Of what is in two directories, of which `new` and `before` lie in `live`.
    ///
    /// # Errors
    /// Where one can't be looked at.
    pub fn inside(live: PathBuf, new: PathBuf, before: PathBuf) -> io::Result<Self> {
        let how = How::Inside(Inside::look(&live, &new)?);
        Ok(Self {
            live,
            new,
            before,
            how,
        })
    }

    /// Prepares the place of the old tree; by what its directory will be known. [`Exchange::settle`] undoes
    /// that.
    ///
    /// # Errors
    /// Where it can't be looked at.
    pub fn prepare(&self) -> io::Result<Identity> {
        match &self.how {
            How::Whole { old, .. } => Ok(*old),
            How::Inside(_) => {
                inside::make_private(&self.before)?;
                identity(&self.before)
            }
        }
    }

    /// Does it. After an error it is somewhere in the midst: [`Exchange::settle`] goes back.
    ///
    /// # Errors
    /// What the system said.
    pub fn make(&self, moves: Moves, pass: Pass<'_>) -> io::Result<Exchanged> {
        match &self.how {
            How::Inside(inside) => inside.make(self, moves, pass),
            How::Whole { .. } => self.make_whole(moves, pass),
        }
    }

    fn make_whole(&self, moves: Moves, pass: Pass<'_>) -> io::Result<Exchanged> {
        let Self {
            live, new, before, ..
        } = self;
        pass("move");
        match (moves.exchange)(new, live) {
            Ok(()) => {
                pass("move");
                let renamed = (moves.rename)(new, before);
                let before = if renamed.is_ok() { before } else { new };
                Ok(Exchanged {
                    before: before.clone(),
                    keeps_name: renamed.err(),
                    not_written_down: None,
                })
            }
            Err(Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP) => {
                (moves.rename)(live, before)?;
                pass("move");
                (moves.rename)(new, live)?;
                Ok(Exchanged {
                    before: before.clone(),
                    keeps_name: None,
                    not_written_down: None,
                })
            }
            Err(errno) => Err(errno.into()),
        }
    }

    /// Brings one that was begun, by whomever, to one of its two ends; which tree is live then. May be done
    /// again and again, also where that was killed.
    ///
    /// # Errors
    /// What keeps it from either end. Then nothing whole may be live.
    pub fn settle(&self, moves: Moves, pass: Pass<'_>) -> io::Result<Live> {
        match &self.how {
            How::Inside(inside) => inside.go_back(self, moves, pass),
            How::Whole { old, new, above } => self.settle_whole([*old, *new, *above], moves, pass),
        }
    }

    fn settle_whole(
        &self,
        [old, new, above]: [Identity; 3],
        moves: Moves,
        pass: Pass<'_>,
    ) -> io::Result<Live> {
        if !is_at(self::above(&self.live), above)? {
            return Err(not_mounted(self::above(&self.live)));
        }
        if is_at(&self.live, old)? {
            return Ok(Live::Old);
        }
        if is_at(&self.live, new)? {
            if is_at(&self.new, old)? && !is_there(&self.before)? {
                pass("move");
                (moves.rename)(&self.new, &self.before)?;
                sync(self::above(&self.live))?;
            }
            return Ok(Live::New);
        }
        // Somebody has moved both, or put a third one there.
        if !is_at(&self.before, old)? || is_filled(&self.live)? {
            return Ok(Live::Other);
        }
        pass("move");
        (moves.rename)(&self.before, &self.live)?;
        sync(self::above(&self.live))?;
        Ok(Live::Old)
    }

    /// Has on the disk what happened.
    ///
    /// # Errors
    /// What the system said.
    pub fn write_out(&self) -> io::Result<()> {
        match &self.how {
            How::Inside(_) => inside::write_out(self),
            How::Whole { .. } => sync(above(&self.live)),
        }
    }

    /// Removes what is of no use when the new tree is live.
    pub fn tidy(&self) {
        if let How::Inside(_) = &self.how
            && let Err(error) = inside::remove_emptied(&self.new)
        {
            tracing::debug!(%error, "a directory stays");
        }
    }

    /// What of the new tree keeps its place, although that is live and tidied.
    pub fn not_moved(&self) -> Option<PathBuf> {
        match &self.how {
            How::Inside(_) => inside::not_moved(&self.new),
            How::Whole { .. } => None,
        }
    }
}

fn above(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn identity(directory: &Path) -> io::Result<Identity> {
    fs::metadata(directory).map(|metadata| Identity::of(&metadata))
}

fn is_there(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        other => other.map(|_| true),
    }
}

fn is_at(path: &Path, wanted: Identity) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        other => other.map(|metadata| wanted.is(&metadata)),
    }
}

/// Whether something is there but an empty directory, as a container engine makes one where a mount is to be
/// and nothing is.
fn is_filled(path: &Path) -> io::Result<bool> {
    match fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(true),
        Err(error) => Err(error),
    }
}

fn not_mounted(directory: &Path) -> io::Error {
    let directory = directory.display();
    io::Error::other(format!(
        "`{directory}` is not what it was: is its disk mounted?"
    ))
}

/// As text, whatever bytes it has.
pub(super) fn write_path<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&encode_bytes(path.as_os_str().as_bytes()))
}

pub(super) fn read_path<'a, D: Deserializer<'a>>(from: D) -> Result<PathBuf, D::Error> {
    let bytes = decode_bytes(&String::deserialize(from)?);
    Ok(PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

#[cfg(test)]
#[path = "exchange_tests.rs"]
mod tests;
