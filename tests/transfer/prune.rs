//! That what is pruned is really gone, wherever it lay.

use std::time::Duration;

use copal_b2_server::{Call, Fault, Often, Order, Refusal};
use copal_testkit::wait_until;
use rustix::process::Signal;
use serde_json::json;

use crate::cloud::{BUCKET, Cloud, SMALL_PARTS};
use crate::place::{Kind, Place};

const PATIENCE: Duration = Duration::from_mins(1);

fn config(place: &str) -> String {
    format!(
        "name = 'source'\nsource.path = 'source'\n[retention]\nlast = 1\n[[destination]]\nremote = '{place}'\n"
    )
}

/// Three backups between which files come, change and go.
#[track_caller]
fn prunes(kind: Kind, encrypted: bool) -> Option<Place> {
    let place = Place::new(kind, encrypted)?;
    place.world.write("copal.toml", config(place.to));
    place.world.write("source/letter.txt", "Dear reader,\n");
    place.world.write("source/odd %41 + name", "odd");
    place.world.write("source/deep/er/file.txt", "deep");
    let mut newest = String::new();
    for n in 0..3 {
        place
            .world
            .write(format!("source/of-{n}.txt"), format!("{n}"));
        let json = place.copal(&["backup", "--json"]).succeeds().json();
        let one = &json["destinations"][0];
        let told = &one["pruned"]["snapshots"];
        assert_eq!(
            told.as_array().map(Vec::len),
            Some(if n == 0 { 1 } else { 2 }),
            "{json:#}"
        );
        one["snapshot"].as_str().unwrap().clone_into(&mut newest);
    }
    let listed = place.copal(&["snapshots", "--json"]).succeeds().json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed:#}");
    assert_eq!(listed[0]["snapshot"], newest.as_str());
    place.copal(&["verify", "--full"]).succeeds();
    if !encrypted {
        let strangers = place
            .stored()
            .into_iter()
            .filter(|name| !name.contains(&newest));
        assert_eq!(strangers.collect::<Vec<_>>(), [""; 0]);
    }
    Some(place)
}

#[test]
fn of_what_is_pruned_from_a_folder_not_even_a_directory_is_left() {
    let place = prunes(Kind::Folder, false).unwrap();
    let names = std::fs::read_dir(place.world.vault().join("backups/source")).unwrap();
    assert_eq!(names.count(), 1);
}

#[test]
fn what_is_pruned_from_an_encrypted_folder_is_gone() {
    prunes(Kind::Folder, true);
}

#[test]
fn what_is_pruned_from_s3_is_gone() {
    prunes(Kind::S3, false);
}

#[test]
fn what_is_pruned_from_s3_encrypted_is_gone() {
    prunes(Kind::S3, true);
}

/// That every version of all files is one that shows, but for the newest snapshot's withdrawn claim.
#[track_caller]
fn has_no_old_version(place: &Place) {
    let (shown, versions) = place.b2_versions();
    let old: Vec<_> = versions
        .iter()
        .filter(|name| !shown.contains(name))
        .collect();
    // An upload and the marker that hides it.
    assert!(old.len() <= 2, "{old:#?}");
    assert_eq!(versions.len(), shown.len() + old.len());
}

#[test]
fn of_what_is_pruned_from_b2_no_version_is_left() {
    has_no_old_version(&prunes(Kind::B2, false).unwrap());
}

#[test]
fn of_what_is_pruned_from_b2_encrypted_no_version_is_left() {
    has_no_old_version(&prunes(Kind::B2, true).unwrap());
}

/// A world with a snapshot at B2 that the next backup prunes.
fn cloud(files: usize) -> Cloud {
    let cloud = Cloud::with(SMALL_PARTS);
    for n in 0..files {
        cloud
            .world
            .write(format!("source/{n:03}.txt"), format!("file {n}"));
    }
    let place = format!("cloud:{BUCKET}/backups");
    cloud.world.write("copal.toml", config(&place));
    cloud.world.copal(&["backup"]).succeeds();
    cloud
}

