//! What stands in the way of a file, where a remote has real directories: a file where a directory has to be,
//! a directory where a file has to be, and a name that differs by case alone.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::BuildHasher;

use super::map::lies_in;

/// Why something is in the way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Clash {
    /// One is a file, and the other a directory.
    Kind,
    /// They are one name where case makes no difference. Elsewhere it is none.
    Case,
}

/// What stands in the way of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InTheWay {
    /// A file or a directory that is there.
    pub there: String,
    /// What has to take its name.
    pub instead: String,
    /// A file that has to go there, and can't.
    pub wanted: String,
    /// Why.
    pub clash: Clash,
    /// The files that it is or has.
    pub files: Vec<String>,
    /// The directories that it is or has, what is in one before it.
    pub directories: Vec<String>,
}

/// What is in the way of the files that are `wanted`, where these `files` and `directories` are there. All
/// directories are told, also those of the files.
pub fn in_the_way<S: BuildHasher>(
    wanted: &HashSet<String, S>,
    files: &[String],
    directories: &[String],
) -> Vec<InTheWay> {
    let are_files: HashSet<&str> = files.iter().map(String::as_str).collect();
    let are_directories: HashSet<&str> = directories.iter().map(String::as_str).collect();
    let mut clashes: BTreeMap<&str, (&str, &str, Clash)> = BTreeMap::new();
    // By their names without case: what is not there under its own name, for which file.
    let mut lacking: HashMap<String, (&str, &str)> = HashMap::new();
    let new: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
    for name in new.into_iter().filter(|name| !are_files.contains(name)) {
        if are_directories.contains(name) {
            clashes.insert(name, (name, name, Clash::Kind));
            continue;
        }
        for above in from_the_top(name) {
            if above != name && are_files.contains(above) {
                clashes.insert(above, (above, name, Clash::Kind));
                break;
            }
            if !are_directories.contains(above) {
                let folded = above.to_lowercase();
                lacking.entry(folded).or_insert((above, name));
                break;
            }
        }
    }
    if !lacking.is_empty() {
        for there in files.iter().chain(directories) {
            if let Some((instead, name)) = lacking.get(&there.to_lowercase()) {
                let clash = (*instead, *name, Clash::Case);
                clashes.entry(there).or_insert(clash);
            }
        }
    }
    let within = |there: &str, names: &[String]| -> Vec<String> {
        let names = names.iter().filter(|name| lies_in(name, there));
        names.cloned().collect()
    };
    let clashes = clashes.into_iter();
    let told = clashes.map(|(there, (instead, wanted, clash))| {
        let mut directories = within(there, directories);
        directories.sort_by_key(|name| std::cmp::Reverse(name.len()));
        InTheWay {
            there: there.to_owned(),
            instead: instead.to_owned(),
            wanted: wanted.to_owned(),
            clash,
            files: within(there, files),
            directories,
        }
    });
    told.collect()
}

/// The first directory of a name, the one below it, …, the name.
fn from_the_top(name: &str) -> impl Iterator<Item = &str> {
    let slashes = name.match_indices('/');
    let above = slashes.map(|(at, _)| &name[..at]);
    above.chain(std::iter::once(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn way(wanted: &[&str], files: &[&str], directories: &[&str]) -> Vec<InTheWay> {
        let wanted: HashSet<String> = names(wanted).into_iter().collect();
        in_the_way(&wanted, &names(files), &names(directories))
    }

    #[test]
    fn a_file_is_in_the_way_of_what_lies_below_its_name() {
        let way = way(&["up/y/z", "up/y/a/b"], &["up/y", "up/yy"], &["up"]);
        let [only] = &way[..] else { panic!("{way:?}") };
        assert_eq!((&*only.there, only.clash), ("up/y", Clash::Kind));
        assert_eq!(only.files, ["up/y"]);
        assert_eq!(only.directories, [""; 0]);
    }

    #[test]
    fn a_directory_is_in_the_way_of_a_file_with_all_that_is_in_it() {
        let directories = ["up", "up/x", "up/x/empty", "up/xx"];
        let way = way(&["up/x"], &["up/x/a", "up/xx/b"], &directories);
        let [only] = &way[..] else { panic!("{way:?}") };
        assert_eq!((&*only.there, &*only.wanted), ("up/x", "up/x"));
        assert_eq!(only.files, ["up/x/a"]);
        assert_eq!(only.directories, ["up/x/empty", "up/x"]);
    }

    #[test]
    fn a_name_that_differs_by_case_alone_is_in_the_way_from_its_first_component_that_does() {
        let files = ["up/Report.txt", "up/Docs/a", "up/Docs/b", "up/same"];
        let wanted = ["up/report.txt", "up/docs/c", "up/same"];
        let way = way(&wanted, &files, &["up", "up/Docs"]);
        let told = way.iter().map(|it| (&*it.there, &*it.instead, it.clash));
        let expected = [
            ("up/Docs", "up/docs", Clash::Case),
            ("up/Report.txt", "up/report.txt", Clash::Case),
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
        assert_eq!(way[0].files, ["up/Docs/a", "up/Docs/b"]);
    }

    #[test]
    fn nothing_is_in_the_way_of_what_is_there_or_has_a_name_of_its_own() {
        let files = ["up/a", "up/b/c", "Up2/x"];
        let directories = ["up", "up/b", "up/empty", "Up2"];
        assert_eq!(way(&["up/a", "up/d", "up/b/e"], &files, &directories), []);
        assert_eq!(way(&["up/a"], &[], &[]), []);
    }

    #[test]
    fn a_file_is_in_the_way_as_such_also_where_another_name_differs_by_case() {
        let way = way(&["up/Y/z", "up/y"], &["up/Y"], &["up"]);
        let [only] = &way[..] else { panic!("{way:?}") };
        assert_eq!((&*only.there, only.clash), ("up/Y", Clash::Kind));
    }

    fn any_name() -> impl Strategy<Value = String> {
        proptest::string::string_regex("[abA](/[abA]){0,2}").unwrap()
    }

    proptest! {
        #[test]
        fn without_what_is_in_the_way_every_file_has_its_place(
            wanted in proptest::collection::hash_set(any_name(), 0..8),
            files in proptest::collection::btree_set(any_name(), 0..8),
        ) {
            // Of a source and of a remote alike, no file has anything below it.
            let tops = |names: Vec<String>| -> Vec<String> {
                let has_above = |name: &String| names.iter().any(|it| it != name && lies_in(name, it));
                names.iter().filter(|name| !has_above(name)).cloned().collect()
            };
            let wanted: HashSet<String> = tops(wanted.into_iter().collect()).into_iter().collect();
            let files = tops(files.into_iter().collect());
            let above = files.iter().flat_map(|name| from_the_top(name).filter(move |it| it != name));
            let directories: BTreeSet<String> = above.map(str::to_owned).collect();
            let directories: Vec<String> = directories.into_iter().collect();
            let way = in_the_way(&wanted, &files, &directories);
            let kinds = || way.iter().filter(|it| it.clash == Clash::Kind);
            let stays = |name: &&String| !kinds().any(|it| it.files.contains(*name));
            for name in &wanted {
                for there in files.iter().filter(stays) {
                    let clash = there != name && (lies_in(name, there) || lies_in(there, name));
                    prop_assert!(!clash, "{there} is in the way of {name}");
                }
            }
            for clash in kinds() {
                prop_assert!(clash.files.iter().all(|name| !wanted.contains(name)));
            }
        }
    }
}
