//! A source and a destination on one machine do not hold each other.

use std::path::{Path, PathBuf};

use super::PreflightError;

pub(super) fn check_apart(source: &Path, root: &Path) -> Result<(), PreflightError> {
    let origin = source.to_owned();
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
    Ok(())
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