#[test]
fn a_prune_takes_few_calls_that_are_charged() {
    let cloud = cloud(50);
    let before = cloud.server.names(BUCKET).len();
    cloud.world.write(
        "copal.toml",
        config(&format!("cloud:{BUCKET}/backups")).replace("last = 1", "last = 9"),
    );
    cloud.world.copal(&["backup"]).succeeds();
    assert_eq!(cloud.server.names(BUCKET).len(), 2 * before);
    cloud
        .world
        .write("copal.toml", config(&format!("cloud:{BUCKET}/backups")));
    cloud.server.reset_counters();
    cloud.world.copal(&["prune"]).succeeds();
    let counted = cloud.server.counters();
    // Each file, its claim and its manifest twice, and the list of what was to go.
    assert!(counted.of(Call::DeleteFileVersion) >= 52, "{counted}");
    assert_eq!(counted.of(Call::ListFileVersions), 1, "{counted}");
    assert_eq!(cloud.server.names(BUCKET).len(), before);
    let charged =
        counted.charged(copal_b2_server::Class::C) + counted.charged(copal_b2_server::Class::B);
    assert!(charged <= 16, "{counted}");
}

#[test]
fn a_file_that_cannot_be_removed_is_told_and_goes_the_next_time() {
    let cloud = cloud(5);
    cloud.server.faults().order(Order {
        calls: vec![Call::DeleteFileVersion],
        name: None,
        often: Often::Next(1000),
        fault: Fault::Refuse(Refusal::StorageCap),
    });
    let output = cloud.world.copal(&["backup"]);
    output
        .exits_with(3)
        .says("could not be removed")
        .says(" next: ");
    cloud.server.faults().clear();
    let listed = cloud
        .world
        .copal(&["snapshots", "--json"])
        .succeeds()
        .json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed:#}");
    let told = cloud.world.copal(&["prune", "--json"]).succeeds().json();
    assert_eq!(told[0]["not_sealed"][0]["removed"], true, "{told:#}");
    cloud.world.copal(&["verify", "--full"]).succeeds();
    let newest = listed[0]["snapshot"].as_str().unwrap();
    let names = cloud.server.names(BUCKET);
    assert!(names.iter().all(|name| name.contains(newest)), "{names:?}");
}

#[test]
fn a_prune_that_is_killed_is_ended_by_the_next_and_hurts_nothing_sealed() {
    let cloud = cloud(40);
    cloud.world.copal(&["backup", "--json"]).succeeds();
    // Kept by another policy until it is pruned by itself.
    let many = config(&format!("cloud:{BUCKET}/backups")).replace("last = 1", "last = 9");
    cloud.world.write("copal.toml", many);
    cloud.world.copal(&["backup"]).succeeds();
    cloud
        .world
        .write("copal.toml", config(&format!("cloud:{BUCKET}/backups")));
    cloud.server.faults().order(Order {
        calls: vec![Call::DeleteFileVersion],
        name: None,
        often: Often::Every(1),
        fault: Fault::Slow(2_000),
    });
    cloud.server.reset_counters();
    let prune = cloud.world.start(&["prune"]);
    let some_is_gone = || (cloud.server.counters().of(Call::DeleteFileVersion) > 5).then_some(());
    wait_until("some of it is gone", PATIENCE, some_is_gone).unwrap();
    prune.signal_group(Signal::KILL);
    prune.finish(PATIENCE).unwrap();
    cloud.server.faults().clear();
    let sealed = cloud
        .world
        .copal(&["snapshots", "--json"])
        .succeeds()
        .json();
    assert_eq!(sealed.as_array().map(Vec::len), Some(1), "{sealed:#}");
    cloud.world.copal(&["verify", "--full"]).succeeds();
    let told = cloud.world.copal(&["prune", "--json"]).succeeds().json();
    assert_eq!(told[0]["not_sealed"][0]["removed"], true, "{told:#}");
    cloud.world.copal(&["verify", "--full"]).succeeds();
    let request = json!({ "fs": format!("cloud:{BUCKET}/backups/source"), "remote": "" });
    let left = cloud.rclone("operations/list", &request);
    assert_eq!(left["list"].as_array().map(Vec::len), Some(1), "{left:#}");
}
