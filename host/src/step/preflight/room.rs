//! Room, here and at the destination, and the right to use it.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use copal_core::units::ByteCount;
use rustix::fs::{Access, access};

use super::PreflightError;
use crate::edge::frozen::existing;
use crate::edge::remote::{Abilities, Remote};
use crate::edge::staging::room;
use crate::step::plan::Plan;

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

fn room_at(path: &Path) -> Result<ByteCount, PreflightError> {
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
