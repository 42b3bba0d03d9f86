//! What several snapshots of one source hold, by content: what each adds to those before it, and what it alone has.
//!
//! Two files have the same content when size and SHA-256 are the same, whatever their names and times.

use std::collections::{BTreeSet, HashMap};

use crate::digest::Sha256;
use crate::manifest::{Entry, Manifest};
use crate::units::ByteCount;

/// A file's content.
pub type Content = (ByteCount, Sha256);

/// What one of several snapshots holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// What all its files come to.
    pub bytes: ByteCount,
    /// What none of those before it has.
    pub adds: ByteCount,
    /// What no other has.
    pub alone: ByteCount,
}

/// Which snapshots have which content. They go by their number, from 0 for the oldest.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    /// The numbers, in their order, of those that have it.
    holders: HashMap<Content, Vec<usize>>,
    /// What the files of each come to.
    bytes: Vec<ByteCount>,
}

impl Contents {
    /// Of the contents of each snapshot's files, the oldest snapshot first.
    pub fn of<Files>(snapshots: impl IntoIterator<Item = Files>) -> Self
    where
        Files: IntoIterator<Item = Content>,
    {
        let mut contents = Self::default();
        for (number, files) in snapshots.into_iter().enumerate() {
            let mut bytes = ByteCount::ZERO;
            for content in files {
                bytes += content.0;
                let holders = contents.holders.entry(content).or_default();
                if holders.last() != Some(&number) {
                    holders.push(number);
                }
            }
            contents.bytes.push(bytes);
        }
        contents
    }

    /// What each holds, in their order.
    pub fn each(&self) -> Vec<Held> {
        let bytes = self.bytes.iter();
        let mut each: Vec<Held> = bytes
            .map(|bytes| Held {
                bytes: *bytes,
                ..Held::default()
            })
            .collect();
        for ((size, _), holders) in &self.holders {
            // Whoever is entered at all has one at least.
            each[holders[0]].adds += *size;
            if let [only] = holders[..] {
                each[only].alone += *size;
            }
        }
        each
    }

    /// What all of them hold, each content counted once.
    pub fn distinct(&self) -> ByteCount {
        self.holders.keys().map(|(size, _)| *size).sum()
    }

    /// What none but these have, each content counted once.
    pub fn held_by_none_but(&self, these: &BTreeSet<usize>) -> ByteCount {
        let holders = self.holders.iter();
        let theirs = holders.filter(|(_, holders)| holders.iter().all(|it| these.contains(it)));
        theirs.map(|((size, _), _)| *size).sum()
    }
}

/// The contents of a snapshot's files.
pub fn contents(manifest: &Manifest) -> impl Iterator<Item = Content> {
    let files = manifest.entries.iter().filter_map(Entry::file);
    files.map(|file| (file.size, file.sha256))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Files of few contents, each of a size of its own.
    fn snapshots() -> impl Strategy<Value = Vec<Vec<Content>>> {
        let content = (0_u8..12).prop_map(content);
        let files = proptest::collection::vec(content, 0..10);
        proptest::collection::vec(files, 0..6)
    }

    fn content(n: u8) -> Content {
        (ByteCount(1 << n), Sha256::from_bytes([n; 32]))
    }

    fn held(bytes: u64, adds: u64, alone: u64) -> Held {
        Held {
            bytes: ByteCount(bytes),
            adds: ByteCount(adds),
            alone: ByteCount(alone),
        }
    }

    #[test]
    fn each_adds_what_is_new_and_has_alone_what_no_other_has() {
        let [one, two, four, eight] = [0, 1, 2, 3].map(content);
        let contents = Contents::of([vec![one, two, two], vec![two, four], vec![eight, four]]);
        let expected = [held(5, 3, 1), held(6, 4, 0), held(12, 8, 8)];
        assert_eq!(contents.each(), expected);
        assert_eq!(contents.distinct(), ByteCount(15));
        let first_two = BTreeSet::from([0, 1]);
        assert_eq!(contents.held_by_none_but(&first_two), ByteCount(3));
    }

    proptest! {
        #[test]
        fn what_snapshots_add_comes_to_all_there_is_and_what_they_have_alone_to_no_more(
            snapshots in snapshots(),
        ) {
            let contents = Contents::of(snapshots.clone());
            let each = contents.each();
            let all = contents.distinct();
            prop_assert_eq!(each.iter().map(|it| it.adds).sum::<ByteCount>(), all);
            prop_assert!(each.iter().map(|it| it.alone).sum::<ByteCount>() <= all);
            for it in &each {
                prop_assert!(it.alone <= it.adds && it.adds <= it.bytes);
            }
        }

        #[test]
        fn removing_some_leaves_what_was_not_theirs_alone(
            snapshots in snapshots(),
            chosen in proptest::collection::btree_set(0_usize..6, 0..6),
        ) {
            let contents = Contents::of(snapshots.clone());
            let going = contents.held_by_none_but(&chosen);
            let stay = snapshots.iter().enumerate().filter(|(number, _)| !chosen.contains(number));
            let left = Contents::of(stay.map(|(_, files)| files.clone()));
            prop_assert_eq!(left.distinct() + going, contents.distinct());
            for (number, held) in contents.each().iter().enumerate() {
                let alone = contents.held_by_none_but(&BTreeSet::from([number]));
                prop_assert_eq!(alone, held.alone);
            }
        }
    }
}
