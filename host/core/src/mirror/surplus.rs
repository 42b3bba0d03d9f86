//! What a mirror has and the source has not, and whether it may be deleted.
//!
//! The worst mistake here is to delete, so each doubt keeps: what lies outside the mirrored
//! directories is never looked at, what is deleted is bounded before the first deletion, and a bound
//! that is exceeded keeps everything.

use std::collections::{BTreeSet, HashSet};

use super::map::{Map, below};
use crate::manifest::COPAL_DIR;
use crate::path::RelPath;

/// The most that a run may delete of a mirror.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MaxDelete {
    /// So many files in a hundred of those that are there.
    Share(u8),
    /// So many files.
    Files(u64),
}

impl MaxDelete {
    /// Half of what is there.
    pub const HALF: Self = Self::Share(50);

    /// As many of so many files.
    pub fn of(self, there: u64) -> u64 {
        match self {
            Self::Share(percent) => {
                let allowed = u128::from(there) * u128::from(percent.min(100)) / 100;
                u64::try_from(allowed).unwrap_or(there)
            }
            Self::Files(files) => files,
        }
    }
}

impl Default for MaxDelete {
    fn default() -> Self {
        Self::HALF
    }
}

/// The folders whose whole content follows the source. One that has a single file of the source is not
/// among them: what else it has is nobody's business.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ground(Vec<String>);

/// A folder that would lose all it has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Emptied {
    /// It, below the destination; empty for that itself.
    pub folder: String,
    /// The files that it has.
    pub files: u64,
}

/// What is there and not in the source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Surplus {
    names: BTreeSet<String>,
    there: u64,
    /// Directories that are snapshots or mirrors themselves.
    copals: BTreeSet<String>,
}

/// What may be deleted. Nothing else makes one of these than [`Surplus::bounded`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Deletions(Vec<String>);

/// Why nothing is deleted.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// More than a run may delete.
    #[error(
        "the source no longer has {would} of the {there} files that are there, and a run deletes at most {allowed}"
    )]
    TooMany {
        /// What would be deleted.
        would: u64,
        /// What is there.
        there: u64,
        /// What may be.
        allowed: u64,
    },
    /// It is no mirror's file that would be deleted.
    #[error("`{0}` is a snapshot or a mirror of its own")]
    Copals(String),
}

impl Ground {
    /// The folders of a map's directories.
    pub fn of(map: &Map, is_directory: impl Fn(&RelPath) -> bool) -> Self {
        if map.is_whole() {
            return Self(vec![String::new()]);
        }
        let pairs = map.pairs().iter();
        let directories = pairs.filter(|pair| is_directory(&pair.source));
        Self(directories.map(|pair| pair.folder.clone()).collect())
    }

    /// Whether the mirror decides about a file of this name. Copal's own at the destination's top are
    /// none of the source's.
    pub fn has(&self, name: &str) -> bool {
        let own = below(name, COPAL_DIR).is_some() || name == COPAL_DIR;
        !own && self.0.iter().any(|folder| below(name, folder).is_some())
    }

    /// The first folder that has files and is to have none.
    pub fn emptied(&self, there: &[String], wanted: &HashSet<String>) -> Option<Emptied> {
        let in_folder = |name: &str, folder: &str| self.has(name) && below(name, folder).is_some();
        self.0.iter().find_map(|folder| {
            let files = there.iter().filter(|name| in_folder(name, folder)).count();
            let stays = wanted.iter().any(|name| in_folder(name, folder));
            (files > 0 && !stays).then(|| Emptied {
                folder: folder.clone(),
                files: files as u64,
            })
        })
    }

    /// What of `there` is not `wanted`.
    pub fn surplus(&self, there: &[String], wanted: &HashSet<String>) -> Surplus {
        let inside = || there.iter().filter(|name| self.has(name));
        let strange = || inside().filter(|name| !wanted.contains(*name));
        let copals = strange().filter_map(|name| holder_of_copals(name));
        Surplus {
            copals: copals.map(str::to_owned).collect(),
            there: inside().count() as u64,
            names: strange().cloned().collect(),
        }
    }
}

/// The directory that is a snapshot or a mirror, if the name is of one of Copal's own files.
fn holder_of_copals(name: &str) -> Option<&str> {
    let mut at = 0;
    for component in name.split('/') {
        if component == COPAL_DIR {
            return Some(name[..at].trim_end_matches('/'));
        }
        at += component.len() + 1;
    }
    None
}

impl Surplus {
    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Leaves out what stays, for whatever reason.
    pub fn retain(&mut self, mut goes: impl FnMut(&str) -> bool) {
        self.names.retain(|name| goes(name));
    }

    /// All of it, or nothing.
    pub fn bounded(self, most: MaxDelete) -> Result<Deletions, Refused> {
        let within = |name: &str, dir: &str| name == dir || below(name, dir).is_some();
        for dir in &self.copals {
            if self.names.iter().any(|name| within(name, dir)) {
                return Err(Refused::Copals(dir.clone()));
            }
        }
        let (would, allowed) = (self.names.len() as u64, most.of(self.there));
        if would > allowed {
            let there = self.there;
            return Err(Refused::TooMany {
                would,
                there,
                allowed,
            });
        }
        Ok(Deletions(self.names.into_iter().collect()))
    }
}

