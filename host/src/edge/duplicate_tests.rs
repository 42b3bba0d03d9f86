use std::os::unix::fs::{FileExt, MetadataExt, symlink};

use super::*;

type Made = Result<Duplicate, Failed>;

fn beneath(path: &Path) -> Beneath<'_> {
    let name = path.file_name().and_then(std::ffi::OsStr::to_str).unwrap();
    Beneath::stored(path.parent().unwrap(), name)
}

fn copy(from: &Path, to: &Path) -> Made {
    super::copy(beneath(from), to, &Interrupt::default())
}

fn link(from: &Path, to: &Path) -> Made {
    super::link(beneath(from), to)
}

fn reflink(from: &Path, to: &Path) -> Made {
    super::reflink(beneath(from), to)
}

fn world() -> (tempfile::TempDir, std::path::PathBuf, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    (dir, from, to)
}

#[test]
fn a_copy_keeps_content_and_holes_and_is_nobody_elses() {
    const MIB: u64 = 1024 * 1024;
    let (_dir, from, to) = world();
    let sparse = File::create(&from).unwrap();
    sparse.set_len(64 * MIB).unwrap();
    sparse.write_all_at(b"middle", 32 * MIB + 7).unwrap();
    assert!(matches!(copy(&from, &to), Ok(Duplicate::Made(_))));
    assert!(fs::read(&from).unwrap() == fs::read(&to).unwrap());
    let copied = fs::metadata(&to).unwrap();
    assert!(copied.blocks() * 512 < MIB, "{} blocks", copied.blocks());
    assert_eq!(copied.mode() & 0o777, 0o600);
}

#[test]
fn a_linked_file_is_the_same_and_an_existing_name_is_never_touched() {
    let (_dir, from, to) = world();
    fs::write(&from, "live").unwrap();
    let Ok(Duplicate::Made(linked)) = link(&from, &to) else {
        panic!("linked")
    };
    assert_eq!(linked.ino(), fs::metadata(&from).unwrap().ino());
    for refused in [copy(&from, &to), reflink(&from, &to)] {
        assert!(matches!(refused, Err(Failed::Writing(_))), "{refused:?}");
    }
    assert!(matches!(link(&from, &to), Ok(Duplicate::Unfit(_))));
    assert_eq!(fs::read_to_string(&from).unwrap(), "live");
}

#[test]
fn what_is_gone_or_no_file_any_more_has_no_duplicate() {
    for way in [copy, link, reflink] {
        let (dir, from, to) = world();
        assert!(matches!(way(&from, &to), Ok(Duplicate::Gone)));
        symlink("/etc/hostname", &from).unwrap();
        let of_a_link = way(&from, &to);
        // A symbolic link is never followed.
        assert!(
            !matches!(of_a_link, Ok(Duplicate::Made(_))),
            "{of_a_link:?}"
        );
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
    }
}

#[test]
fn a_directory_that_became_a_link_has_no_files_to_duplicate() {
    let dir = tempfile::tempdir().unwrap();
    let (source, to) = (dir.path().join("source"), dir.path().join("to"));
    fs::create_dir_all(dir.path().join("outside")).unwrap();
    fs::create_dir_all(&source).unwrap();
    fs::write(dir.path().join("outside/a.txt"), "secret").unwrap();
    symlink("../outside", source.join("d")).unwrap();
    let file = Beneath::stored(&source, "d/a.txt");
    let interrupt = Interrupt::default();
    for gone in [
        super::link(file, &to),
        super::reflink(file, &to),
        super::copy(file, &to, &interrupt),
    ] {
        assert!(matches!(gone, Ok(Duplicate::Gone)), "{gone:?}");
        assert!(!to.exists());
    }
}
