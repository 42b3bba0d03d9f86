//! A second snapshot is as whole as the first, and sends only what is new.

use std::fs;

use copal_b2_server::{B2Server, Call, Class, Counters, Damage};
use copal_testkit::{Output, Random, World};

use crate::cloud::{BUCKET, SMALL_PARTS};
use crate::place::{Kind, Place};

/// A world whose first snapshot lies on a B2 server, with calls counted from then on.
struct Trial {
    world: World,
    server: B2Server,
}

impl Trial {
    fn after_a_snapshot(small: usize) -> Self {
        let world = World::new(env!("CARGO_BIN_EXE_copal"));
        let server = B2Server::start();
        server.add_bucket(BUCKET);
        let section = server.rclone_section(&server.master_key());
        world.add_remote("cloud", &format!("{section}{SMALL_PARTS}"));
        for n in 0..small {
            world.write(format!("source/uploads/{n:04}.txt"), format!("file {n}"));
        }
        let large = Random::new(3, "large").bytes((6 << 20) + 345);
        world.write("source/large.bin", large);
        let trial = Self { world, server };
        trial.back_up().succeeds();
        trial.server.reset_counters();
        trial
    }

    fn back_up(&self) -> Output {
        let to = "cloud:test-bucket";
        let arguments = ["backup", "--source", "source", "--to", to, "--json"];
        self.world.copal(&arguments)
    }

    /// Backs up again: what the destination tells, and what the server counted.
    #[track_caller]
    fn again(&self) -> (serde_json::Value, Counters) {
        let json = self.back_up().succeeds().json();
        (json["destinations"][0].clone(), self.server.counters())
    }

    #[track_caller]
    fn latest_is_whole(&self) {
        let from = ["--from", "cloud:test-bucket"];
        let verify = [&["verify", "latest", "--full"], &from[..]].concat();
        self.world.copal(&verify).succeeds();
        let restore = [&["restore", "latest", "--to", "back"], &from[..]].concat();
        self.world.copal(&restore).succeeds();
        let back = self.world.path("back");
        let differences = copal_testkit::tree::same_tree(&self.world.source(), &back).unwrap();
        assert!(differences.is_empty(), "{differences:#?}");
    }

    fn first_snapshot(&self) -> Vec<String> {
        let mut names = self.server.names(BUCKET);
        names.retain(|name| !name.contains("/.copal/"));
        names
    }
}

#[test]
fn where_nothing_changed_nothing_is_sent_and_little_is_charged() {
    let trial = Trial::after_a_snapshot(40);
    let (told, counters) = trial.again();
    assert_eq!(told["copied_files"], 41, "{told:#}");
    // The claim, the checksums and the manifest.
    assert!(counters.bytes_up < 40_000, "{counters}");
    assert_eq!(counters.of(Call::UploadPart), 0, "{counters}");
    let copies = counters.of(Call::CopyFile) + counters.of(Call::CopyPart);
    let beside = counters.charged(Class::C) - copies;
    assert!(beside <= 20, "{beside} beside {copies} copies:\n{counters}");
    assert_eq!(trial.server.unfinished(BUCKET), [""; 0]);
    trial.latest_is_whole();
}

#[test]
fn only_what_is_new_is_sent() {
    let trial = Trial::after_a_snapshot(40);
    let uploads = trial.world.source().join("uploads");
    fs::write(uploads.join("0007.txt"), "another text").unwrap();
    fs::write(uploads.join("new.txt"), "a new one").unwrap();
    fs::rename(uploads.join("0008.txt"), uploads.join("moved.txt")).unwrap();
    fs::copy(uploads.join("0009.txt"), uploads.join("twin.txt")).unwrap();
    fs::remove_file(uploads.join("0010.txt")).unwrap();
    let large = trial.world.source().join("large.bin");
    fs::rename(large, trial.world.source().join("large, renamed.bin")).unwrap();
    let (told, counters) = trial.again();
    assert_eq!(told["files"], 42, "{told:#}");
    assert_eq!(told["copied_files"], 40, "{told:#}");
    assert!(counters.bytes_up < 40_000, "{counters}");
    trial.latest_is_whole();
}

