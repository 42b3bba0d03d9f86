//! Transfer: everything staged goes up, and what moved under the transfer goes up again.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use copal_core::manifest::Entry;
use copal_core::path::RelPath;

use super::compare::{Difference, compare, list_some};
use super::stage::{StageError, Staged};
use super::take::{Content, StagedFile};
use crate::edge::hash::Wanted;
use crate::edge::interrupt::{Interrupt, Interrupted};
use crate::edge::remote::{Abilities, Batch, Progress, Remote, RemoteError};
use crate::edge::stat::Version;
use crate::edge::walk::{Found, absolute};

/// A snapshot whose files are all at the destination, each with the expected size (and hash, where
/// the remote tells it without reading the file back). Not sealed yet, so not a snapshot yet.
#[derive(Debug)]
pub struct Transferred<'a> {
    /// What was staged.
    pub staged: &'a Staged,
    /// Directories and links, as they stood when the transfer ended.
    pub others: Vec<Entry>,
    /// The files that arrived.
    pub files: Vec<StagedFile>,
    /// The snapshot's directory at the destination.
    pub dir: String,
    /// Files that the app deleted while the run went on: they are in no snapshot.
    pub vanished: Vec<RelPath>,
    /// Files that changed under the transfer and were sent again from a private copy.
    pub moved: Vec<RelPath>,
}

/// Why the transfer failed.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The remote, or the way to it.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// A file that had to be copied again can't be.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// rclone reported success, and the remote lists something else.
    #[error("the remote does not hold what was sent: {}", list_some(.0))]
    Mismatch(Vec<Difference>),
    /// A signal came.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// What the transfer needs beside what was staged.
pub struct Transfer<'a> {
    /// The destination.
    pub remote: &'a dyn Remote,
    /// What it can do.
    pub abilities: &'a Abilities,
    /// The snapshot's directory there.
    pub dir: String,
    /// Checksums that the destinations' remotes keep.
    pub wanted: Wanted,
    /// Walks the source again: for files that came while others went.
    pub walk_again: &'a mut dyn FnMut() -> Result<Vec<Found>, StageError>,
    /// Told how far it has come.
    pub watch: &'a mut dyn FnMut(Progress),
    /// Asks for an end.
    pub interrupt: &'a Interrupt,
}

/// Uploads everything, and proves by the remote's listing that it is there.
pub fn transfer<'a>(
    staged: &'a Staged,
    mut by: Transfer<'_>,
) -> Result<Transferred<'a>, TransferError> {
    let mut done = Transferred {
        staged,
        others: staged.others.clone(),
        files: staged.files.clone(),
        dir: by.dir.clone(),
        vanished: Vec::new(),
        moved: Vec::new(),
    };
    let sent = done.send(&mut by, |_| true, false);
    let changed = done.changed_since_staging()?;
    // rclone refuses a file that changes while it is read: the second pass sends a private copy.
    // An error with nothing changed is the remote's and final.
    if changed.is_empty() {
        sent?;
    } else {
        by.interrupt.check()?;
        done.settle(changed, &mut by)?;
        let moved: HashSet<RelPath> = done.moved.iter().cloned().collect();
        if sent.is_err() {
            done.send(&mut by, |file| !moved.contains(&file.path), false)?;
        }
        done.send(&mut by, |file| moved.contains(&file.path), true)?;
        done.remove_vanished(&by)?;
    }
    done.compare_listing(&by)?;
    Ok(done)
}

impl Transferred<'_> {
    fn send(
        &self,
        by: &mut Transfer<'_>,
        which: impl Fn(&StagedFile) -> bool,
        again: bool,
    ) -> Result<(), TransferError> {
        by.interrupt.check()?;
        let (mut live, mut staged) = (Vec::new(), Vec::new());
        for file in self.files.iter().filter(|file| which(file)) {
            match file.content {
                Content::Live(_) => live.push(file.stored.clone()),
                Content::Staged => staged.push(file.stored.clone()),
            }
        }
        let artifacts = self.staged.staging.artifacts();
        let sources = [
            (artifacts.as_path(), &staged),
            (self.staged.source.as_path(), &live),
        ];
        let batches: Vec<Batch<'_>> = sources
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(local, names)| Batch {
                local,
                remote: &self.dir,
                names,
                again,
            })
            .collect();
        Ok(by.remote.upload(&batches, by.watch)?)
    }

    /// Live files whose version is no longer the one whose checksum was taken.
    fn changed_since_staging(&self) -> Result<Vec<RelPath>, StageError> {
        let mut changed = Vec::new();
        for file in &self.files {
            let Content::Live(version) = file.content else {
                continue;
            };
            let path = absolute(&self.staged.source, &file.path);
            match fs::symlink_metadata(&path) {
                Ok(metadata) if Version::of(&metadata) == version => {}
                Ok(_) => changed.push(file.path.clone()),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    changed.push(file.path.clone());
                }
                Err(source) => return Err(StageError::Unreadable { path, source }),
            }
        }
        Ok(changed)
    }

    fn compare_listing(&self, by: &Transfer<'_>) -> Result<(), TransferError> {
        by.interrupt.check()?;
        let hashes = by.abilities.hash.is_some() && !by.abilities.slow_hash;
        let listed = by.remote.files(&self.dir, hashes)?;
        let entries: Vec<Entry> = self.files.iter().map(StagedFile::entry).collect();
        let expected = entries.iter().filter_map(|entry| {
            let file = entry.file()?;
            let own = || String::from_utf8_lossy(entry.path.as_bytes()).into_owned();
            Some((file.stored.clone().unwrap_or_else(own), file))
        });
        let differences = compare(expected, listed);
        if differences.is_empty() {
            Ok(())
        } else {
            Err(TransferError::Mismatch(differences))
        }
    }

    /// Where the run's own files lie on this machine until they are sealed.
    pub fn seal_dir(&self) -> PathBuf {
        self.staged.staging.seal()
    }
}
