//! Place: where at a destination a run's files lie, and under which names.
//!
//! A snapshot has a directory of its own, empty before, in which every file has its stored name. A mirror
//! lies in folders that have the last run's files already, and perhaps others.

use std::borrow::Cow;

use copal_core::manifest::{Entry, EntryKind, Taken};
use copal_core::mirror::{Map, Placed, is_copals};
use copal_core::path::RelPath;
use copal_core::snapshot::SnapshotId;

use super::claim::Claim;
use super::files::StagedFile;
use crate::edge::remote::{Listed, Remote, RemoteError, Tree};

/// Where a run's files lie at a destination.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// In a snapshot's directory, claimed.
    Snapshot(&'a Claim),
    /// In the folders of a mirror, of which the state that this run makes has this id.
    Mirror(&'a Map, SnapshotId),
}

impl<'a> Place<'a> {
    /// The id of what lies there when the run is done.
    pub fn id(self) -> SnapshotId {
        match self {
            Self::Snapshot(claim) => claim.id,
            Self::Mirror(_, id) => id,
        }
    }

    /// The map, where it is a mirror.
    pub(super) fn map(self) -> Option<&'a Map> {
        match self {
            Self::Snapshot(_) => None,
            Self::Mirror(map, _) => Some(map),
        }
    }

    /// The folders that follow the source, where it is a mirror.
    pub(super) fn folders(self) -> Vec<String> {
        let folders = self.map().map(Map::folders).unwrap_or_default();
        folders.into_iter().map(str::to_owned).collect()
    }

    /// A path below the destination, by its path below the directory that has the manifest.
    pub(super) fn below(self, path: &str) -> String {
        match (self, path) {
            (Self::Snapshot(claim), "") => claim.dir.clone(),
            (Self::Snapshot(claim), path) => format!("{}/{path}", claim.dir),
            (Self::Mirror(..), path) => path.to_owned(),
        }
    }

    /// Whether a file belongs there.
    pub(super) fn takes(self, path: &RelPath, taken: Taken) -> bool {
        let map = self.map();
        map.is_none_or(|map| map.takes(path, taken.archive_suffix()))
    }

    /// Whether a directory or link belongs there, or what does lies below.
    pub(super) fn takes_other(self, entry: &Entry) -> bool {
        let Some(map) = self.map() else { return true };
        match entry.kind {
            EntryKind::Directory => map.leads_through(&entry.path),
            EntryKind::Symlink { .. } | EntryKind::File(_) => map.takes(&entry.path, None),
        }
    }

    /// Where a file goes: with what is above it here and there.
    pub(super) fn placed<'f>(self, file: &'f StagedFile) -> Placed<'f>
    where
        'a: 'f,
    {
        let plain = Placed {
            from: "",
            folder: "",
            name: &file.stored,
        };
        let suffix = file.taken.archive_suffix();
        let mapped = self.map();
        let mapped = mapped.and_then(|map| map.place(&file.path, &file.stored, suffix));
        mapped.unwrap_or(plain)
    }

    /// A file's name below the directory that has the manifest.
    pub(super) fn name<'f>(self, file: &'f StagedFile) -> Cow<'f, str>
    where
        'a: 'f,
    {
        match self {
            Self::Snapshot(_) => Cow::Borrowed(&file.stored),
            Self::Mirror(..) => Cow::Owned(self.placed(file).remote()),
        }
    }

    /// What the manifest says of a file.
    pub(super) fn entry(self, file: &StagedFile) -> Entry {
        let mut entry = file.entry();
        if let EntryKind::File(known) = &mut entry.kind {
            let name = self.name(file);
            let differs = name.as_bytes() != file.path.as_bytes();
            known.stored = differs.then(|| name.into_owned());
        }
        entry
    }

    /// All files that are there, by their names below the directory that has the manifest, without those
    /// that are Copal's own.
    pub(super) fn list(
        self,
        remote: &dyn Remote,
        hashes: bool,
    ) -> Result<Vec<Listed>, RemoteError> {
        Ok(self.tree(remote, hashes)?.files)
    }

    /// The same with the directories that are there, those above them among these.
    pub(super) fn tree(self, remote: &dyn Remote, hashes: bool) -> Result<Tree, RemoteError> {
        let map = match self {
            Self::Snapshot(claim) => {
                let mut there = remote.tree(&claim.dir, hashes)?;
                there.files.retain(|file| file.path != claim.file);
                return Ok(there);
            }
            Self::Mirror(map, _) => map,
        };
        let mut all = Tree::default();
        for folder in map.folders() {
            let there = remote.tree(folder, hashes)?;
            let placed = |name: &str| {
                let from = "";
                Placed { from, folder, name }.remote()
            };
            if !folder.is_empty() && !there.is_empty() {
                let above = folder.match_indices('/').map(|(at, _)| &folder[..at]);
                all.directories.extend(above.map(str::to_owned));
                all.directories.push(folder.to_owned());
            }
            let directories = there.directories.iter().map(|name| placed(name));
            all.directories
                .extend(directories.filter(|it| !is_copals(it)));
            for file in there.files {
                let path = placed(&file.path);
                if !is_copals(&path) {
                    all.files.push(Listed { path, ..file });
                }
            }
        }
        Ok(all)
    }

    /// Gives up the claim, where there is one.
    pub(super) fn withdraw(self, remote: &dyn Remote) -> Result<(), RemoteError> {
        match self {
            Self::Snapshot(claim) => claim.withdraw(remote),
            Self::Mirror(..) => Ok(()),
        }
    }
}
