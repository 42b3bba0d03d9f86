//! What differs between two snapshots, as their manifests tell.
//!
//! Times alone are no difference: what was touched and says the same is the same.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::manifest::{Entry, EntryKind, Manifest};
use crate::path::RelPath;
use crate::units::ByteCount;

/// One path on which two snapshots do not agree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Difference<'a> {
    /// The second alone has it.
    Added(&'a Entry),
    /// The first alone has it.
    Removed(&'a Entry),
    /// Both have it, and it is not the same.
    Changed {
        /// As it was.
        before: &'a Entry,
        /// As it became.
        after: &'a Entry,
        /// In what it differs.
        what: What,
    },
}

/// In what something differs that two snapshots have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct What {
    /// A file's content, where a link points, or whether it is one or the other.
    pub content: bool,
    /// Permissions.
    pub mode: bool,
    /// Owner or group.
    pub owner: bool,
}

/// How much of something there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// Files, directories and links.
    pub entries: u64,
    /// What the files among them hold.
    pub bytes: ByteCount,
}

/// What all differences come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// What was added.
    pub added: Amount,
    /// What was removed.
    pub removed: Amount,
    /// What changed, as it was.
    pub changed_before: Amount,
    /// The same, as it became.
    pub changed_after: Amount,
}

/// Every difference from `before` to `after`, sorted by path.
pub fn diff<'a>(before: &'a Manifest, after: &'a Manifest) -> Vec<Difference<'a>> {
    let (mut old, mut new) = (
        before.entries.iter().peekable(),
        after.entries.iter().peekable(),
    );
    let mut found = Vec::new();
    // Both are sorted by path: a manifest that is not is none.
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return found,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.path.cmp(&new.path),
        };
        let old = if order.is_le() { old.next() } else { None };
        let new = if order.is_ge() { new.next() } else { None };
        found.extend(match (old, new) {
            (Some(before), Some(after)) => changed(before, after),
            (Some(entry), None) => Some(Difference::Removed(entry)),
            (None, Some(entry)) => Some(Difference::Added(entry)),
            (None, None) => None,
        });
    }
}

fn changed<'a>(before: &'a Entry, after: &'a Entry) -> Option<Difference<'a>> {
    let (old, new) = (before.attributes, after.attributes);
    let what = What {
        content: !is_same(&before.kind, &after.kind),
        mode: old.mode != new.mode,
        owner: (old.uid, old.gid) != (new.uid, new.gid),
    };
    (what != What::default()).then_some(Difference::Changed {
        before,
        after,
        what,
    })
}

/// Whether both say the same; how it was taken, and by which name it is stored, does not count.
fn is_same(before: &EntryKind, after: &EntryKind) -> bool {
    match (before, after) {
        (EntryKind::File(before), EntryKind::File(after)) => {
            (before.size, before.sha256) == (after.size, after.sha256)
        }
        (before, after) => before == after,
    }
}

/// The tables of a database that do not have as many rows as they had, each with both numbers; none where
/// a side does not have it. Nothing where the rows of a side are not known.
pub fn tables<'a>(before: &'a Entry, after: &'a Entry) -> Vec<(&'a str, Option<u64>, Option<u64>)> {
    let rows = |entry: &'a Entry| entry.file().map(|file| &file.rows);
    let (Some(old), Some(new)) = (rows(before), rows(after)) else {
        return Vec::new();
    };
    if old.is_empty() || new.is_empty() {
        return Vec::new();
    }
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let both = names.into_iter().map(|name| {
        let (old, new) = (old.get(name).copied(), new.get(name).copied());
        (name.as_str(), old, new)
    });
    both.filter(|(_, old, new)| old != new).collect()
}

impl Difference<'_> {
    /// The path that it is about.
    pub fn path(&self) -> &RelPath {
        match self {
            Self::Added(entry) | Self::Removed(entry) | Self::Changed { after: entry, .. } => {
                &entry.path
            }
        }
    }
}

impl Amount {
    fn count(&mut self, entry: &Entry) {
        self.entries += 1;
        if let Some(file) = entry.file() {
            // Totals of a manifest bound it, and nobody vouches for those of another.
            self.bytes = ByteCount(self.bytes.0.saturating_add(file.size.0));
        }
    }
}

impl Sums {
    /// The sums of these.
    pub fn of(differences: &[Difference<'_>]) -> Self {
        let mut sums = Self::default();
        for difference in differences {
            match difference {
                Difference::Added(entry) => sums.added.count(entry),
                Difference::Removed(entry) => sums.removed.count(entry),
                Difference::Changed { before, after, .. } => {
                    sums.changed_before.count(before);
                    sums.changed_after.count(after);
                }
            }
        }
        sums
    }
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
