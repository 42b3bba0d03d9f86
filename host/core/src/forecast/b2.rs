//! The calls to B2 that a run makes by way of rclone, class by class.

mod mirror;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Expected, Fate};
use crate::charges::Charges;
use crate::path::RelPath;
use crate::shards::Instances;
use crate::units::ByteCount;

pub(super) use self::mirror::{About, Sent};

/// How rclone sends to B2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct B2 {
    /// Whether all of it is encrypted first: then each file is asked for to be proven.
    pub encrypts: bool,
    /// Files above this size are uploaded in parts.
    pub upload_cutoff: ByteCount,
    /// The size of such a part.
    pub chunk_size: ByteCount,
    /// Files above this size are copied in parts of this size.
    pub copy_cutoff: ByteCount,
    /// Parts of a file that are uploaded at a time.
    pub concurrency: u64,
    /// Files at a time.
    pub transfers: u64,
    /// Small files at a time, of all instances of the remote together.
    pub small: u64,
    /// How many instances of the remote there are at most, and from how many small files on one more is
    /// worth it.
    pub instances: u64,
    /// See above.
    pub worth: u64,
    /// Up to this size a file is small.
    pub small_size: ByteCount,
}

/// What is known of the last snapshot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    pub(super) files: u64,
    /// Whether it is of the same day: then nobody looks for what killed runs left.
    pub(super) same_day: bool,
}

/// A listing brings so many files at a time, and is charged for as many.
const PAGE: u64 = 1000;
/// B2 takes so many parts of a file.
const PARTS: u64 = 10_000;

fn pages(files: u64) -> u64 {
    files.div_ceil(PAGE).max(1)
}

fn number(of: usize) -> u64 {
    of as u64
}

impl B2 {
    pub(super) fn calls(
        &self,
        files: &[Expected<'_>],
        fates: &[Fate],
        last: Option<Before>,
    ) -> Charges {
        let having = |wanted: Fate| {
            let files = files.iter().zip(fates);
            let files = files.filter(move |(_, fate)| **fate == wanted);
            files.map(|(file, _)| *file).collect::<Vec<_>>()
        };
        let (same, renamed) = (having(Fate::Copied), having(Fate::Renamed));
        let uploaded = having(Fate::Uploaded);
        let mut tally = Tally {
            b2: self,
            files,
            charges: Charges::default(),
            signed_in: BTreeSet::new(),
        };
        tally.around(number(files.len()), last);
        if let Some(last) = last.filter(|_| !same.is_empty() || !renamed.is_empty()) {
            tally.charges.class_c += pages(last.files + 2);
            tally.copy(&same);
            tally.copy_renamed(&renamed);
        }
        let copied = Directories::of(same.iter().chain(&renamed));
        let (made, live): (Vec<_>, Vec<_>) = uploaded.iter().partition(|file| file.made);
        for batch in [made, live] {
            tally.upload(&batch, &copied);
        }
        for batch in [&same, &renamed, &uploaded] {
            tally.prove(batch);
        }
        // Each signs in, and looks for the bucket.
        tally.charges.class_c += 2 * number(tally.signed_in.len());
        tally.charges
    }

    fn instances(&self) -> Instances {
        let few = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Instances {
            most: few(self.instances),
            worth: few(self.worth),
        }
    }

    fn stored(&self, size: ByteCount) -> ByteCount {
        if self.encrypts {
            ByteCount(size.0 + 32 + 16 * size.0.div_ceil(64 << 10))
        } else {
            size
        }
    }
}

/// What there is so far.
struct Tally<'a> {
    b2: &'a B2,
    files: &'a [Expected<'a>],
    charges: Charges,
    /// Directories of the remote (the last snapshot's, or the new one's) by each instance.
    signed_in: BTreeSet<(bool, u64)>,
}

const LAST: bool = false;
const NEW: bool = true;

