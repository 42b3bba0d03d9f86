use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use super::*;
use crate::edge::interrupt::Signal;

const OLD: &str = "app/1";
const NEW: &str = "app/2";

fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in files {
        let file = folder.path().join(OLD).join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, name).unwrap();
    }
    folder
}

fn link(folder: &Path, names: &[&str]) -> Linked {
    let same: Vec<String> = names.iter().map(ToString::to_string).collect();
    let files = Within {
        from: OLD,
        to: NEW,
        same: &same,
        renamed: &[("a".to_owned(), "deep/below/b".to_owned())],
    };
    link_within(folder, files, &Interrupt::default()).unwrap()
}

fn inode(file: &Path) -> u64 {
    fs::symlink_metadata(file).unwrap().ino()
}

#[test]
fn files_get_second_names_and_the_directories_for_them() {
    let names = ["a", "b", "d/a", "d/e/a", "d/e/b", "z"];
    let folder = folder(&names);
    let linked = link(folder.path(), &names);
    assert_eq!(linked.left, [""; 0]);
    let (old, new) = (folder.path().join(OLD), folder.path().join(NEW));
    for name in names {
        assert_eq!(inode(&old.join(name)), inode(&new.join(name)), "{name}");
    }
    assert_eq!(inode(&old.join("a")), inode(&new.join("deep/below/b")));
}

#[test]
fn what_is_gone_or_no_file_is_left_and_is_no_trouble() {
    let folder = folder(&["a"]);
    let old = folder.path().join(OLD);
    fs::write(folder.path().join("secret"), "").unwrap();
    symlink("../../secret", old.join("link")).unwrap();
    fs::create_dir(old.join("directory")).unwrap();
    let linked = link(folder.path(), &["a", "gone", "gone/too", "link"]);
    assert_eq!(linked.left, ["gone", "gone/too", "link"]);
    assert!(linked.why.is_none(), "{linked:?}");
    let new = folder.path().join(NEW);
    assert!(fs::symlink_metadata(new.join("link")).is_err());
    assert!(new.join("a").is_file());
}

#[test]
fn no_symbolic_link_leads_out_of_the_folder_on_either_side() {
    let folder = folder(&["a"]);
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("theirs"), "theirs").unwrap();
    let (old, new) = (folder.path().join(OLD), folder.path().join(NEW));
    symlink(outside.path(), old.join("way")).unwrap();
    fs::create_dir(&new).unwrap();
    symlink(outside.path(), new.join("deep")).unwrap();
    let linked = link(folder.path(), &["way/theirs"]);
    assert_eq!(linked.left, ["way/theirs", "deep/below/b"]);
    let there = fs::read_dir(outside.path()).unwrap().count();
    assert_eq!(there, 1);
    assert_eq!(
        fs::metadata(outside.path().join("theirs")).unwrap().nlink(),
        1
    );
}

#[test]
fn what_lies_there_already_is_left_as_it_is_and_told() {
    let folder = folder(&["a"]);
    let new = folder.path().join(NEW);
    fs::create_dir(&new).unwrap();
    fs::write(new.join("a"), "somebody's").unwrap();
    let linked = link(folder.path(), &["a"]);
    assert_eq!((&linked.left[..], linked.unfit), (&["a".to_owned()][..], 1));
    assert_eq!(fs::read_to_string(new.join("a")).unwrap(), "somebody's");
}

#[test]
fn a_file_with_as_many_names_as_the_file_system_knows_is_left_and_the_others_are_linked() {
    /// ext4 knows 65,000.
    const ENOUGH: usize = 65_000;
    let folder = folder(&["a", "b"]);
    let names = folder.path().join("names");
    fs::create_dir(&names).unwrap();
    let full = folder.path().join(OLD).join("b");
    let mut more = (0..ENOUGH).map(|n| fs::hard_link(&full, names.join(n.to_string())));
    if more.all(|made| made.is_ok()) {
        return;
    }
    let linked = link(folder.path(), &["a", "b"]);
    assert_eq!(linked.left, ["b"]);
    let why = linked.why.unwrap();
    assert_eq!(Errno::from_io_error(&why), Some(Errno::MLINK));
    assert!(folder.path().join(NEW).join("a").is_file());
}

#[test]
fn many_files_are_linked_on_every_core_and_what_is_left_is_told_in_their_order() {
    let all: Vec<String> = (0..600).map(|n| format!("{}/{n:03}", n / 50)).collect();
    let mut names: Vec<&str> = all.iter().map(String::as_str).collect();
    names.push("a");
    let folder = folder(&names);
    let gone = ["0/007", "5/299", "11/599"];
    for name in gone {
        fs::remove_file(folder.path().join(OLD).join(name)).unwrap();
    }
    let linked = link(folder.path(), &names);
    assert_eq!(linked.left, gone);
    let (old, new) = (folder.path().join(OLD), folder.path().join(NEW));
    for name in names.into_iter().filter(|name| !gone.contains(name)) {
        assert_eq!(inode(&old.join(name)), inode(&new.join(name)), "{name}");
    }
}

#[test]
fn no_name_leads_out_of_the_snapshot() {
    let folder = folder(&["a", "../2000/theirs"]);
    let outside = folder.path().join("app/2000");
    let names = ["../2000/theirs", "/etc/passwd", "..", ""];
    let linked = link(folder.path(), &names);
    assert_eq!(linked.left, names);
    assert_eq!(fs::metadata(outside.join("theirs")).unwrap().nlink(), 1);
    assert_eq!(fs::read_dir(folder.path().join(NEW)).unwrap().count(), 1);
}

#[test]
fn a_snapshot_that_is_gone_is_nothing_to_link_to_and_one_behind_a_symbolic_link_is_an_error() {
    let folder = folder(&["a"]);
    let (old, away) = (folder.path().join(OLD), folder.path().join("away"));
    fs::rename(&old, &away).unwrap();
    let linked = link(folder.path(), &["a"]);
    assert_eq!(linked.left, ["a", "deep/below/b"]);
    assert!(linked.why.is_none(), "{linked:?}");
    symlink("../away", &old).unwrap();
    let files = Within {
        from: OLD,
        to: NEW,
        same: &["a".to_owned()],
        renamed: &[],
    };
    let error = link_within(folder.path(), files, &Interrupt::default()).unwrap_err();
    assert!(error.to_string().contains("a link or a file"), "{error}");
    assert!(!folder.path().join(NEW).exists());
}

#[test]
fn what_belongs_to_another_user_is_no_longer_linked_and_told() {
    let folder = folder(&["a", "b"]);
    let theirs = folder.path().join(OLD).join("b");
    if std::os::unix::fs::chown(&theirs, Some(1234), None).is_err() {
        return;
    }
    let linked = link(folder.path(), &["a", "b"]);
    assert_eq!((&linked.left[..], linked.unfit), (&["b".to_owned()][..], 1));
    let why = linked.why.unwrap().to_string();
    assert!(why.starts_with("it belongs to the user 1234"), "{why}");
    assert_eq!(fs::metadata(&theirs).unwrap().nlink(), 1);
    assert!(!folder.path().join(NEW).join("b").exists());
}

#[test]
fn a_signal_ends_it() {
    let folder = folder(&["a"]);
    let interrupt = Interrupt::default();
    interrupt.raise(Signal::Terminate);
    let files = Within {
        from: OLD,
        to: NEW,
        same: &["a".to_owned()],
        renamed: &[],
    };
    let linked = link_within(folder.path(), files, &interrupt).unwrap();
    assert_eq!(linked.left, ["a"]);
    assert!(!folder.path().join(NEW).exists());
}
