//! The exchange one level down, for a directory that can't be renamed: all that is in it leaves, one entry
//! after the other, and all of the new tree enters.
//!
//! Where everything was is always known: what is of the new tree and not in its own directory any more has
//! entered, and what is in the old tree's directory has left. So one goes back by the names alone, from
//! wherever it ended.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use copal_core::mounts::FileSystem;
use copal_core::path::{decode_bytes, encode_bytes};
use serde::{Deserialize, Serialize};

use super::strays::{self, move_to, out_of_the_way, put_aside};
use super::{Exchange, Exchanged, Live, Moves, Pass, is_there, not_mounted, sync};
use crate::edge::identity::Identity;
use crate::edge::mounts;

/// What the names of Copal's own directories in such a source begin with: the tree that is restored, the old
/// one, and what somebody wrote in the midst of an exchange.
const OWN: [&str; 3] = [".copal-restoring-", ".copal-before-", strays::NAME];

/// A file system's own, which stays where it is.
const LOST_AND_FOUND: &str = "lost+found";

/// How often what is in the live directory is asked to leave.
const ROUNDS: u32 = 100;

/// What has to be known to go back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inside {
    /// Whether something is mounted on the live directory: without it nothing is known.
    is_mounted: bool,
    /// The live directory itself; none in the journal of an earlier version.
    #[serde(default)]
    place: Option<Place>,
    /// The names of what is in the new tree, percent-encoded.
    names: Vec<String>,
    /// The live directory's own mode and owner.
    old: Looks,
    /// The new tree's.
    new: Looks,
}

/// What tells the live directory from one of another disk that is mounted in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// The tops of two disks may have one inode, and be made in the same second.
    directory: Identity,
    on: FileSystem,
}

impl Place {
    fn of(live: &Path) -> io::Result<Self> {
        let opened = File::open(live)?;
        Ok(Self {
            directory: Identity::of(&opened.metadata()?),
            on: mounts::file_system(&opened)?,
        })
    }