#[test]
fn what_the_last_snapshot_lost_is_sent_again_and_strangers_in_it_are_not_copied() {
    let trial = Trial::after_a_snapshot(40);
    let names = trial.first_snapshot();
    let stored = |end: &str| names.iter().find(|name| name.ends_with(end)).unwrap();
    for (name, damage) in [
        ("/0001.txt", Damage::Lost),
        ("/0002.txt", Damage::Truncated),
        ("/0003.txt", Damage::Swapped),
        ("/large.bin", Damage::Lost),
    ] {
        assert!(trial.server.damage(BUCKET, stored(name), damage), "{name}");
    }
    let snapshot = stored("/0004.txt")
        .rsplit_once("/uploads/")
        .unwrap()
        .0
        .to_owned();
    trial.world.write("stranger/x.txt", "somebody put it there");
    let put = serde_json::json!({
        "srcFs": trial.world.path("stranger"), "srcRemote": "x.txt",
        "dstFs": "cloud:", "dstRemote": format!("{BUCKET}/{snapshot}/uploads/x.txt"),
    });
    let put = ["rclone", "operations/copyfile", &put.to_string()];
    trial.world.copal(&put).succeeds();
    let (told, _) = trial.again();
    // The two that were swapped, too, are each other's.
    assert_eq!(told["copied_files"], 36, "{told:#}");
    trial.latest_is_whole();
}

#[test]
fn more_small_files_than_one_instance_is_given_arrive_all_the_same() {
    let trial = Trial::after_a_snapshot(430);
    trial.latest_is_whole();
    for n in 0..430 {
        let name = format!("source/uploads/{n:04}.txt");
        trial.world.write(&name, format!("another file {n}"));
    }
    let (told, counters) = trial.again();
    assert_eq!(told["copied_files"], 1, "{told:#}");
    let signed_in = counters.of(Call::AuthorizeAccount);
    assert!(signed_in > 2, "by {signed_in} instances:\n{counters}");
    fs::remove_dir_all(trial.world.path("back")).unwrap();
    trial.latest_is_whole();
}

#[test]
fn many_files_are_copied_by_several_instances_under_their_names_and_under_others() {
    let trial = Trial::after_a_snapshot(430);
    let uploads = trial.world.source().join("uploads");
    let moved = trial.world.source().join("moved");
    fs::create_dir(&moved).unwrap();
    for n in 0..205 {
        let name = format!("{n:04}.txt");
        fs::rename(uploads.join(&name), moved.join(&name)).unwrap();
    }
    let (told, counters) = trial.again();
    assert_eq!(told["copied_files"], 431, "{told:#}");
    let signed_in = counters.of(Call::AuthorizeAccount);
    assert!(signed_in > 4, "by {signed_in} instances:\n{counters}");
    trial.latest_is_whole();
}

#[test]
fn many_files_come_back_by_several_instances_and_each_once() {
    let trial = Trial::after_a_snapshot(430);
    let restore = ["restore", "latest", "--from", "cloud:test-bucket"];
    let restore = [&restore[..], &["--to", "back"]].concat();
    trial.world.copal(&restore).succeeds();
    let counters = trial.server.counters();
    let signed_in = counters.of(Call::AuthorizeAccount);
    assert!(signed_in > 4, "by {signed_in} instances:\n{counters}");
    let downloads = counters.of(Call::DownloadFileById) + counters.of(Call::DownloadFileByName);
    // The manifest beside, and what of the large one is read in parts.
    assert!((432..440).contains(&downloads), "{counters}");
}

#[track_caller]
fn copies(kind: Kind, encrypted: bool) {
    let Some(place) = Place::new(kind, encrypted) else {
        return;
    };
    place.world.write("source/same.txt", "the same both times");
    place.world.write("source/old name.txt", "renamed");
    place.world.write("source/changing.txt", "one");
    place.back_up();
    place.world.write("source/changing.txt", "two");
    let source = place.world.source();
    fs::rename(source.join("old name.txt"), source.join("new name.txt")).unwrap();
    let json = place.try_back_up().succeeds().json();
    let told = &json["destinations"][0];
    // A folder of this machine has hard links in place of copies; an encrypted one has neither.
    let (links, copies) = (kind == Kind::Folder && !encrypted, kind != Kind::Folder);
    let expected = if links || copies { 2 } else { 0 };
    assert_eq!(told["copied_files"], expected, "{told:#}");
    assert_eq!(told["linked"], links, "{told:#}");
    assert_eq!(told["not_copied"], serde_json::Value::Null);
    let verify = ["verify", "latest", "--full", "--from", place.to];
    place.copal(&verify).succeeds();
}

#[test]
fn every_remote_that_copies_is_asked_to() {
    copies(Kind::B2, false);
    copies(Kind::B2, true);
    copies(Kind::S3, false);
    copies(Kind::S3, true);
}

#[test]
fn a_folder_links_and_an_encrypted_one_has_everything_sent() {
    copies(Kind::Folder, false);
    copies(Kind::Folder, true);
}
