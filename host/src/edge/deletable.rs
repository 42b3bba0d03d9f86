//! Whether a directory can be deleted with all that is in it: to be known before the first file is gone.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, StatxAttributes, StatxFlags, accessat, statx};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::everything::below;

/// What may be deleted out of a directory.
enum Rights {
    All,
    /// What is one's own: others may write there as well.
    Own,
    None,
}

const STICKY: u32 = 0o1000;

/// What can't be deleted, and why.
#[derive(Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// This user has no right to.
    NotYours(PathBuf),
    /// It is immutable or may only be appended to, which keeps root from it as well.
    Protected(PathBuf),
}

/// The first thing in a directory, or that itself, which this user may not delete, as [`super::scratch::remove_tree`]
/// does it: what is one's own is made writable for that. What only a disk forbids is not seen.
///
/// # Errors
/// Where it can't be looked at.
pub fn first_not_deletable(top: &Path) -> io::Result<Option<Obstacle>> {
    let is_root = geteuid().is_root();
    let above = top.parent().unwrap_or(top);
    if !is_root && !may_delete(&written(above)?, &fs::symlink_metadata(top)?) {
        return Ok(Some(Obstacle::NotYours(top.to_owned())));
    }
    for path in [above, top] {
        if is_protected(path)? {
            return Ok(Some(Obstacle::Protected(path.to_owned())));
        }
    }
    let mut last = (PathBuf::new(), Rights::None);
    for entry in below(top) {
        let entry = entry?;
        let path = entry.path();
        let above = path.parent().unwrap_or(top);
        if !is_root && above != last.0 {
            last = (above.to_owned(), rights_in(above)?);
        }
        if !is_root && !may_delete(&last.1, &entry.metadata()?) {
            return Ok(Some(Obstacle::NotYours(path)));
        }
        if is_protected(&path)? {
            return Ok(Some(Obstacle::Protected(path)));
        }
    }
    Ok(None)
}

/// Whether an attribute of the file system (`chattr`) keeps everybody from deleting it, or what is in it.
fn is_protected(path: &Path) -> io::Result<bool> {
    let protects = StatxAttributes::IMMUTABLE | StatxAttributes::APPEND;
    match statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE) {
        Ok(told) => Ok(told.stx_attributes.intersects(protects)),
        // A kernel, or a sandbox, without this call.
        Err(Errno::NOSYS) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn may_delete(rights: &Rights, what: &Metadata) -> bool {
    match rights {
        Rights::All => true,
        Rights::Own => what.uid() == geteuid().as_raw(),
        Rights::None => false,
    }
}

/// Those in a directory that is deleted as well.
fn rights_in(directory: &Path) -> io::Result<Rights> {
    if fs::metadata(directory)?.uid() == geteuid().as_raw() {
        return Ok(Rights::All);
    }
    written(directory)
}

/// Those in a directory as it is.
fn written(directory: &Path) -> io::Result<Rights> {
    let asked = Access::WRITE_OK | Access::EXEC_OK;
    match accessat(CWD, directory, asked, AtFlags::EACCESS) {
        Ok(()) => {}
        Err(Errno::ACCESS | Errno::ROFS | Errno::PERM) => return Ok(Rights::None),
        Err(error) => return Err(error.into()),
    }
    let metadata = fs::metadata(directory)?;
    let is_shared = metadata.mode() & STICKY != 0 && metadata.uid() != geteuid().as_raw();
    Ok(if is_shared { Rights::Own } else { Rights::All })
}