impl Deletions {
    /// The names below the destination, sorted.
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn set(all: &[&str]) -> HashSet<String> {
        names(all).into_iter().collect()
    }

    fn map(pairs: &[(&str, &str)]) -> Map {
        let mut map = Map::default();
        for (source, folder) in pairs {
            let source = RelPath::new(*source).unwrap();
            map.add(source, (*folder).to_owned()).unwrap();
        }
        map
    }

    /// `uploads` is a directory, and `webui.db` a file.
    fn tutorial() -> Ground {
        let map = map(&[("uploads", "user_uploads"), ("webui.db", "main_database")]);
        Ground::of(&map, |source| source.as_bytes() == b"uploads")
    }

    #[test]
    fn only_what_lies_in_a_mirrored_directorys_folder_is_deleted() {
        let there = names(&[
            "user_uploads/gone",
            "user_uploads/here",
            "main_database/notes.txt",
            "other/x",
            "user_uploads2/x",
            ".copal/manifest.json",
        ]);
        let surplus = tutorial().surplus(&there, &set(&["user_uploads/here"]));
        let deletions = surplus.bounded(MaxDelete::HALF).unwrap();
        assert_eq!(deletions.names(), ["user_uploads/gone"]);
    }

    #[test]
    fn more_than_may_be_deleted_keeps_everything() {
        let there = names(&["user_uploads/a", "user_uploads/b", "user_uploads/c"]);
        let surplus = || tutorial().surplus(&there, &set(&["user_uploads/c"]));
        let refused = surplus().bounded(MaxDelete::HALF).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the source no longer has 2 of the 3 files that are there, and a run deletes at most 1"
        );
        assert!(surplus().bounded(MaxDelete::Files(1)).is_err());
        assert!(surplus().bounded(MaxDelete::Files(2)).is_ok());
        assert!(surplus().bounded(MaxDelete::Share(67)).is_ok());
    }

    #[test]
    fn a_folder_that_would_lose_all_it_has_is_named() {
        let there = names(&["user_uploads/a", "user_uploads/b"]);
        let wanted = set(&["main_database/webui.db"]);
        let emptied = tutorial().emptied(&there, &wanted).unwrap();
        let expected = ("user_uploads".to_owned(), 2);
        assert_eq!((emptied.folder, emptied.files), expected);
        assert_eq!(tutorial().emptied(&[], &wanted), None);
        let wanted = set(&["user_uploads/new"]);
        assert_eq!(tutorial().emptied(&there, &wanted), None);
    }

    #[test]
    fn snapshots_and_mirrors_in_a_folder_are_never_deleted_with_it() {
        let whole = Ground::of(&Map::default(), |_| true);
        let there = names(&[
            ".copal/manifest.json",
            "app/2026-11-24T030000Z/.copal/manifest.json",
            "app/2026-11-24T030000Z/webui.db",
            "a",
            "b",
            "c",
        ]);
        let surplus = whole.surplus(&there, &set(&["a", "b", "c"]));
        let refused = surplus.bounded(MaxDelete::Files(100)).unwrap_err();
        assert_eq!(
            refused,
            Refused::Copals("app/2026-11-24T030000Z".to_owned())
        );
    }

    #[test]
    fn what_a_filter_leaves_out_stays_and_does_not_count() {
        let there = names(&["user_uploads/a", "user_uploads/b", "user_uploads/c"]);
        let mut surplus = tutorial().surplus(&there, &set(&["user_uploads/c"]));
        surplus.retain(|name| name != "user_uploads/a");
        let deletions = surplus.bounded(MaxDelete::Files(1)).unwrap();
        assert_eq!(deletions.names(), ["user_uploads/b"]);
    }

    fn any_name() -> impl Strategy<Value = String> {
        let folders = "(user_uploads|main_database|other|\\.copal|user_uploads/\\.copal)";
        proptest::string::string_regex(&format!("{folders}(/[a-c]){{1,2}}")).unwrap()
    }

    proptest! {
        #[test]
        fn nothing_is_deleted_that_the_source_has_or_that_lies_elsewhere_or_beyond_the_bound(
            there in proptest::collection::hash_set(any_name(), 0..12),
            wanted in proptest::collection::hash_set(any_name(), 0..12),
            whole: bool,
            kept in "[a-c]",
            files in 0_u64..8,
            percent in proptest::option::of(0_u8..=100),
        ) {
            let most = percent.map_or(MaxDelete::Files(files), MaxDelete::Share);
            let ground = if whole { Ground::of(&Map::default(), |_| true) } else { tutorial() };
            let listed: Vec<String> = there.iter().cloned().collect();
            let mut surplus = ground.surplus(&listed, &wanted);
            surplus.retain(|name| !name.ends_with(&kept));
            let inside = there.iter().filter(|name| ground.has(name)).count() as u64;
            if let Ok(deletions) = surplus.bounded(most) {
                prop_assert!(deletions.names().len() as u64 <= most.of(inside));
                for name in deletions.names() {
                    prop_assert!(there.contains(name) && !wanted.contains(name));
                    prop_assert!(whole || name.starts_with("user_uploads/"), "{name}");
                    prop_assert!(!name.split('/').any(|part| part == COPAL_DIR), "{name}");
                    prop_assert!(!name.ends_with(&kept));
                }
            }
        }
    }
}
