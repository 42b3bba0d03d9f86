use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use super::*;

fn aspects(a: &Path, b: &Path) -> Vec<String> {
    let differences = same_tree(a, b).unwrap();
    differences.iter().map(ToString::to_string).collect()
}

#[test]
fn a_faithful_copy_of_the_odd_tree_is_the_same() {
    let temp = tempfile::tempdir().unwrap();
    let (a, b) = (temp.path().join("a"), temp.path().join("b"));
    make_odd(&a).unwrap();
    let copied = Command::new("cp")
        .arg("-a")
        .arg(&a)
        .arg(&b)
        .status()
        .unwrap();
    assert!(copied.success());
    assert_eq!(aspects(&a, &b), [""; 0]);
    release(&a);
    release(&b);
}

/// Lets whoever is not root delete the directories without write permission.
fn release(tree: &Path) {
    for mode in ["0500", "0555"] {
        let path = tree.join(format!("modes/directory {mode}"));
        fs::set_permissions(path, Permissions::from_mode(0o700)).unwrap();
    }
}

#[test]
fn every_difference_is_named_with_its_path() {
    let temp = tempfile::tempdir().unwrap();
    let (a, b) = (temp.path().join("a"), temp.path().join("b"));
    for tree in [&a, &b] {
        fs::create_dir_all(tree.join("both")).unwrap();
        fs::write(tree.join("both/text"), "the same").unwrap();
        symlink("there", tree.join("link")).unwrap();
        fs::write(tree.join("kind"), "").unwrap();
    }
    fs::write(a.join("only in a"), "").unwrap();
    fs::write(b.join("only in b"), "").unwrap();
    fs::write(b.join("both/text"), "not same").unwrap();
    fs::set_permissions(b.join("both/text"), Permissions::from_mode(0o600)).unwrap();
    fs::remove_file(b.join("link")).unwrap();
    symlink("elsewhere", b.join("link")).unwrap();
    fs::remove_file(b.join("kind")).unwrap();
    fs::create_dir(b.join("kind")).unwrap();
    let found: Vec<_> = same_tree(&a, &b).unwrap();
    let found: Vec<_> = found
        .iter()
        .filter(|d| d.aspect != Aspect::Mtime)
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        found,
        [
            "both/text: Content",
            "both/text: Mode",
            "kind: Type",
            "link: Target",
            "only in a: Missing",
            "only in b: Added",
        ]
    );
}

#[test]
fn a_nanosecond_is_a_difference() {
    let temp = tempfile::tempdir().unwrap();
    let (a, b) = (temp.path().join("a"), temp.path().join("b"));
    for (tree, nanoseconds) in [(&a, 1), (&b, 2)] {
        fs::create_dir(tree).unwrap();
        let file = fs::File::create(tree.join("file")).unwrap();
        let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::new(9, nanoseconds);
        file.set_modified(time).unwrap();
    }
    assert_eq!(aspects(&a, &b), ["file: Mtime"]);
}