impl Tally<'_> {
    /// Preflight, claim, the last listing, checksums and manifest.
    fn around(&mut self, files: u64, last: Option<Before>) {
        // The claim, the checksums, the manifest; two places to upload to, and the claim's end.
        self.charges.class_a += 6;
        // The claim is looked for before it is withdrawn.
        self.charges.class_b += 1;
        // Signing in and looking for the bucket, twice; which snapshots there are; listings after the
        // claim, the checksums and the manifest; and of all files.
        self.charges.class_c += 4 + 4 + pages(files + 1);
        if last.is_some() {
            // The last manifest is looked for, and read.
            self.charges.class_b += 2;
        }
        let first_today = u64::from(last.is_none_or(|last| !last.same_day));
        self.charges.class_c += first_today;
        if self.b2.encrypts {
            self.charges.class_b += 2;
            self.charges.class_c += 4 + first_today;
        }
    }

    fn copy(&mut self, same: &[Expected<'_>]) {
        if same.is_empty() {
            return;
        }
        for (instance, part) in self.parts(same) {
            self.signed_in.extend([(LAST, instance), (NEW, instance)]);
            let listed = Directories::of(part.iter()).pages(self.files);
            self.charges.class_c += listed + 1;
        }
        for file in same {
            self.copy_one(file.size);
        }
    }

    /// Each is looked for, and copied.
    fn copy_renamed(&mut self, renamed: &[Expected<'_>]) {
        let instances = self.b2.instances().among(renamed.len()).unwrap_or(1);
        for instance in 0..number(instances.min(renamed.len())) {
            self.signed_in.extend([(LAST, instance), (NEW, instance)]);
        }
        for file in renamed {
            self.charges.class_b += 1;
            self.copy_one(file.size);
        }
    }

    fn copy_one(&mut self, size: ByteCount) {
        let (size, cutoff) = (self.b2.stored(size), self.b2.copy_cutoff);
        if size <= cutoff {
            self.charges.class_c += 1;
        } else {
            self.charges.class_a += 2;
            self.charges.class_b += 1;
            self.charges.class_c += size.0.div_ceil(cutoff.0.max(1));
        }
    }

    /// What was copied before makes directories that are listed.
    fn upload(&mut self, batch: &[Expected<'_>], copied: &Directories) {
        if batch.is_empty() {
            return;
        }
        let is_small = |file: &&Expected<'_>| file.size <= self.b2.small_size;
        let small: Vec<_> = batch.iter().filter(is_small).copied().collect();
        let large: Vec<_> = batch.iter().filter(|it| !is_small(it)).copied().collect();
        let shared = self.b2.instances().among(batch.len()).is_some();
        let (by_several, by_one) = if shared {
            (small, large)
        } else {
            (Vec::new(), batch.to_vec())
        };
        let mut shards = Vec::new();
        if !by_one.is_empty() {
            shards.push((0, by_one.clone()));
        }
        if !by_several.is_empty() {
            shards.extend(self.split(&by_several));
        }
        for (instance, part) in shards {
            self.signed_in.insert((NEW, instance));
            let listed = Directories::of(part.iter()).that_are_in(copied);
            self.charges.class_c += listed.pages(self.files);
        }
        self.charges.class_a += number(by_several.len()).min(self.b2.small);
        let whole = by_one.iter().filter(|file| !self.is_in_parts(file)).count();
        self.charges.class_a += number(whole).min(self.b2.transfers);
        for file in batch {
            self.upload_one(file.size);
        }
    }

    fn is_in_parts(&self, file: &Expected<'_>) -> bool {
        self.b2.stored(file.size) > self.b2.upload_cutoff
    }

    fn upload_one(&mut self, size: ByteCount) {
        let size = self.b2.stored(size);
        if size <= self.b2.upload_cutoff {
            self.charges.class_a += 1;
            return;
        }
        let parts = size.0.div_ceil(self.b2.chunk_size.0.max(1)).min(PARTS);
        // It is begun and finished; each part has a place to go to, of which so many are in use.
        self.charges.class_a += 2 + parts + parts.min(self.b2.concurrency.max(1));
    }

    /// An encrypted remote is asked for the beginning of each file.
    fn prove(&mut self, batch: &[Expected<'_>]) {
        if self.b2.encrypts && !batch.is_empty() {
            self.charges.class_b += number(batch.len());
            self.charges.class_c += Directories::of(batch.iter()).pages(self.files);
        }
    }

    /// By which instance each part goes.
    fn parts<'f>(&self, files: &[Expected<'f>]) -> Vec<(u64, Vec<Expected<'f>>)> {
        match self.b2.instances().among(files.len()) {
            None => vec![(0, files.to_vec())],
            Some(_) => self.split(files),
        }
    }

    fn split<'f>(&self, files: &[Expected<'f>]) -> Vec<(u64, Vec<Expected<'f>>)> {
        let mut files = files.to_vec();
        files.sort_unstable_by_key(|file| file.path);
        let parts = self.b2.instances().parts(&files).map(<[_]>::to_vec);
        (1..).zip(parts).collect()
    }
}

/// Directories that are listed one by one, from the top.
struct Directories(BTreeSet<Vec<u8>>);

impl Directories {
    fn of<'f>(files: impl Iterator<Item = &'f Expected<'f>>) -> Self {
        Self::of_paths(files.map(|file| file.path))
    }

    fn of_paths<'f>(files: impl Iterator<Item = &'f RelPath>) -> Self {
        let mut all = BTreeSet::from([Vec::new()]);
        for file in files {
            let mut above = file.parent();
            while let Some(directory) = above {
                above = directory.parent();
                if !all.insert(directory.as_bytes().to_vec()) {
                    break;
                }
            }
        }
        Self(all)
    }

    fn that_are_in(mut self, others: &Self) -> Self {
        self.0.retain(|directory| others.0.contains(directory));
        self
    }

    /// What listing them costs, with all of these files in them.
    fn pages(&self, files: &[Expected<'_>]) -> u64 {
        let all = number(self.0.len());
        if number(files.len()) <= PAGE {
            return all;
        }
        let mut counts = std::collections::HashMap::<_, u64>::new();
        for file in files {
            let directory = file.path.parent();
            *counts.entry(directory).or_default() += 1;
        }
        let more = counts.into_iter().filter(|(directory, _)| {
            let name = directory.as_ref().map_or(&[][..], |it| it.as_bytes());
            self.0.contains(name)
        });
        all + more.map(|(_, files)| pages(files) - 1).sum::<u64>()
    }
}
