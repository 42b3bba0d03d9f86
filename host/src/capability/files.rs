//! Directories that a hook opens files in: `/source` and `/staging`.
//!
//! Configuration: none. Grant: `files`, a list of `"source"` and `"staging"`
//! ([`Need::Tree`](copal_core::grants::Need::Tree)), read in `copal-core`. In a dry run `/source` is
//! real, and `/staging` lies in a scratch directory as all that the run would make.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use copal_core::grants::Tree;
use copal_core::path::RelPath;
use copal_hooks::{Call, CapabilityError, Phase};

use super::artifacts::Added;
use super::host::Host;
use crate::edge::interrupt::Interrupt;
use crate::edge::stat::attributes;
use crate::edge::state::make_private;
use crate::edge::walk::{Filter, Found, FoundKind, Keep, WalkError, absolute, walk};

/// The directory that a hook gets to see. What `/staging` is for one hook no other hook sees.
pub(super) fn tree(
    host: &Host,
    call: &Call<'_>,
    tree: Tree,
) -> Result<Option<PathBuf>, CapabilityError> {
    match tree {
        // What was lost is put back where nothing is.
        Tree::Source if is_about_a_restore(call.phase) && is_gone(&host.source) => Ok(None),
        Tree::Source => {
            refuse_own(host)?;
            let finished = host.artifacts.finish_all_at_once(&host.interrupt);
            finished.map_err(|error| CapabilityError::Failed(error.to_string()))?;
            Ok(Some(host.source.to_path_buf()))
        }
        Tree::Staging if call.phase == Phase::PreBackup => {
            let directory = host.artifacts.tree_of(call.hook);
            make_private(&directory).map_err(|error| {
                CapabilityError::Failed(format!("can't make the directory for `/staging`: {error}"))
            })?;
            Ok(Some(directory))
        }
        Tree::Staging => Ok(None),
    }
}

fn is_about_a_restore(phase: Phase) -> bool {
    matches!(phase, Phase::PreRestore | Phase::PostRestore)
}

fn is_gone(place: &Path) -> bool {
    let found = fs::symlink_metadata(place);
    found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Copal's own directories hold what other hooks keep, and no grant is meant for them.
fn refuse_own(host: &Host) -> Result<(), CapabilityError> {
    // A source that is not there is told by what opens it.
    let source = host.source.canonicalize();
    let source = source.unwrap_or_else(|_| host.source.to_path_buf());
    let mut own = host.means.never().into_iter();
    own.find(|own| own.starts_with(&source)).map_or(Ok(()), |own| {
        Err(CapabilityError::Invalid(format!(
            "`/source` would show `{}`, which is Copal's own: set COPAL_STATE_DIR, and `dir` in \
             [staging], to directories outside of the source, or take `source` out of `files`",
            own.display()
        )))
    })
}

/// Has what a hook left in `/staging` join the snapshot; if it can't, why. Called when it has
/// returned from `pre-backup`.
pub fn take_in(host: &Host, hook: &str) -> Result<(), String> {
    let directory = host.artifacts.tree_of(hook);
    match fs::symlink_metadata(&directory) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unreadable(&directory, &error)),
    }
    let walked = walk(&directory, &[], &mut Everything, &Interrupt::default());
    let found = walked.map_err(|error| match error {
        WalkError::Unreadable { path, source } => unreadable(&path, &source),
        WalkError::Filter(never) => match never {},
        WalkError::Interrupted(interrupted) => interrupted.to_string(),
    })?;
    let mut all = Vec::new();
    for Found { path, kind, .. } in found.kept {
        let place = absolute(&directory, &path);
        let new = Added {
            attributes: attributes(
                &fs::symlink_metadata(&place).map_err(|error| unreadable(&place, &error))?,
            ),
            file: file(&path, &kind, place)?,
            path,
        };
        host.has_room(&new.path, new.file.is_some())?;
        all.push(new);
    }
    // All or none: half of what a hook made may be worse than nothing.
    let added: Result<Vec<()>, RelPath> = all
        .into_iter()
        .map(|new| host.artifacts.add_new(new))
        .collect();
    added
        .map(|_| ())
        .map_err(|other| format!("the artifact `{other}` is in its way"))
}

/// Where the content lies; none for a directory.
fn file(path: &RelPath, kind: &FoundKind, place: PathBuf) -> Result<Option<PathBuf>, String> {
    match kind {
        FoundKind::File => Ok(Some(place)),
        FoundKind::Directory => Ok(None),
        FoundKind::Symlink(_) => Err(format!(
            "`/staging/{path}` is a link, and only files and directories join a snapshot"
        )),
        FoundKind::Special(_) => Err(format!(
            "`/staging/{path}` is neither a file nor a directory"
        )),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("can't read `{}`: {error}", path.display())
}

struct Everything;

impl Filter for Everything {
    type Error = std::convert::Infallible;

    fn decide(&mut self, found: &[Found]) -> Result<Vec<Keep>, Self::Error> {
        Ok(vec![Keep::Yes; found.len()])
    }
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
