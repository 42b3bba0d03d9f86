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
fn lies_in(name: &str, above: &str) -> bool {
    name == above || below(name, above).is_some()
}

/// What of a name is below a folder; the empty folder has everything below it.
pub(super) fn below<'a>(name: &'a str, folder: &str) -> Option<&'a str> {
    if folder.is_empty() {
        return Some(name);
    }
    name.strip_prefix(folder)?.strip_prefix('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    fn map(pairs: &[(&str, &str)]) -> Map {
        let mut map = Map::default();
        for (source, folder) in pairs {
            map.add(path(source), (*folder).to_owned()).unwrap();
        }
        map
    }

    fn tutorial() -> Map {
        map(&[
            ("uploads", "user_uploads"),
            ("vector_db", "ChromaDB"),
            ("webui.db", "main_database"),
        ])
    }

    #[track_caller]
    fn goes_to(map: &Map, name: &str, stored: &str, suffix: Option<&str>, expected: &str) {
        let placed = map.place(&path(name), stored, suffix).unwrap();
        assert_eq!(placed.remote(), expected);
        let local = format!("{}/{}", placed.from, placed.name);
        assert_eq!(local.trim_start_matches('/'), stored);
    }

    #[test]
    fn a_directory_becomes_its_folder_and_a_file_goes_into_it() {
        let map = tutorial();
        for (name, expected) in [
            ("uploads/a/b.pdf", "user_uploads/a/b.pdf"),
            ("vector_db/chroma.sqlite3", "ChromaDB/chroma.sqlite3"),
            ("webui.db", "main_database/webui.db"),
        ] {
            goes_to(&map, name, name, None, expected);
        }
        assert_eq!(map.place(&path("cache/x"), "cache/x", None), None);
        assert_eq!(map.place(&path("uploads2"), "uploads2", None), None);
    }

    #[test]
    fn without_a_map_everything_keeps_its_path() {
        goes_to(&Map::default(), "a/b", "a/b", None, "a/b");
    }

    #[test]
    fn an_archive_goes_into_the_folder_of_the_directory_that_it_stands_in_for() {
        let name = "vector_db.tar.gz";
        goes_to(
            &tutorial(),
            name,
            name,
            Some(".tar.gz"),
            "ChromaDB/vector_db.tar.gz",
        );
        assert!(!tutorial().takes(&path(name), None));
    }

    #[test]
    fn a_name_that_does_not_travel_goes_under_its_stored_one() {
        let map = map(&[("a/b", "deep"), ("odd\n", "odd"), ("file\n", "one")]);
        goes_to(&map, "a/b/c\n", "a/b/c%0A", None, "deep/c%0A");
        goes_to(
            &map,
            "a/b/c/d/e",
            "a/~0123456789ab/e",
            None,
            "deep/~0123456789ab/e",
        );
        goes_to(&map, "odd\n/x", "odd%0A/x", None, "odd/x");
        goes_to(&map, "file\n", "file%0A", None, "one/file%0A");
    }

    #[test]
    fn no_part_lies_in_another_and_no_folder_in_another() {
        for (source, folder) in [
            ("uploads/a", "x"),
            ("uploads", "x"),
            ("new", "user_uploads"),
            ("new", "user_uploads/deep"),
        ] {
            let added = tutorial().add(path(source), folder.to_owned());
            assert!(added.is_err(), "{source} {folder}");
        }
        tutorial().add(path("upload"), "user".to_owned()).unwrap();
    }

    #[test]
    fn a_folder_is_a_plain_path_below_the_destination_and_not_copals_own() {
        assert_eq!(folder("a/b c/"), Some("a/b c".to_owned()));
        for text in [
            "", "/", "/a", "../a", "a/../b", "a//b", " a", "a\\b", "a\nb", ".copal", "a/.copal",
        ] {
            assert_eq!(folder(text), None, "{text:?}");
        }
    }

    #[test]
    fn directories_on_the_way_to_what_is_mapped_are_known() {
        let map = map(&[("a/b", "x")]);
        for (name, leads) in [
            ("a", true),
            ("a/b", true),
            ("a/b/c", true),
            ("a/c", false),
            ("ab", false),
        ] {
            assert_eq!(map.leads_through(&path(name)), leads, "{name}");
        }
    }

    proptest! {
        #[test]
        fn the_way_there_and_the_way_back_are_the_same(name in "(uploads|vector_db)(/[a-z]{1,3}){1,4}") {
            let map = tutorial();
            let placed = map.place(&path(&name), &name, None).unwrap().remote();
            prop_assert_eq!(map.source_of(&placed), Some(path(&name)));
            prop_assert_eq!(Map::default().source_of(&name), Some(path(&name)));
        }
    }
}
