//! The same promises of every remote: what was backed up comes back, byte for byte, with modes and times.

use std::fs::{self, File, FileTimes, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use copal_testkit::{Output, Random, tree};

use crate::place::{Kind, Place};

/// A few of everything: names, sizes, modes, times, links.
fn fill(source: &Path) {
    fs::create_dir_all(source.join("names")).unwrap();
    for name in tree::odd_names() {
        fs::write(source.join("names").join(&name), name.as_encoded_bytes()).unwrap();
    }
    // As long as the source's own file system takes, and longer than most remotes do.
    let long = "r".repeat(251);
    fs::create_dir_all(source.join(&long)).unwrap();
    for kind in ["pdf", "txt"] {
        fs::write(source.join(&long).join(format!("{long}.{kind}")), kind).unwrap();
    }
    let deep = source.join(format!("deep{}", "/a directory in it".repeat(60)));
    fs::create_dir_all(&deep).unwrap();
    fs::write(
        deep.join("found"),
        "at the end of a path of more than 1024 bytes",
    )
    .unwrap();
    fs::create_dir_all(source.join("deep/er/still")).unwrap();
    fs::create_dir(source.join("nothing in it")).unwrap();
    fs::write(source.join("empty"), "").unwrap();
    fs::write(source.join("letter.txt"), "Dear reader,\n").unwrap();
    let large = Random::new(3, "large").bytes((12 << 20) + 345);
    fs::write(source.join("deep/er/still/large.bin"), large).unwrap();
    std::os::unix::fs::symlink("../letter.txt", source.join("deep/link")).unwrap();
    for (name, mode) in [("secret", 0o600), ("script", 0o755), ("shared", 0o664)] {
        fs::write(source.join(name), name).unwrap();
        fs::set_permissions(source.join(name), Permissions::from_mode(mode)).unwrap();
    }
    let old = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789);
    let times = FileTimes::new().set_modified(old);
    File::open(source.join("secret"))
        .unwrap()
        .set_times(times)
        .unwrap();
}

/// What an app does between two snapshots.
fn change(source: &Path) {
    fs::write(
        source.join("letter.txt"),
        "Dear readers, there are two of you.\n",
    )
    .unwrap();
    fs::write(source.join("deep/new.txt"), "new").unwrap();
    fs::remove_file(source.join("script")).unwrap();
    fs::rename(source.join("shared"), source.join("moved")).unwrap();
    // The same size at the same place, with another content.
    fs::write(source.join("secret"), "terces").unwrap();
}

#[track_caller]
fn restores_to(place: &Place, id: &str, expected: &Path) {
    let target = format!("restored-{id}");
    let arguments = ["restore", id, "--from", place.to, "--to", &target];
    place.copal(&arguments).succeeds();
    let restored = place.world.path(&target);
    let differences = tree::same_tree(expected, &restored).unwrap();
    assert!(differences.is_empty(), "{id}: {differences:#?}");
}

#[track_caller]
fn keeps_its_promises(kind: Kind, encrypted: bool) {
    let Some(mut place) = Place::new(kind, encrypted) else {
        return;
    };
    let source = place.world.source();
    fill(&source);
    let first = place.back_up();
    let before = place.world.path("before");
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .args([&source, &before])
        .status();
    assert!(copied.unwrap().success());
    change(&source);
    let second = place.back_up();

    let listed = place.copal(&["snapshots", "--from", place.to]);
    let listed = listed.succeeds().stdout().to_owned();
    assert!(
        listed.contains(&first) && listed.contains(&second),
        "{listed}"
    );
    for id in [&first, &second] {
        place
            .copal(&["verify", id, "--full", "--from", place.to])
            .succeeds();
    }
    restores_to(&place, &first, &before);
    restores_to(&place, &second, &source);
    assert_eq!(place.unfinished(), [""; 0]);
    if encrypted {
        let stored = place.stored();
        let bare = stored
            .iter()
            .find(|name| name.contains("letter") || name.contains("manifest"));
        assert_eq!(bare, None, "a name in clear");
    }

    if let Some(said) = place.spoil_key() {
        fails(&place.try_back_up()).exits_with(1).says(said);
        fails(&place.copal(&["snapshots", "--from", place.to])).exits_with(1);
    }
    place.make_unreadable();
    fails(&place.try_back_up()).exits_with(1);
    fails(&place.copal(&["snapshots", "--from", place.to]));
    place.keeps_its_secrets();
}

/// Told in three parts.
#[track_caller]
fn fails(output: &Output) -> &Output {
    assert_ne!(output.code(), Some(0), "{output}");
    output.says("error: ").says(" next: ")
}

#[test]
fn a_folder_keeps_its_promises() {
    keeps_its_promises(Kind::Folder, false);
}

#[test]
fn an_encrypted_folder_keeps_its_promises() {
    keeps_its_promises(Kind::Folder, true);
}

#[test]
fn b2_keeps_its_promises() {
    keeps_its_promises(Kind::B2, false);
}

#[test]
fn b2_encrypted_keeps_its_promises() {
    keeps_its_promises(Kind::B2, true);
}

#[test]
fn s3_keeps_its_promises() {
    keeps_its_promises(Kind::S3, false);
}

#[test]
fn s3_encrypted_keeps_its_promises() {
    keeps_its_promises(Kind::S3, true);
}
