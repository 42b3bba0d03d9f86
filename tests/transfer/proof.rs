//! A remote that takes an upload, says so, and then holds something else: found out before the seal.

use std::time::{Duration, Instant};

use copal_b2_server::{B2Server, Call, Damage, Fault, Often, Order};
use copal_testkit::{Output, Random, World};

use crate::cloud::{BUCKET, SMALL_PARTS};
use crate::table::Trials;

/// A world that backs up to a B2 server: two letters of one size, a large file, and more.
struct Trial {
    world: World,
    server: B2Server,
    to: &'static str,
}

impl Trial {
    fn new() -> Self {
        let world = World::new(env!("CARGO_BIN_EXE_copal"));
        let server = B2Server::start();
        server.add_bucket(BUCKET);
        let section = server.rclone_section(&server.master_key());
        world.add_remote("cloud", &format!("{section}{SMALL_PARTS}"));
        world.write("source/letter.txt", "Dear reader,\n");
        world.write("source/second letter.txt", "Dear writer,\n");
        world.write("source/notes/note.txt", "one, two");
        let large = Random::new(3, "large").bytes((6 << 20) + 345);
        world.write("source/large.bin", large);
        Self {
            world,
            server,
            to: "cloud:test-bucket",
        }
    }

    /// What goes there is encrypted first, but for the names.
    fn encrypted() -> Self {
        let mut trial = Self::new();
        let clear = serde_json::json!({ "clear": "correct horse battery staple" }).to_string();
        let obscured = trial.world.copal(&["rclone", "core/obscure", &clear]);
        let obscured = obscured.succeeds().json()["obscured"].clone();
        let lines = format!(
            "type = crypt\nremote = {}\npassword = {}\nfilename_encryption = off\n\
             directory_name_encryption = false",
            trial.to,
            obscured.as_str().unwrap(),
        );
        trial.world.add_remote("safe", &lines);
        trial.to = "safe:";
        trial
    }

    /// The name of a file as it lies on the server.
    fn on_the_server(&self, name: &str) -> String {
        let end = if self.to == "safe:" { ".bin" } else { "" };
        format!("{name}{end}")
    }

    /// Backs up while a file is damaged every time that it arrives.
    fn with_damage(&self, name: &str, damage: Damage) -> Output {
        self.server.faults().clear();
        self.server.faults().order(Order {
            calls: vec![Call::UploadFile, Call::FinishLargeFile],
            name: Some(self.on_the_server(name)),
            often: Often::Every(1),
            fault: Fault::Damage(damage),
        });
        self.back_up()
    }

    /// How long the run took, or what it did instead of failing without a trace.
    fn is_found(&self, file: &str, damage: Damage) -> Result<Duration, String> {
        let start = Instant::now();
        let output = self.with_damage(file, damage);
        let left = self.server.names(BUCKET);
        let begun = self.server.unfinished(BUCKET);
        let told = output.stderr().contains("error: ") && output.stderr().contains(" next: ");
        if self.server.faults().met() == 0 {
            return Err(format!("no damage was done\n{output}"));
        }
        if output.code() != Some(1) || !told || !left.is_empty() || !begun.is_empty() {
            return Err(format!("left: {left:?}, begun: {begun:?}\n{output}"));
        }
        Ok(start.elapsed())
    }

    fn back_up(&self) -> Output {
        self.world
            .copal(&["backup", "--source", "source", "--to", self.to])
    }

    fn manifests(&self) -> Vec<String> {
        let mut names = self.server.names(BUCKET);
        names.retain(|name| name.contains("manifest.json"));
        names
    }
}

const FILES: &[&str] = &["/letter.txt", "/notes/note.txt", "/large.bin"];
const DAMAGES: &[Damage] = &[Damage::Truncated, Damage::Swapped, Damage::Lost];

/// So many times: ten here, a hundred by `make soak`.
fn times() -> usize {
    let soak = std::env::var_os("COPAL_SOAK").is_some();
    if soak { 100 } else { 10 }
}

