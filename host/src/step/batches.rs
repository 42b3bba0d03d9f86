//! Batches: files by the directory of this machine from which they are sent, and the one they go to.

use std::path::PathBuf;

use super::files::{Content, StagedFile};
use super::place::Place;
use super::stage::Staged;
use crate::edge::frozen::FrozenDir;
use crate::edge::remote::Batch;

/// Files that go from one directory to one.
struct Group {
    local: PathBuf,
    /// What the local directory has above the names.
    from: String,
    /// The directory of the remote.
    remote: String,
    names: Vec<String>,
    /// Which of the directories on this machine.
    lies: usize,
    again: bool,
}

/// The names of files below a directory here and one there.
pub(super) struct Batches(Vec<Group>);

impl Batches {
    /// Of these files; those of which `again` is true are sent even if they look the same there.
    pub(super) fn of<'f>(
        staged: &Staged,
        place: Place<'_>,
        files: impl Iterator<Item = (&'f StagedFile, bool)>,
    ) -> Self {
        let frozen = staged.frozen.as_ref().map(FrozenDir::path);
        let directories = [
            staged.staging.artifacts(),
            staged.source.to_path_buf(),
            frozen.map(ToOwned::to_owned).unwrap_or_default(),
        ];
        let mut groups: Vec<Group> = Vec::new();
        for (file, again) in files {
            let lies = match file.content {
                Content::Staged => 0,
                Content::Live(_) => 1,
                Content::Frozen | Content::Linked(_) => 2,
                Content::Sent => continue,
            };
            let placed = place.placed(file);
            let remote = place.below(placed.folder);
            let same = |group: &&mut Group| {
                let local = group.lies == lies && group.from == placed.from;
                local && group.remote == remote && group.again == again
            };
            if let Some(group) = groups.iter_mut().find(same) {
                group.names.push(placed.name.to_owned());
                continue;
            }
            let local = &directories[lies];
            groups.push(Group {
                local: match placed.from {
                    "" => local.clone(),
                    from => local.join(from),
                },
                from: placed.from.to_owned(),
                remote,
                names: vec![placed.name.to_owned()],
                lies,
                again,
            });
        }
        groups.sort_by_key(|group| group.lies);
        Self(groups)
    }

    /// As a remote takes them.
    pub(super) fn all(&self) -> Vec<Batch<'_>> {
        self.0.iter().map(Group::batch).collect()
    }
}

impl Group {
    fn batch(&self) -> Batch<'_> {
        Batch {
            local: &self.local,
            remote: &self.remote,
            names: &self.names,
            again: self.again,
        }
    }
}
