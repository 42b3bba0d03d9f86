use std::os::unix::fs::symlink;

use super::*;

#[test]
fn frozen_files_lie_beside_the_source_or_in_it() {
    let places = places(Path::new("/opt/app"), "web");
    let expected = ["/opt/.copal-staging-web", "/opt/app/.copal-staging-web"];
    assert_eq!(places, expected.map(PathBuf::from));
    assert!(is_own_name(places[0].file_name().unwrap()));
}

#[test]
fn a_link_in_the_place_of_the_directory_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (theirs, place) = (
        dir.path().join("theirs"),
        dir.path().join(".copal-staging-a"),
    );
    fs::create_dir_all(theirs.join("run-1")).unwrap();
    symlink(&theirs, &place).unwrap();
    remove_leftovers(std::slice::from_ref(&place)).unwrap();
    assert!(FrozenDir::create(&place, "2", [], &Leftovers::default()).is_err());
    assert!(theirs.join("run-1").exists());
}

#[test]
fn asking_whether_files_can_be_cloned_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "content").unwrap();
    let _either = hinders_reflink(&file, &dir.path().join("not/there"));
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
    hinders_link(dir.path(), &dir.path().join("not/there")).unwrap();
    let elsewhere = hinders_link(dir.path(), Path::new("/proc")).unwrap_err();
    assert_eq!(elsewhere, "`/proc` lies on another file system");
}