#[test]
fn what_is_damaged_after_its_upload_is_found_before_the_seal() {
    let trial = Trial::new();
    let mut trials = Trials::of("a file truncated, swapped or lost on B2 after its upload");
    let all = DAMAGES
        .iter()
        .flat_map(|damage| FILES.iter().map(move |file| (*file, *damage)));
    for (file, damage) in all.cycle().take(times()) {
        trials.took(&format!("{damage:?}: {file}"), trial.is_found(file, damage));
    }
    trials.end("found before the seal, no manifest, exit code 1; a run took at most {}");
    trial.server.faults().clear();
    trial.back_up().succeeds();
    assert_eq!(trial.manifests().len(), 1);
}

#[test]
fn what_is_damaged_below_an_encrypted_remote_is_found_before_the_seal() {
    let trial = Trial::encrypted();
    for file in FILES {
        for damage in DAMAGES {
            let found = trial.is_found(file, *damage);
            assert!(found.is_ok(), "{damage:?}: {file}: {found:?}");
        }
    }
    trial.server.faults().clear();
    trial.back_up().succeeds();
    assert_eq!(trial.manifests().len(), 1);
}

#[test]
fn the_list_of_checksums_is_proven_before_the_manifest_goes_up() {
    for trial in [Trial::new, Trial::encrypted] {
        for damage in DAMAGES {
            let trial = trial();
            let output = trial.with_damage("SHA256SUMS", *damage);
            output.exits_with(1);
            assert_eq!(trial.manifests(), [""; 0], "{damage:?}\n{output}");
        }
    }
}

#[test]
fn a_manifest_that_is_damaged_is_no_success() {
    for trial in [Trial::new, Trial::encrypted] {
        for damage in DAMAGES {
            let trial = trial();
            let output = trial.with_damage("manifest.json", *damage);
            output.exits_with(1);
            assert_eq!(trial.manifests(), [""; 0], "{damage:?}\n{output}");
        }
    }
}

/// Where the owner asks for it, everything is read back before the seal.
#[test]
fn what_rots_behind_an_honest_listing_is_found_by_a_proof_that_reads() {
    let trial = Trial::new();
    let config = |proof: &str| {
        format!(
            "name = 'app'\nsource.path = 'source'\n[[destination]]\nremote = '{}'\nproof = '{proof}'",
            trial.to
        )
    };
    trial.server.faults().order(Order {
        calls: vec![Call::UploadFile, Call::FinishLargeFile],
        name: Some("/large.bin".to_owned()),
        often: Often::Every(1),
        fault: Fault::Damage(Damage::Rotten),
    });
    trial.world.write("copal.toml", config("hash"));
    trial.world.copal(&["backup"]).succeeds();
    trial.world.write("copal.toml", config("read"));
    trial
        .world
        .write("source/large.bin", Random::new(4, "other").bytes(6 << 20));
    trial
        .world
        .copal(&["backup"])
        .exits_with(1)
        .says("large.bin");
    assert_eq!(trial.manifests().len(), 1);
    trial.server.faults().clear();
    trial.world.copal(&["backup"]).succeeds();
}

/// No listing shows it. That is what reading all of it back is for.
#[test]
fn what_rots_behind_an_honest_listing_is_found_by_a_full_verification() {
    let trial = Trial::new();
    trial.back_up().succeeds();
    let mut names = trial.server.names(BUCKET);
    names.retain(|name| name.ends_with("/large.bin"));
    assert!(trial.server.damage(BUCKET, &names[0], Damage::Rotten));
    let verify = |more: &[&str]| {
        let arguments = [&["verify", "--from", "cloud:test-bucket"], more].concat();
        trial.world.copal(&arguments)
    };
    verify(&[]).succeeds();
    verify(&["--full"]).exits_with(1).says("large.bin");
    let restore = [
        "restore",
        "latest",
        "--from",
        "cloud:test-bucket",
        "--to",
        "back",
    ];
    trial.world.copal(&restore).exits_with(1).says("large.bin");
}
