//! Reuse: what the last snapshot has is copied by the remote itself, and not sent again; in a folder of this
//! machine it gets a second name.
//!
//! Copies and links are trusted no more than what is sent: the listing that proves the transfer proves
//! them too, and what it shows to be otherwise is sent after all.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;

use copal_core::manifest::{Entry, FileEntry, Manifest, Totals};
use copal_core::reuse::{Content, Reuse, reuse};
use copal_core::units::ByteCount;

use super::compare::{Difference, compare};
use super::files::StagedFile;
use super::transfer::{Transfer, TransferError, Transferred};
use crate::edge::remote::{HashKind, Listed, Progress, RemoteError, Within};

/// What the remote copied of its own, or linked.
#[derive(Debug, Default)]
pub struct Reused {
    /// The names of these files at the destination, in the new snapshot or the mirror.
    names: HashSet<String>,
    /// Whether they are second names for files of the last snapshot.
    pub linked: bool,
    /// Why it copied none, although there was something to copy.
    pub failed: Option<RemoteError>,
    /// What could have no second name.
    pub unlinked: Option<Unlinked>,
    /// What the last snapshot is to have and has not, or not as it was sealed, by its names there.
    pub damaged: BTreeSet<String>,
    /// Those names of linked files that have another one here, by that.
    renamed: HashMap<String, String>,
}

/// Files that could have no second name, and were sent.
#[derive(Debug)]
pub struct Unlinked {
    /// How many.
    pub files: u64,
    /// Why the first could not.
    pub why: io::Error,
}

impl Reused {
    /// These need not be sent.
    pub(super) fn of(names: HashSet<String>) -> Self {
        Self {
            names,
            ..Self::default()
        }
    }

    /// It is sent after all. Whether it lies there under a name that has to go first: whatever is written by
    /// that name would be in the last snapshot too.
    #[must_use]
    pub(super) fn forget(&mut self, name: &str) -> bool {
        self.names.remove(name) && self.linked
    }

    /// The linked files of which a listing tells no hash, as one that can't be read has none: a size is no
    /// proof of what somebody else wrote long ago.
    pub(super) fn unread(&self, listed: &[Listed]) -> Vec<Difference> {
        if !self.linked {
            return Vec::new();
        }
        let unread = listed.iter().filter(|file| file.hash.is_none());
        let unread = unread.filter(|file| self.names.contains(&file.path));
        unread
            .map(|file| Difference::Unread(file.path.clone()))
            .collect()
    }

    /// A file whose link is not what it should be is damaged where it was linked from: nothing was written there.
    pub(super) fn note_damaged(&mut self, spoiled: &HashSet<String>) {
        if !self.linked {
            return;
        }
        let there = spoiled
            .iter()
            .map(|name| self.renamed.get(name).unwrap_or(name));
        self.damaged.extend(there.cloned());
    }

    /// The files whose copies are not what they should be.
    pub(super) fn spoiled(&self, differences: &[Difference]) -> HashSet<String> {
        let names = differences.iter().filter_map(Difference::expected);
        names
            .filter(|name| self.names.contains(*name))
            .map(str::to_owned)
            .collect()
    }
}

