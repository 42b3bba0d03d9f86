//! Reuse: what the last snapshot holds already need not be sent again.
//!
//! Two files are the same when size and SHA-256 are: names and times decide nothing. So a file that
//! was renamed or copied is found as well, and one that was written to within the same second, with
//! the same length, is not taken for unchanged.
//!
//! A second name for the same file has that file's mode, owner and time as well: where it is to be one, these
//! decide too.

use std::collections::{HashMap, HashSet};

use crate::digest::Sha256;
use crate::manifest::Attributes;
use crate::units::ByteCount;

/// A file's name on the remote, and its content: of a new snapshot, or of the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content<'a> {
    /// Its name.
    pub stored: &'a str,
    /// Its length.
    pub size: ByteCount,
    /// Its checksum.
    pub sha256: Sha256,
    /// Mode, owner and time, where these have to be the same as well.
    pub attributes: Option<Attributes>,
}

impl Content<'_> {
    fn key(&self) -> (ByteCount, Sha256, Option<Attributes>) {
        (self.size, self.sha256, self.attributes)
    }
}

/// What of the last snapshot a new one can have from the remote itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reuse {
    /// Files of the same name and content in both.
    pub same: Vec<String>,
    /// Files whose content the last snapshot has under another name only: that name, and the new one.
    pub renamed: Vec<(String, String)>,
}

impl Reuse {
    /// Whether there is nothing to be had.
    pub fn is_empty(&self) -> bool {
        self.same.is_empty() && self.renamed.is_empty()
    }

    /// The names, in the new snapshot, of all that is to be had.
    pub fn names(&self) -> HashSet<String> {
        let renamed = self.renamed.iter().map(|(_, new)| new);
        self.same.iter().chain(renamed).cloned().collect()
    }
}

/// Decides which of the `wanted` files need not be sent, as the last snapshot holds `held`. Empty
/// ones are, where they would be copied: asking for that costs as much.
pub fn reuse<'a>(wanted: impl IntoIterator<Item = Content<'a>>, held: &[Content<'_>]) -> Reuse {
    let mut by_name = HashMap::new();
    let mut by_content = HashMap::new();
    for file in held {
        by_name.insert(file.stored, file.key());
        by_content.entry(file.key()).or_insert(file.stored);
    }
    let mut reuse = Reuse::default();
    for file in wanted {
        if file.size == ByteCount::ZERO && file.attributes.is_none() {
            continue;
        }
        if by_name.get(file.stored) == Some(&file.key()) {
            reuse.same.push(file.stored.to_owned());
        } else if let Some(other) = by_content.get(&file.key()) {
            let names = ((*other).to_owned(), file.stored.to_owned());
            reuse.renamed.push(names);
        }
    }
    reuse
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Mode;
    use jiff::Timestamp;
    use proptest::prelude::*;

    /// Files with these names, and each with a content that this number stands for.
    fn files<'a>(files: &[(&'a str, u8)]) -> Vec<Content<'a>> {
        let content = |&(stored, content): &(&'a str, u8)| Content {
            stored,
            size: ByteCount(content.into()),
            sha256: Sha256::try_from(format!("{content:064x}")).unwrap(),
            attributes: None,
        };
        files.iter().map(content).collect()
    }

    fn pair(there: &str, here: &str) -> (String, String) {
        (there.to_owned(), here.to_owned())
    }

    #[test]
    fn unchanged_files_are_had_under_their_name_and_renamed_ones_by_their_content() {
        let last = files(&[("a", 1), ("b", 2), ("c", 3)]);
        let new = files(&[("a", 1), ("b", 9), ("moved", 3), ("new", 8)]);
        let found = reuse(new, &last);
        assert_eq!(found.same, ["a"]);
        assert_eq!(found.renamed, [pair("c", "moved")]);
    }

    #[test]
    fn a_file_that_took_the_name_of_another_is_had_by_its_content() {
        let last = files(&[("log", 1), ("log.1", 2)]);
        let new = files(&[("log.1", 1), ("log.2", 2), ("log", 7)]);
        let found = reuse(new, &last);
        assert_eq!(found.same, [""; 0]);
        assert_eq!(
            found.renamed,
            [pair("log", "log.1"), pair("log.1", "log.2")]
        );
    }

    #[test]
    fn where_mode_owner_and_time_count_they_have_to_be_the_same_as_well_and_empty_files_are_had() {
        let attributes = Attributes {
            mode: Mode::from_st_mode(0o644),
            uid: 1000,
            gid: 1000,
            mtime: Timestamp::UNIX_EPOCH,
        };
        let with = |content, attributes| {
            let [file] = files(&[("a", content)])[..] else {
                unreachable!("one in, one out")
            };
            let attributes = Some(attributes);
            Content { attributes, ..file }
        };
        let changes: [fn(&mut Attributes); 4] = [
            |it| it.mode = Mode::from_st_mode(0o600),
            |it| it.uid = 0,
            |it| it.gid = 0,
            |it| it.mtime = Timestamp::from_second(1).unwrap(),
        ];
        for content in [0, 1] {
            let last = [with(content, attributes)];
            assert_eq!(reuse(last, &last).same, ["a"]);
            for change in changes {
                let mut other = attributes;
                change(&mut other);
                assert!(reuse([with(content, other)], &last).is_empty());
            }
        }
    }

    #[test]
    fn empty_files_are_sent() {
        let empty = files(&[("a", 0)]);
        assert!(reuse(empty.clone(), &empty).is_empty());
    }

    proptest! {
        #[test]
        fn what_is_reused_has_the_content_that_is_wanted_and_nothing_that_is_known_is_missed(
            last in proptest::collection::btree_map("[a-d]{1,2}", 0_u8..5, 0..8),
            new in proptest::collection::btree_map("[a-d]{1,2}", 0_u8..5, 0..8),
        ) {
            let held: Vec<_> = last.iter().map(|(name, content)| (name.as_str(), *content)).collect();
            let asked: Vec<_> = new.iter().map(|(name, content)| (name.as_str(), *content)).collect();
            let found = reuse(files(&asked), &files(&held));
            for name in &found.same {
                prop_assert_eq!(last[name], new[name]);
            }
            for (there, here) in &found.renamed {
                prop_assert_eq!(last[there], new[here]);
                prop_assert_ne!(there, here);
            }
            let had = found.names();
            prop_assert_eq!(had.len(), found.same.len() + found.renamed.len());
            for (name, content) in &new {
                let known = last.values().any(|held| held == content) && *content > 0;
                prop_assert_eq!(had.contains(name), known);
            }
        }
    }
}
