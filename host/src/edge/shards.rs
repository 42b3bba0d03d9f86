//! Shards: small files that go to B2, and files that it copies of its own or sends here, by several instances
//! of the remote.
//!
//! rclone asks B2 for one thing every 10 ms, and no option says otherwise, so that a small file takes
//! as long whatever `transfers` is. The pace is kept for each instance of a remote; several together
//! are as quick as B2 itself answers. Large files gain nothing by it and stay with the remote as it
//! is, so that no more of their parts lie in memory than its owner asked for.

use std::fs;

use copal_core::shards::Instances;
use copal_core::units::ByteCount;

use super::remote::Batch;

/// Files up to this size are small: sending one takes B2 less than its turn.
pub(super) const SMALL: ByteCount = ByteCount(1 << 20);

/// An instance more is worth its own sign-in from so many small files on.
pub(super) const WORTH: usize = 100;

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

impl Shard {
    fn all(names: Vec<String>) -> Self {
        Self { instance: 0, names }
    }
}

/// Divides a batch for a remote of this kind among so many instances at most.
pub(super) fn divide(backend: &str, batch: &Batch<'_>, most: usize) -> Vec<Shard> {
    let instances = instances_of(backend, most);
    if instances.among(batch.names.len()).is_none() {
        return vec![Shard::all(batch.names.to_vec())];
    }
    let is_small = |name: &String| {
        let size = fs::symlink_metadata(batch.local.join(name)).map(|found| found.len());
        // What is gone meanwhile is somebody else's to tell.
        size.is_ok_and(|size| size <= SMALL.0)
    };
    let (small, large): (Vec<_>, Vec<_>) = batch.names.iter().cloned().partition(is_small);
    let large = (!large.is_empty()).then(|| Shard::all(large));
    large.into_iter().chain(parts(small, instances)).collect()
}

/// Divides files that the remote copies or sends here: no chunk of them lies in memory, however large they are.
pub(super) fn divide_by_number(backend: &str, names: &[String], most: usize) -> Vec<Shard> {
    let instances = instances_of(backend, most);
    match instances.among(names.len()) {
        Some(_) => parts(names.to_vec(), instances).collect(),
        None => vec![Shard::all(names.to_vec())],
    }
}

/// How many instances so many calls are worth.
pub(super) fn instances(backend: &str, calls: usize, most: usize) -> usize {
    instances_of(backend, most).among(calls).unwrap_or(1)
}

fn instances_of(backend: &str, most: usize) -> Instances {
    let most = if backend == "b2" { most } else { 0 };
    Instances { most, worth: WORTH }
}

/// Parts for other instances than the remote itself.
fn parts(mut names: Vec<String>, instances: Instances) -> impl Iterator<Item = Shard> {
    names.sort_unstable();
    let parts: Vec<_> = instances.parts(&names).map(<[String]>::to_vec).collect();
    parts
        .into_iter()
        .zip(1..)
        .map(|(names, instance)| Shard { instance, names })
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
    fn what_the_remote_copies_is_divided_whatever_its_size() {
        let names: Vec<String> = (0..450).map(|n| format!("{n:04}")).collect();
        let shards = divide_by_number("b2", &names, MOST as usize);
        let copied: Vec<_> = shards.iter().flat_map(|it| it.names.clone()).collect();
        assert_eq!(copied, names);
        let by: Vec<_> = shards.iter().map(|it| it.instance).collect();
        assert_eq!(by, [1, 2, 3, 4]);
        for (backend, most) in [("b2", 150), ("s3", 450)] {
            let shards = divide_by_number(backend, &names[..most], MOST as usize);
            assert_eq!(shards, [Shard::all(names[..most].to_vec())]);
        }
    }

    #[test]
    fn few_files_and_other_remotes_need_no_second_instance() {
        for (backend, count) in [("b2", 150), ("s3", 450), ("crypt", 450)] {
            let (names, shards) = divided(backend, &[("small", count)]);
            assert_eq!(shards, [Shard { instance: 0, names }]);
        }
    }
}
