//! Whatever happens to a snapshot at its destination, `verify` tells it by name.

use std::fs::{self, File, FileTimes};
use std::path::Path;

use copal_testkit::{Output, World};

use crate::common::{back_up, folder, redate, small_world};

const OTHER: &str = "2001-02-03T040506Z";

#[track_caller]
fn verify(world: &World, arguments: &[&str]) -> Output {
    let all = [&["verify", "--from", "vault:"], arguments].concat();
    world.copal(&all)
}

/// Changes a byte and leaves size and time as they were.
fn change(file: &Path) {
    let time = fs::metadata(file).unwrap().modified().unwrap();
    let mut bytes = fs::read(file).unwrap();
    bytes[0] ^= 1;
    fs::write(file, bytes).unwrap();
    let times = FileTimes::new().set_modified(time);
    let opened = File::options().write(true).open(file).unwrap();
    opened.set_times(times).unwrap();
}

/// Done to a file of a snapshot, or to a place where there is none.
type Damage<'a> = &'a dyn Fn(&Path);

#[test]
fn every_damage_is_named_and_tells_what_it_is() {
    let shorten = |file: &Path| fs::write(file, "Dear").unwrap();
    let remove = |file: &Path| fs::remove_file(file).unwrap();
    let add = |file: &Path| fs::write(file, "").unwrap();
    let damages: [(&str, Damage<'_>, &str); 6] = [
        ("letter.txt", &shorten, "4 bytes instead of 13"),
        ("notes/first.txt", &change, "another hash"),
        ("notes/second.txt", &remove, "is missing"),
        ("stranger", &add, "is not from this run"),
        (".copal/SHA256SUMS", &change, "another hash"),
        (".copal/SHA256SUMS", &remove, "is missing"),
    ];
    for (name, damage, what) in damages {
        let world = small_world();
        let id = back_up(&world);
        for arguments in [&[][..], &["--full"]] {
            verify(&world, arguments).succeeds();
        }
        damage(&folder(&world, &id).join(name));
        for arguments in [&[][..], &["--full"]] {
            let output = verify(&world, arguments);
            output.exits_with(1).says(&format!("`{name}`")).says(what);
            output.says(&id).says(" next: ");
            assert_eq!(output.stdout(), "", "{output}");
        }
    }
}

#[test]
fn several_damages_are_told_at_once() {
    let world = small_world();
    let id = back_up(&world);
    let folder = folder(&world, &id);
    fs::write(folder.join("letter.txt"), "Dear").unwrap();
    change(&folder.join("notes/first.txt"));
    fs::remove_file(folder.join("notes/second.txt")).unwrap();
    fs::write(folder.join("notes/stranger"), "").unwrap();
    for arguments in [&["--json"][..], &["--json", "--full"]] {
        let output = verify(&world, arguments);
        output.exits_with(1);
        let json = output.json();
        assert_eq!(json["sound"], false);
        assert_eq!(json["differences"].as_array().unwrap().len(), 4, "{output}");
    }
}

#[test]
fn a_manifest_that_can_not_be_trusted_is_named_and_the_others_are_listed() {
    let world = small_world();
    let id = back_up(&world);
    redate(&world, &id, OTHER);
    let manifest = folder(&world, OTHER).join(".copal/manifest.json");
    let sound = fs::read_to_string(&manifest).unwrap();
    for (damaged, why) in [
        (sound[..sound.len() / 2].to_owned(), "EOF"),
        (String::new(), "EOF"),
        ("\0\u{fffd}".repeat(1000), "expected value"),
        // The manifest of another snapshot.
        (
            sound.replace(OTHER, "2001-02-03T040507Z"),
            "it is the manifest of",
        ),
        (
            sound.replacen("letter.txt", "../letter.txt", 1),
            "../letter.txt",
        ),
    ] {
        fs::write(&manifest, damaged).unwrap();
        let listed = world.copal(&["snapshots", "--from", "vault:"]);
        listed.exits_with(1);
        assert!(
            listed
                .stdout()
                .contains(&format!("source/{OTHER}  damaged"))
        );
        assert!(listed.stdout().contains(why), "{why}: {listed}");
        assert!(listed.stdout().contains(&format!("source/{id}  ")));
        for command in [
            &["verify", OTHER][..],
            &["ls", OTHER],
            &["restore", OTHER, "--to", "out"],
        ] {
            let refused = world.copal(&[command, &["--from", "vault:"]].concat());
            refused.exits_with(1).says(OTHER).says(why).says(" next: ");
            assert_eq!(refused.stdout(), "");
        }
        assert!(!world.path("out").exists());
        world.copal(&["verify", &id, "--from", "vault:"]).succeeds();
    }
}

#[test]
fn a_damaged_last_manifest_keeps_nobody_from_a_new_snapshot_and_is_told() {
    let world = small_world();
    let id = back_up(&world);
    fs::write(folder(&world, &id).join(".copal/manifest.json"), "{").unwrap();
    let next = world.copal(&["backup", "--source", "source", "--to", "vault:"]);
    next.exits_with(3).says(&id).says("is damaged");
    assert!(next.stdout().starts_with("sealed "), "{next}");
    verify(&world, &["latest"]).succeeds();
}

#[test]
fn what_is_not_sealed_is_no_snapshot() {
    let world = small_world();
    let id = back_up(&world);
    redate(&world, &id, OTHER);
    fs::remove_file(folder(&world, &id).join(".copal/manifest.json")).unwrap();
    let listed = world.copal(&["snapshots", "--from", "vault:"]);
    assert!(!listed.succeeds().stdout().contains(&id), "{listed}");
    let latest = verify(&world, &["latest", "--json"]);
    assert_eq!(latest.succeeds().json()["snapshot"], OTHER);
    verify(&world, &[&id]).exits_with(2).says(&id);
}
