//! One by one: which files of a snapshot can be read where they lie, when not all of them can.

use std::path::Path;

use copal_core::manifest::Manifest;
use copal_core::path::RelPath;

use super::{RestoreError, StoredFile, stored_name};
use crate::edge::interrupt::Interrupt;
use crate::step::snapshots::Store;

/// Downloads those files that did not come with the others, each by itself, and takes away those that can't be
/// read. An error that would be one of all files ends it: nothing is given up for that.
pub(super) fn come_one_by_one(
    store: &Store<'_>,
    manifest: &Manifest,
    files: &mut Vec<StoredFile<'_>>,
    local: &Path,
    interrupt: &Interrupt,
) -> Result<Vec<RelPath>, RestoreError> {
    let dir = store.dir(manifest.id);
    let (mut came, mut unread) = (Vec::new(), Vec::new());
    for (entry, file) in files.drain(..) {
        interrupt.check()?;
        let name = stored_name(entry, file);
        let here = local.join(&name);
        let is_here = here.exists()
            || match store.remote().get(&format!("{dir}/{name}"), &here) {
                Ok(is_there) => is_there,
                Err(error) if error.may_be_of_one_file() => {
                    tracing::warn!("`{}` is left out: {error}", entry.path);
                    false
                }
                Err(error) => return Err(error.into()),
            };
        if is_here {
            came.push((entry, file));
        } else {
            unread.push(entry.path.clone());
        }
    }
    *files = came;
    Ok(unread)
}
