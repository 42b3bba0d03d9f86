//! A source and a destination on one machine do not hold each other.

use std::path::{Path, PathBuf};

use super::{Asked, PreflightError};
use crate::edge::frozen::existing;
use crate::edge::tops::identity;
use crate::edge::walk::{FoundKind, absolute};

pub(super) fn check_apart(asked: Asked<'_>, root: &Path) -> Result<(), PreflightError> {
    let origin = asked.source.to_owned();
    let destination = real(root);
    if destination.starts_with(&origin) {
        return Err(PreflightError::DestinationInSource {
            destination,
            origin,
        });
    }
    if origin.starts_with(&destination) {
        return Err(PreflightError::SourceInDestination {
            origin,
            destination,
        });
    }
    // One directory can have two names: what is mounted elsewhere, too.
    let snapshots = destination.join(asked.name);
    if let Some(shown) = shown(asked, &destination).or_else(|| shown(asked, &snapshots)) {
        return Err(PreflightError::DestinationShownInSource { destination, shown });
    }
    let top = identity(&destination).ok();
    let above = |path: &&Path| top.is_some() && identity(path).ok() == top;
    match origin.ancestors().find(above) {
        Some(_) => Err(PreflightError::SourceInDestination {
            origin,
            destination,
        }),
        None => Ok(()),
    }
}

/// The directory of the source, if there is one, that is this one as well, or the one in which this would be
/// made. Where a filter leaves it out, no snapshot would hold it.
fn shown(asked: Asked<'_>, place: &Path) -> Option<PathBuf> {
    let there = identity(existing(place)).ok()?;
    if there == asked.walked.top {
        return Some(asked.source.to_owned());
    }
    let mut kept = asked.walked.kept.iter();
    let same = kept.find(|one| one.kind == FoundKind::Directory && one.version.file() == there)?;
    Some(absolute(asked.source, &same.path))
}

/// Resolves links as far as the path exists.
fn real(path: &Path) -> PathBuf {
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Ok(real), ..) => real,
        // A link to what is not there yet leads there all the same.
        (Err(_), Some(parent), Some(_)) if path.is_symlink() => path
            .read_link()
            .map_or_else(|_| path.to_owned(), |target| real(&parent.join(target))),
        (Err(_), Some(parent), Some(name)) => real(parent).join(name),
        (Err(_), ..) => path.to_owned(),
    }
}
