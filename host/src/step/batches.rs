//! Batches: files by the directory of this machine from which they are sent.

use std::path::PathBuf;

use super::files::{Content, StagedFile};
use super::stage::Staged;
use crate::edge::frozen::FrozenDir;
use crate::edge::remote::Batch;

/// The names of files on the remote, by where their content lies.
pub(super) struct Batches {
    sources: [(PathBuf, Vec<String>); 3],
}

impl Batches {
    pub(super) fn of<'f>(staged: &Staged, files: impl Iterator<Item = &'f StagedFile>) -> Self {
        let (mut live, mut made, mut frozen) = (Vec::new(), Vec::new(), Vec::new());
        for file in files {
            let names = match file.content {
                Content::Live(_) => &mut live,
                Content::Staged => &mut made,
                Content::Frozen | Content::Linked(_) => &mut frozen,
                Content::Sent => continue,
            };
            names.push(file.stored.clone());
        }
        let frozen_dir = staged.frozen.as_ref().map(FrozenDir::path);
        let frozen_dir = frozen_dir.map(ToOwned::to_owned).unwrap_or_default();
        Self {
            sources: [
                (staged.staging.artifacts(), made),
                (staged.source.to_path_buf(), live),
                (frozen_dir, frozen),
            ],
        }
    }

    /// For a directory of the remote; with `again` also what looks the same there.
    pub(super) fn to<'b>(&'b self, remote: &'b str, again: bool) -> Vec<Batch<'b>> {
        let filled = self.sources.iter().filter(|(_, names)| !names.is_empty());
        let batch = |(local, names): &'b (PathBuf, Vec<String>)| Batch {
            local,
            remote,
            names,
            again,
        };
        filled.map(batch).collect()
    }
}