impl Transferred<'_> {
    /// Has the remote copy what the last snapshot has already. That it can't costs an upload, and
    /// no snapshot.
    pub(super) fn reuse(&mut self, by: &mut Transfer<'_>) -> Result<(), TransferError> {
        if self.place.map().is_some() {
            return self.find_there(by);
        }
        let Some(last) = by.last else { return Ok(()) };
        if by.abilities.links {
            self.reused = self.link_to(last, by)?;
            return Ok(());
        }
        if !by.abilities.copies {
            return Ok(());
        }
        let copied = self.copy_from(last, by);
        by.interrupt.check()?;
        match copied {
            Ok(reused) => self.reused.names = reused.names(),
            Err(error) => {
                tracing::warn!("everything is uploaded, as the remote copied nothing: {error}");
                self.reused.failed = Some(error);
            }
        }
        Ok(())
    }

    fn copy_from(&self, last: &Manifest, by: &mut Transfer<'_>) -> Result<Reuse, RemoteError> {
        let from = format!("{}/{}", last.name, last.id);
        let wanted = || self.files.iter().map(content).map(alone);
        let held: Vec<_> = last.files().collect();
        let promised: Vec<_> = held.iter().map(promise).map(alone).collect();
        if reuse(wanted(), &promised).is_empty() {
            return Ok(Reuse::default());
        }
        // A manifest promises; the listing shows what is still there.
        let listed = by.remote.files(&from, by.abilities.tells_hashes())?;
        let expected = held.iter().map(|(stored, _, file)| (stored.clone(), *file));
        let (differences, _) = compare(expected, listed);
        let unsound: HashSet<&str> = differences
            .iter()
            .filter_map(Difference::expected)
            .collect();
        let mut sound = promised;
        sound.retain(|content| !unsound.contains(content.stored));
        let reuse = reuse(wanted(), &sound);
        let files = Within {
            from: &from,
            to: &self.place.below(""),
            same: &reuse.same,
            renamed: &reuse.renamed,
        };
        by.remote.copy_within(files, by.watch)?;
        Ok(reuse)
    }

    /// Gives what the last snapshot has, with the same mode, owner and time, its second names. Nothing is
    /// listed first: what is gone can't be linked, and the proof reads the rest.
    fn link_to(&self, last: &Manifest, by: &Transfer<'_>) -> Result<Reused, RemoteError> {
        let held: Vec<_> = last.files().collect();
        let promised: Vec<_> = held.iter().map(promise).collect();
        let reuse = reuse(self.files.iter().map(content), &promised);
        if reuse.is_empty() {
            return Ok(Reused::default());
        }
        let linked = by.remote.link_within(Within {
            from: &format!("{}/{}", last.name, last.id),
            to: &self.place.below(""),
            same: &reuse.same,
            renamed: &reuse.renamed,
        })?;
        let mut names = reuse.names();
        for name in &linked.left {
            names.remove(name);
        }
        let files = linked.unfit;
        let renamed = reuse.renamed.into_iter();
        Ok(Reused {
            linked: true,
            unlinked: linked.why.map(|why| Unlinked { files, why }),
            damaged: linked.gone.into_iter().collect(),
            renamed: renamed.map(|(old, new)| (new, old)).collect(),
            ..Reused::of(names)
        })
    }

    /// Whether this file need not be sent.
    pub(super) fn has(&self, file: &StagedFile) -> bool {
        self.reused.names.contains(&*self.place.name(file))
    }

    /// What the remote copied, or a mirror had already, of all that belongs there.
    pub fn copied(&self) -> Totals {
        let copied = self.files.iter().filter(|file| self.has(file));
        copied.fold(Totals::default(), |sum, file| Totals {
            files: sum.files + 1,
            bytes: ByteCount(sum.bytes.0.saturating_add(file.digests.size.0)),
        })
    }

    /// The same, as the beginning of what is to be watched.
    pub(super) fn copied_so_far(&self) -> Progress {
        let Totals { files, bytes } = self.copied();
        Progress {
            files,
            bytes,
            bytes_per_second: 0.0,
        }
    }
}

/// Whether this listing was made by reading every file in a folder of this machine.
pub(super) fn is_read_back(listed: &[Listed], by: &Transfer<'_>) -> bool {
    let is_sha256 = |file: &Listed| {
        let kind = file.hash.as_ref().map(|hash| hash.kind);
        kind == Some(HashKind::Sha256)
    };
    by.abilities.links && listed.iter().all(is_sha256)
}

/// A copy may have other attributes: the manifest has the true ones.
fn alone(content: Content<'_>) -> Content<'_> {
    Content {
        attributes: None,
        ..content
    }
}

fn promise<'a>((stored, entry, file): &'a (String, &Entry, &FileEntry)) -> Content<'a> {
    Content {
        stored,
        size: file.size,
        sha256: file.sha256,
        attributes: Some(entry.attributes),
    }
}

fn content(file: &StagedFile) -> Content<'_> {
    Content {
        stored: &file.stored,
        size: file.digests.size,
        sha256: file.digests.sha256,
        attributes: Some(file.attributes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::remote::RemoteHash;

    fn listed(path: &str, hash: Option<RemoteHash>) -> Listed {
        Listed {
            path: path.to_owned(),
            size: ByteCount(1),
            hash,
        }
    }

    #[test]
    fn a_linked_file_that_cannot_be_read_is_sent_again_and_no_other_is() {
        let hash = RemoteHash {
            kind: HashKind::Sha256,
            digits: "00".to_owned(),
        };
        let listing = [
            listed("linked", Some(hash)),
            listed("bad sector", None),
            listed("sent", None),
        ];
        let names = ["linked", "bad sector"].map(str::to_owned);
        let mut reused = Reused::of(names.into());
        assert_eq!(reused.unread(&listing), []);
        reused.linked = true;
        let unread = reused.unread(&listing);
        assert_eq!(unread, [Difference::Unread("bad sector".to_owned())]);
        assert_eq!(reused.spoiled(&unread), ["bad sector".to_owned()].into());
        assert!(reused.forget("bad sector"));
        assert!(!reused.forget("bad sector") && !reused.forget("sent"));
    }
}
