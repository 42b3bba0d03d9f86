use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use super::*;

/// A source with `d/a.txt`, and beside it another directory with a file of that name.
fn world() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (directory, content) in [("source/d", "inside"), ("outside", "secret")] {
        fs::create_dir_all(dir.path().join(directory)).unwrap();
        fs::write(dir.path().join(directory).join("a.txt"), content).unwrap();
    }
    dir
}

#[test]
fn a_link_in_the_place_of_a_directory_leads_nowhere() {
    let world = world();
    let source = world.path().join("source");
    let path: RelPath = "d/a.txt".parse().unwrap();
    let file = Beneath::of(&source, &path);
    let inside = io::read_to_string(file.open_regular().unwrap()).unwrap();
    assert_eq!(inside, "inside");
    assert_eq!(file.metadata().unwrap().len(), 6);

    fs::rename(source.join("d"), source.join("e")).unwrap();
    for target in ["../outside", "e"] {
        symlink(target, source.join("d")).unwrap();
        let gone = [
            file.open_regular().map(drop),
            file.metadata().map(drop),
            file.parent().map(drop),
        ];
        for gone in gone {
            assert_eq!(gone.unwrap_err().kind(), io::ErrorKind::NotFound);
        }
        fs::remove_file(source.join("d")).unwrap();
    }
}

#[test]
fn a_kernel_that_resolves_nothing_beneath_is_asked_for_each_step() {
    let world = world();
    let open = |path: &str| {
        let top = File::open(world.path()).unwrap();
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        step_by_step(top.as_fd(), Path::new(path), flags).map(File::from)
    };
    let inside = io::read_to_string(open("source/d/a.txt").unwrap()).unwrap();
    assert_eq!(inside, "inside");
    symlink("../outside", world.path().join("source/link")).unwrap();
    symlink("a.txt", world.path().join("source/d/link")).unwrap();
    for refused in [
        "source/link/a.txt",
        "source/d/link",
        "source/../outside/a.txt",
    ] {
        let error = open(refused).unwrap_err();
        let expected = [Errno::LOOP, Errno::NOTDIR, Errno::XDEV];
        assert!(expected.contains(&error), "{refused}: {error}");
    }
}

#[test]
fn below_a_top_that_is_held_nothing_is_opened_elsewhere_whatever_takes_its_place() {
    let world = world();
    let source = world.path().join("source");
    let top = Top::hold(&source).unwrap();
    let path: RelPath = "d/a.txt".parse().unwrap();
    fs::rename(&source, world.path().join("away")).unwrap();
    fs::create_dir_all(source.join("d")).unwrap();
    fs::write(source.join("d/a.txt"), "another").unwrap();
    let file = Beneath::of(&top, &path);
    assert_eq!(
        io::read_to_string(file.open_regular().unwrap()).unwrap(),
        "inside"
    );
    assert_eq!(file.metadata().unwrap().len(), 6);
    let listed = Beneath::below(&top, Path::new(""))
        .open_directory()
        .unwrap();
    let away = fs::metadata(world.path().join("away")).unwrap();
    assert_eq!(listed.metadata().unwrap().ino(), away.ino());
    // By its path alone it is the other one.
    let by_path = Beneath::of(&source, &path).open_regular().unwrap();
    assert_eq!(io::read_to_string(by_path).unwrap(), "another");
}