    /// Whether this is at `live`.
    fn is_at(self, live: &Path) -> io::Result<bool> {
        match File::open(live) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            opened => {
                let opened = opened?;
                let on = mounts::file_system(&opened)?;
                Ok(self.directory.is(&opened.metadata()?) && self.on == on)
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Looks {
    mode: u32,
    uid: u32,
    gid: u32,
}

impl Looks {
    fn of(directory: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(directory)?;
        Ok(Self {
            mode: metadata.mode() & 0o7777,
            uid: metadata.uid(),
            gid: metadata.gid(),
        })
    }

    fn give(self, directory: &Path) -> io::Result<()> {
        let now = Self::of(directory)?;
        if (now.uid, now.gid) != (self.uid, self.gid) {
            unless_not_permitted(chown(directory, Some(self.uid), Some(self.gid)))?;
        }
        if Self::of(directory)?.mode != self.mode {
            let mode = Permissions::from_mode(self.mode);
            unless_not_permitted(fs::set_permissions(directory, mode))?;
        }
        Ok(())
    }
}

/// Only root may give a directory away, and only its owner change its mode: then it stays as it is.
fn unless_not_permitted(given: io::Result<()>) -> io::Result<()> {
    match given {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        other => other,
    }
}

/// Whether a directory at the top of a source has the name of one of Copal's own: followed by a run's id.
pub fn is_own_name(name: &OsStr) -> bool {
    let run = |rest: &[u8]| {
        let hex = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_hexdigit);
        let mut parts = rest.split(|byte| *byte == b'-');
        parts.next().is_some_and(hex) && parts.next().is_some_and(hex) && parts.next().is_none()
    };
    let mut own = OWN.iter();
    own.any(|own| {
        name.as_bytes()
            .strip_prefix(own.as_bytes())
            .is_some_and(run)
    })
}

/// Makes the directory of the old tree.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Removes the directory of a new tree that has entered.
pub(super) fn remove_emptied(new: &Path) -> io::Result<()> {
    match fs::remove_dir(new.join(LOST_AND_FOUND)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::remove_dir(new)
}

/// What a new tree has of the file system's own directory.
pub(super) fn not_moved(new: &Path) -> Option<PathBuf> {
    Some(new.join(LOST_AND_FOUND)).filter(|path| path.exists())
}

/// Has on the disk what happened in each directory.
pub(super) fn write_out(exchange: &Exchange) -> io::Result<()> {
    for directory in [&exchange.live, &exchange.new, &exchange.before] {
        match File::open(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => opened?.sync_all()?,
        }
    }
    Ok(())
}

impl Inside {
    pub(super) fn look(live: &Path, new: &Path) -> io::Result<Self> {
        let names = names_in(new)?;
        let names = names.iter().filter(|name| *name != LOST_AND_FOUND);
        Ok(Self {
            is_mounted: mounts::is_fixed(live)?,
            place: Some(Place::of(live)?),
            names: names.map(|name| encode_bytes(name.as_bytes())).collect(),
            old: Looks::of(live)?,
            new: Looks::of(new)?,
        })
    }

    fn names(&self) -> impl Iterator<Item = OsString> {
        let names = self.names.iter();
        names.map(|name| OsString::from_vec(decode_bytes(name)))
    }

    pub(super) fn make(
        &self,
        exchange: &Exchange,
        moves: Moves,
        pass: Pass<'_>,
    ) -> io::Result<Exchanged> {
        let Exchange {
            live, new, before, ..
        } = exchange;
        // What an app that runs makes meanwhile leaves, too; but not for ever.
        for _ in 0..ROUNDS {
            let leaving = foreign_names_in(live)?;
            if leaving.is_empty() {
                break;
            }
            for name in leaving {
                pass("move");
                let from = live.join(&name);
                match move_to(&from, &before.join(&name), moves) {
                    // It has come back since it left: it is of neither tree.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                        put_aside(&from, &exchange.strays())?;
                    }
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    other => other?,
                }
            }
        }
        self.old.give(before)?;
        for name in self.names() {
            pass("move");
            let to = live.join(&name);
            let strays = exchange.strays();
            out_of_the_way(&to, &strays, &mut |to| move_to(&new.join(&name), to, moves))?;
        }
        self.new.give(live)?;
        for name in foreign_names_in(live)? {
            if !self.names().any(|own| own == name) {
                let stray = live.join(&name);
                put_aside(&stray, &exchange.strays())?;
            }
        }
        Ok(Exchanged {
            before: before.clone(),
            keeps_name: None,
            not_written_down: None,
        })
    }

    /// Goes back: what has entered leaves, and only then what has left comes back. The old tree's directory
    /// is gone in the end.
    pub(super) fn go_back(
        &self,
        exchange: &Exchange,
        moves: Moves,
        pass: Pass<'_>,
    ) -> io::Result<Live> {
        let Exchange {
            live, new, before, ..
        } = exchange;
        if self.is_mounted && !mounts::is_fixed(live)? {
            return Err(not_mounted(live));
        }
        if !is_there(before)? {
            // What a run has made bears its id. Without it, and the new tree, this may be another disk.
            if let Some(place) = self.place
                && !is_there(new)?
                && !place.is_at(live)?
            {
                return Err(not_mounted(live));
            }
            // Nothing has left, or somebody has put everything in order.
            return Ok(Live::Old);
        }
        // Without its directory nothing can be of the new tree.
        let entered = is_there(new)?.then(|| self.names());
        for name in entered.into_iter().flatten() {
            let (inside, out) = (live.join(&name), new.join(&name));
            if !is_there(&out)? && is_there(&inside)? {
                pass("move");
                move_to(&inside, &out, moves)?;
            }
        }
        for name in names_in(before)? {
            pass("move");
            out_of_the_way(&live.join(&name), &exchange.strays(), &mut |to| {
                move_to(&before.join(&name), to, moves)
            })?;
        }
        self.old.give(live)?;
        write_out(exchange)?;
        fs::remove_dir(before)?;
        // Before anybody says so: an empty directory of that name is no old tree.
        sync(live)?;
        Ok(Live::Old)
    }
}

fn names_in(directory: &Path) -> io::Result<Vec<OsString>> {
    let entries = fs::read_dir(directory)?;
    entries
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect()
}

/// What is in the live directory and neither Copal's own nor the file system's. A file of such a name is the app's.
fn foreign_names_in(directory: &Path) -> io::Result<Vec<OsString>> {
    let is_own = |name: &OsStr| is_own_name(name) && is_directory(&directory.join(name));
    let mut names = names_in(directory)?;
    names.retain(|name| !is_own(name) && name != LOST_AND_FOUND);
    Ok(names)
}

fn is_directory(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}
