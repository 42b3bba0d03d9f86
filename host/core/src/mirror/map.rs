//! Which folder has which part of the source, and what a file is called there.

use crate::manifest::COPAL_DIR;
use crate::path::RelPath;
use crate::stored::StoredNames;

/// Parts of the source with the folders that have them. Neither two sources nor two folders lie in one
/// another, so that no file belongs to two of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Map(Vec<Pair>);

/// A part of the source, and its folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pair {
    /// A file or a directory of the source.
    pub source: RelPath,
    /// The folder, below the destination.
    pub folder: String,
}

/// Why a pair can't join a map.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MapError {
    /// One source lies in another, or is the same.
    #[error("`{}` is mapped already, by `{}`", .new, .other)]
    SourceTwice {
        /// The new one.
        new: RelPath,
        /// The one that is there.
        other: RelPath,
    },
    /// One folder lies in another, or is the same.
    #[error("`{new}` and `{other}` would have each other's files")]
    FolderTwice {
        /// The new one.
        new: String,
        /// The one that is there.
        other: String,
    },
}

/// Where a file goes: `from` is what its directory on this machine has above `name`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Placed<'a> {
    /// Below the directory on this machine; empty for that itself.
    pub from: &'a str,
    /// Below the destination; empty for that itself.
    pub folder: &'a str,
    /// Below both.
    pub name: &'a str,
}

impl Placed<'_> {
    /// Its name below the destination.
    pub fn remote(&self) -> String {
        match self.folder {
            "" => self.name.to_owned(),
            folder => format!("{folder}/{}", self.name),
        }
    }
}

/// A folder as a map may name it; none for what is no path below a destination, or would be changed on
/// the way there, or is Copal's own.
pub fn folder(text: &str) -> Option<String> {
    let text = text.strip_suffix('/').unwrap_or(text);
    let path = RelPath::new(text).ok()?;
    let plain = StoredNames::default().plain(&path, |_| true)?.to_owned();
    let own = plain.split('/').any(|component| component == COPAL_DIR);
    (!own).then_some(plain)
}

impl Map {
    /// Adds a part of the source.
    pub fn add(&mut self, source: RelPath, folder: String) -> Result<(), MapError> {
        for pair in &self.0 {
            if source.is_within(&pair.source) || pair.source.is_within(&source) {
                let (new, other) = (source, pair.source.clone());
                return Err(MapError::SourceTwice { new, other });
            }
            if lies_in(&folder, &pair.folder) || lies_in(&pair.folder, &folder) {
                let (new, other) = (folder, pair.folder.clone());
                return Err(MapError::FolderTwice { new, other });
            }
        }
        self.0.push(Pair { source, folder });
        Ok(())
    }

    /// Whether the whole source lies at the destination as it is.
    pub fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// The parts, in the order of the configuration; none for the whole source.
    pub fn pairs(&self) -> &[Pair] {
        &self.0
    }

    /// The folders that are written to, below the destination; the empty one is that itself.
    pub fn folders(&self) -> Vec<&str> {
        if self.is_whole() {
            return vec![""];
        }
        self.0.iter().map(|pair| pair.folder.as_str()).collect()
    }

    /// Whether a file of this path is mirrored. What an archive adds to the name of the directory it
    /// stands in for is `suffix`.
    pub fn takes(&self, path: &RelPath, suffix: Option<&str>) -> bool {
        self.is_whole() || self.pair_of(path, suffix).is_some()
    }

    /// The mapped parts of which nothing is there.
    pub fn lacking(&self, is_there: impl Fn(&RelPath) -> bool) -> Vec<RelPath> {
        let sources = self.0.iter().map(|pair| &pair.source);
        sources
            .filter(|source| !is_there(source))
            .cloned()
            .collect()
    }

    /// Whether something mirrored lies below this path, or it is mirrored itself.
    pub fn leads_through(&self, path: &RelPath) -> bool {
        self.takes(path, None) || self.0.iter().any(|pair| pair.source.is_within(path))
    }

    fn pair_of(&self, path: &RelPath, suffix: Option<&str>) -> Option<&Pair> {
        let archive = |pair: &Pair| suffix.is_some_and(|it| *path == pair.source.with_suffix(it));
        let mut pairs = self.0.iter();
        pairs.find(|pair| path.is_within(&pair.source) || archive(pair))
    }

    /// Where the file of this path goes, which on this machine lies under the name `stored`.
    pub fn place<'a>(
        &'a self,
        path: &RelPath,
        stored: &'a str,
        suffix: Option<&str>,
    ) -> Option<Placed<'a>> {
        if self.is_whole() {
            let (from, folder) = ("", "");
            let name = stored;
            return Some(Placed { from, folder, name });
        }
        let pair = self.pair_of(path, suffix)?;
        let above = components_above(pair, path, stored);
        let (from, name) = split_after(stored, above);
        let folder = &pair.folder;
        Some(Placed { from, folder, name })
    }

    /// The path in the source that would have this name at the destination, as far as it is one that
    /// keeps its own name.
    pub fn source_of(&self, name: &str) -> Option<RelPath> {
        if self.is_whole() {
            return RelPath::new(name).ok();
        }
        let mut pairs = self.0.iter();
        let found = pairs.find_map(|pair| Some((pair, below(name, &pair.folder)?)));
        let (pair, rest) = found?;
        pair.source.child(rest.as_bytes()).ok()
    }
}

/// How many components of a stored name the folder takes the place of.
fn components_above(pair: &Pair, path: &RelPath, stored: &str) -> usize {
    let count = |bytes: &[u8]| bytes.split(|byte| *byte == b'/').count();
    let stored = count(stored.as_bytes());
    let mapped = count(pair.source.as_bytes());
    let all = if !path.is_within(&pair.source) || *path == pair.source {
        stored - 1 // a file: its folder has it under its own name
    } else if stored == count(path.as_bytes()) {
        mapped
    } else {
        1 // a path that was too long keeps its first directory alone
    };
    all.min(stored - 1)
}

fn split_after(stored: &str, components: usize) -> (&str, &str) {
    let Some(last) = components.checked_sub(1) else {
        return ("", stored);
    };
    let mut slashes = stored.match_indices('/');
    let slash = slashes.nth(last);
    slash.map_or(("", stored), |(at, _)| (&stored[..at], &stored[at + 1..]))
}

/// Whether a folder or file is `above` or lies in it.
pub(super) fn lies_in(name: &str, above: &str) -> bool {
    name == above || below(name, above).is_some()
}

/// What of a name is below a folder; the empty folder has everything below it.
pub(crate) fn below<'a>(name: &'a str, folder: &str) -> Option<&'a str> {
    if folder.is_empty() {
        return Some(name);
    }
    name.strip_prefix(folder)?.strip_prefix('/')
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;
