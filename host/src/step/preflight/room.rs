//! Room, here and at the destination, and the right to use it.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use copal_core::manifest::{Entry, Manifest};
use copal_core::staging::Way;
use copal_core::units::ByteCount;
use rustix::fs::{Access, access};

use super::{PreflightError, Ready};
use crate::edge::frozen::{existing, hinders_reflink};
use crate::edge::remote::{Abilities, Remote};
use crate::edge::scratch::write_and_forget;
use crate::edge::staging::room;
use crate::edge::walk::{Found, FoundKind, Walked, absolute};
use crate::step::plan::Plan;
use crate::step::portions;

/// Whether the databases' copies fit, and what is copied while services are held.
pub fn check_room(plan: &Plan, staging: &Path) -> Result<(), PreflightError> {
    let databases = plan.staging_bytes();
    let staging = existing(staging);
    let free = room_at(staging)?;
    if free < databases {
        let needed = databases;
        return Err(PreflightError::NoRoom { free, needed });
    }
    let copies = plan.staging.choice.copies.bytes;
    if copies == ByteCount::ZERO {
        return Ok(());
    }
    let place = existing(&plan.staging.place);
    let free = room_at(place)?;
    let device = |path: &Path| path.metadata().map(|found| found.dev()).ok();
    let shared = device(place) == device(staging);
    let needed = if shared { databases + copies } else { copies };
    if free >= needed {
        return Ok(());
    }
    let place = plan.staging.place.clone();
    Err(PreflightError::NoRoomToFreeze {
        place,
        free,
        needed,
    })
}

/// Whether the copies fit that live files are sent from where nothing tells a hash of what arrived, beside
/// those of the databases, which stay until the end.
pub fn check_portions(plan: &Plan, ready: &Ready, staging: &Path) -> Result<(), PreflightError> {
    let is_live = matches!(plan.staging.choice.way, Way::Direct | Way::Hold);
    if ready.abilities.tells_hashes() || !is_live {
        return Ok(());
    }
    let sent: Vec<&Found> = plan
        .live_files()
        .filter(|file| !is_there(ready, file))
        .collect();
    let staging = existing(staging);
    let is_cloned =
        |file: &&Found| hinders_reflink(&absolute(&plan.source, &file.path), staging).is_ok();
    // On one file system that clones, all copies are clones and take nothing.
    if sent
        .iter()
        .max_by_key(|file| file.version.size())
        .is_some_and(is_cloned)
    {
        return Ok(());
    }
    let needed = plan.staging_bytes() + portions::most(sent.iter().map(|file| file.version.size()));
    let free = room_at(staging)?;
    if free >= needed {
        return Ok(());
    }
    Err(PreflightError::NoRoomToSend {
        place: ready.remote.shown(),
        free,
        needed,
    })
}

/// Whether the remote has a file already, as far as that shows without reading it: what it copies itself is
/// not sent.
fn is_there(ready: &Ready, file: &Found) -> bool {
    let last = ready.last.as_ref().filter(|_| ready.abilities.copies);
    last.and_then(|last| entry_of(last, file))
        .is_some_and(|entry| entry.attributes.mtime == file.attributes.mtime)
}

/// The entry of a file that has the same size.
fn entry_of<'m>(last: &'m Manifest, file: &Found) -> Option<&'m Entry> {
    let entries = &last.entries;
    let at = entries.binary_search_by(|entry| entry.path.cmp(&file.path));
    let entry = &entries[at.ok()?];
    (entry.file()?.size == file.version.size()).then_some(entry)
}

/// What will be second names for files of the last snapshot, as far as that shows without reading it.
pub(super) fn linkable(last: &Manifest, walked: &Walked) -> ByteCount {
    let is_same = |file: &&Found| {
        let entry = entry_of(last, file);
        entry.is_some_and(|entry| entry.attributes == file.attributes)
    };
    let files = walked.kept.iter().filter(|it| it.kind == FoundKind::File);
    files.filter(is_same).map(|it| it.version.size()).sum()
}

/// How much room there is at a place, or where it would be made.
pub fn room_at(path: &Path) -> Result<ByteCount, PreflightError> {
    let path = existing(path);
    room(path).map_err(|source| PreflightError::Room {
        path: path.to_owned(),
        source,
    })
}

/// Whether a snapshot fits there, where the remote tells how much does.
pub(super) fn check_room_there(
    remote: &dyn Remote,
    needed: ByteCount,
) -> Result<(), PreflightError> {
    match remote.room() {
        Ok(Some(free)) if free < needed => Err(PreflightError::NoRoomThere {
            place: remote.shown(),
            free,
            needed,
        }),
        Ok(_) => Ok(()),
        // Whoever can't tell may still have it.
        Err(error) => {
            tracing::info!("{error}");
            Ok(())
        }
    }
}

/// Whether files can be made in a folder of this machine. One that is not there yet is made in the
/// nearest that is.
pub(super) fn check_writable(abilities: &Abilities) -> Result<(), PreflightError> {
    // Of several, as a union has them, some may be there to be read.
    let [root] = &abilities.local_roots[..] else {
        return Ok(());
    };
    let there = existing(root);
    access(there, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| PreflightError::NotWritable {
        place: there.to_owned(),
        source: error.into(),
    })
}

/// Writes to a folder of this machine: a file without a name, of which nothing is left.
pub fn try_to_write(abilities: &Abilities) -> Result<(), PreflightError> {
    let [root] = &abilities.local_roots[..] else {
        return Ok(());
    };
    let there = existing(root);
    write_and_forget(there).map_err(|source| PreflightError::NotWritable {
        place: there.to_owned(),
        source,
    })
}
