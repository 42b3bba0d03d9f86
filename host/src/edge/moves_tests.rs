use std::fs;
use std::os::unix::fs::symlink;

use super::*;

fn source() -> tempfile::TempDir {
    let source = tempfile::tempdir().unwrap();
    for directory in ["a/b/c", "d"] {
        fs::create_dir_all(source.path().join(directory)).unwrap();
    }
    source
}

fn path(path: &str) -> RelPath {
    path.parse().unwrap()
}

fn watch(source: &Path) -> Moves {
    let files = ["a/b/c/file", "d/file", "file"].map(path);
    Moves::on_the_way(source, files.iter())
}

#[test]
fn a_directory_that_was_away_for_a_moment_concerns_the_files_below_it_alone() {
    let source = source();
    let mut moves = watch(source.path());
    let (inside, away) = (source.path().join("a/b"), source.path().join("away"));
    fs::rename(&inside, &away).unwrap();
    symlink("/", &inside).unwrap();
    fs::remove_file(&inside).unwrap();
    fs::rename(&away, &inside).unwrap();
    assert!(moves.concern(&path("a/b/c/file")));
    assert!(!moves.concern(&path("a/file")));
    assert!(!moves.concern(&path("d/file")));
    assert!(!moves.concern(&path("file")));
}

#[test]
fn what_an_app_writes_into_its_directories_concerns_nobody() {
    let source = source();
    let mut moves = watch(source.path());
    for directory in ["a", "a/b", "a/b/c", "d", ""] {
        let file = source.path().join(directory).join("new");
        fs::write(&file, "new").unwrap();
        fs::rename(&file, file.with_extension("renamed")).unwrap();
    }
    for file in ["a/b/c/file", "d/file", "file"] {
        assert!(!moves.concern(&path(file)), "{file}");
    }
}

#[test]
fn a_source_that_was_away_itself_concerns_all() {
    let dir = tempfile::tempdir().unwrap();
    let (source, away) = (dir.path().join("source"), dir.path().join("away"));
    fs::create_dir_all(source.join("d")).unwrap();
    let mut moves = watch(&source);
    fs::rename(&source, &away).unwrap();
    fs::rename(&away, &source).unwrap();
    assert!(moves.concern(&path("d/file")));
}

#[test]
fn a_directory_that_is_away_from_the_beginning_concerns_what_is_below_it() {
    let source = source();
    fs::rename(source.path().join("a"), source.path().join("away")).unwrap();
    let mut moves = watch(source.path());
    assert!(moves.concern(&path("a/b/c/file")));
    assert!(!moves.concern(&path("d/file")));
}
