//! Whether two destinations would have each other's files, in whatever words they are named.

use super::map::{Map, lies_in};
use crate::manifest::Manifest;

/// A directory at a remote: two are the same place, or lie in each other, only at the same remote.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spot {
    remote: String,
    path: Vec<String>,
    /// Whether names below it are stored as they are.
    is_exact: bool,
}

/// A destination, by all that is known of where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// Where: several for what is known by several names, or lies in several places.
    pub spots: &'a [Spot],
    /// Which folders it has, where it is a mirror.
    pub map: Option<&'a Map>,
    /// The job's name: the directory that has its snapshots.
    pub name: &'a str,
}

impl Spot {
    /// The directory of this path at a remote that is called so.
    pub fn new(remote: impl Into<String>, path: &str) -> Self {
        let mut spot = Self {
            remote: remote.into(),
            path: Vec::new(),
            is_exact: true,
        };
        spot.descend(path);
        spot
    }

    /// One below which names are encrypted, or otherwise stored as other ones.
    #[must_use]
    pub fn inexact(self) -> Self {
        Self {
            is_exact: false,
            ..self
        }
    }

    fn descend(&mut self, path: &str) {
        for name in path.split('/') {
            match name {
                "" | "." => {}
                ".." => drop(self.path.pop()),
                name => self.path.push(name.to_owned()),
            }
        }
    }

    fn below(&self, path: &str) -> Self {
        let mut below = self.clone();
        if self.is_exact {
            below.descend(path);
        }
        below
    }

    fn is_within(&self, other: &Self) -> bool {
        self.remote == other.remote && self.path.starts_with(&other.path)
    }
}

impl Site<'_> {
    /// Whether either is a mirror that would delete what the other has, or both keep their manifest in one
    /// place.
    pub fn clashes_with(&self, other: &Self) -> bool {
        self.takes_from(other) || other.takes_from(self)
    }

    fn takes_from(&self, other: &Self) -> bool {
        let Some(map) = self.map else { return false };
        let grounds = self.exact().flat_map(|spot| {
            let folders = map.folders().into_iter();
            folders.map(|folder| spot.below(folder))
        });
        let grounds: Vec<Spot> = grounds.collect();
        let inside = |place: &Spot| grounds.iter().any(|ground| place.is_within(ground));
        let is_same = |spot: &Spot| other.exact().any(|other| other == spot);
        other.places().iter().any(inside) || other.map.is_some() && self.exact().any(is_same)
    }

    fn exact(&self) -> impl Iterator<Item = &Spot> {
        self.spots.iter().filter(|spot| spot.is_exact)
    }

    /// The directories that it writes to.
    fn places(&self) -> Vec<Spot> {
        let below = self.map.map_or_else(|| vec![self.name], Map::folders);
        let spots = self.spots.iter();
        let places = spots.flat_map(|spot| below.iter().map(|below| spot.below(below)));
        places.collect()
    }
}

/// Whether a mirror has one of these places in its folders, or the other way round. A manifest that does not
/// name its folders tells by its files.
pub fn shares_folders(manifest: &Manifest, places: &[String]) -> bool {
    let share = |place: &String| {
        let mut folders = manifest.folders.iter();
        let holds = folders
            .any(|folder| folder.is_empty() || lies_in(place, folder) || lies_in(folder, place));
        let has_files = || manifest.files().any(|(name, ..)| lies_in(&name, place));
        holds || manifest.folders.is_empty() && has_files()
    };
    places.iter().any(share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::{file, manifest};

    fn mirror(folders: &[&str]) -> Map {
        let mut map = Map::default();
        for (at, folder) in folders.iter().enumerate() {
            let source = format!("part{at}").parse().unwrap();
            map.add(source, (*folder).to_owned()).unwrap();
        }
        map
    }

    /// Whether a mirror of these folders and another one, or snapshots where there is no map, clash.
    fn clash(one: (&Spot, &Map), other: (&Spot, Option<&Map>)) -> bool {
        let one = Site {
            spots: std::slice::from_ref(one.0),
            map: Some(one.1),
            name: "app",
        };
        let other = Site {
            spots: std::slice::from_ref(other.0),
            map: other.1,
            name: "app",
        };
        assert_eq!(one.clashes_with(&other), other.clashes_with(&one));
        one.clashes_with(&other)
    }

    #[test]
    fn one_place_in_other_words_is_one_place() {
        let (x, y) = (mirror(&["x"]), mirror(&["y"]));
        let here = Spot::new("disk", "/mnt/d");
        for path in ["/mnt/d/", "/mnt/./d", "/mnt//d", "/mnt/e/../d"] {
            assert!(clash((&here, &x), (&Spot::new("disk", path), Some(&y))));
        }
        for (remote, path) in [("disk", "/mnt/d2"), ("other", "/mnt/d")] {
            assert!(!clash((&here, &x), (&Spot::new(remote, path), Some(&y))));
        }
    }

    #[test]
    fn nothing_else_lies_in_the_folders_of_a_mirror() {
        let (x, y, whole) = (mirror(&["x"]), mirror(&["y"]), mirror(&[]));
        let at = |path: &str| Spot::new("b2", path);
        assert!(clash((&at("b"), &x), (&at("b/x/deep"), Some(&y))));
        assert!(clash((&at("b"), &x), (&at("b/x"), None)));
        assert!(!clash((&at("b"), &x), (&at("b/z"), Some(&y))));
        assert!(clash((&at("b"), &whole), (&at("b/z"), Some(&y))));
        // Snapshots lie in a directory of the job's name, a mirror beside it disturbs none.
        assert!(!clash((&at("b"), &x), (&at("b"), None)));
        assert!(clash((&at("b"), &mirror(&["app"])), (&at("b"), None)));
    }

    #[test]
    fn a_manifest_tells_which_folders_a_mirror_has() {
        let shares = |folders: &[&str], place: &str| {
            let mut manifest = manifest(vec![file("a", Some("x/a"))]);
            manifest.folders = folders.iter().map(|&it| it.to_owned()).collect();
            shares_folders(&manifest, &[place.to_owned()])
        };
        for place in ["x", "x/deep", "y/deep", "y"] {
            assert!(shares(&["x", "y/deep"], place), "{place}");
            assert!(shares(&[""], place), "{place}");
        }
        assert!(!shares(&["x"], "y") && !shares(&["x"], "x2"));
        assert!(shares(&[], "x") && !shares(&[], "y"));
    }

    #[test]
    fn what_lies_encrypted_in_a_folder_lies_in_it() {
        let whole = mirror(&[]);
        let encrypted = Spot::new("b2", "b/secret").inexact();
        assert!(clash((&Spot::new("b2", "b"), &whole), (&encrypted, None)));
        // Under which name its own folders lie is not known.
        assert!(!clash(
            (&encrypted, &whole),
            (&Spot::new("b2", "b/secret/x"), None)
        ));
    }
}
