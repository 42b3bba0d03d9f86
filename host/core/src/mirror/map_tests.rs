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
