//! Shards: small files that go to B2 by several instances of the remote.
//!
//! rclone asks B2 for one thing every 10 ms, and no option says otherwise, so that a small file takes
//! as long whatever `transfers` is. The pace is kept for each instance of a remote; several together
//! are as quick as B2 itself answers. Large files gain nothing by it and stay with the remote as it
//! is, so that no more of their parts lie in memory than its owner asked for.

use std::fs;

use copal_core::units::ByteCount;

use super::remote::Batch;

/// Files up to this size are small: sending one takes B2 less than its turn.
const SMALL: ByteCount = ByteCount(1 << 20);

/// An instance more is worth its own sign-in from so many small files on.
const WORTH: usize = 100;

/// As many instances at most; B2 asks who is quicker than it likes to slow down.
pub(super) const MOST: u32 = 6;

/// A part of a batch: the names that one instance of the remote sends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shard {
    /// Which instance; 0 is the remote itself.
    pub(super) instance: usize,
    /// The names.
    pub(super) names: Vec<String>,
}

/// Divides a batch for a remote of this kind among so many instances at most.
pub(super) fn divide(backend: &str, batch: &Batch<'_>, most: usize) -> Vec<Shard> {
    let all = |names| Shard { instance: 0, names };
    if backend != "b2" || batch.names.len() < 2 * WORTH {
        return vec![all(batch.names.to_vec())];
    }
    let is_small = |name: &&String| {
        let size = fs::symlink_metadata(batch.local.join(name)).map(|found| found.len());
        // What is gone meanwhile is somebody else's to tell.
        size.is_ok_and(|size| size <= SMALL.0)
    };
    let (mut small, large): (Vec<_>, Vec<_>) = batch.names.iter().partition(is_small);
    // Neighbours stay together: each instance lists the directories that it writes to.
    small.sort_unstable();
    let instances = (small.len() / WORTH).clamp(1, most.max(1));
    let part = small.len().div_ceil(instances).max(1);
    let owned = |names: &[&String]| names.iter().copied().cloned().collect::<Vec<_>>();
    let shards = small.chunks(part).enumerate().map(|(number, names)| Shard {
        instance: number + 1,
        names: owned(names),
    });
    let large = (!large.is_empty()).then(|| all(owned(&large)));
    large.into_iter().chain(shards).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &[(&str, usize)], dir: &std::path::Path) -> Vec<String> {
        let mut names = Vec::new();
        for (stem, count) in files {
            for n in 0..*count {
                let name = format!("{stem}{n:04}");
                let size = if *stem == "large" { SMALL.0 + 1 } else { 10 };
                fs::File::create(dir.join(&name))
                    .and_then(|file| file.set_len(size))
                    .unwrap();
                names.push(name);
            }
        }
        names
    }

    fn divided(backend: &str, files: &[(&str, usize)]) -> (Vec<String>, Vec<Shard>) {
        let dir = tempfile::tempdir().unwrap();
        let names = names(files, dir.path());
        let batch = Batch {
            local: dir.path(),
            remote: "there",
            names: &names,
            again: false,
        };
        let shards = divide(backend, &batch, MOST as usize);
        (names, shards)
    }

    #[test]
    fn many_small_files_go_by_several_instances_and_each_file_by_one() {
        let (mut names, shards) = divided("b2", &[("small", 450), ("large", 3)]);
        let by: Vec<_> = shards
            .iter()
            .map(|it| (it.instance, it.names.len()))
            .collect();
        assert_eq!(by, [(0, 3), (1, 113), (2, 113), (3, 113), (4, 111)]);
        let mut sent: Vec<_> = shards.into_iter().flat_map(|it| it.names).collect();
        sent.sort();
        names.sort();
        assert_eq!(sent, names);
    }

    #[test]
    fn there_are_never_more_instances_than_b2_likes() {
        let (_, shards) = divided("b2", &[("small", 2000)]);
        assert_eq!(shards.len(), MOST as usize);
    }

    #[test]
    fn few_files_and_other_remotes_need_no_second_instance() {
        for (backend, count) in [("b2", 150), ("s3", 450), ("crypt", 450)] {
            let (names, shards) = divided(backend, &[("small", count)]);
            assert_eq!(shards, [Shard { instance: 0, names }]);
        }
    }
}
