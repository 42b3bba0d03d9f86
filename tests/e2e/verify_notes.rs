//! What `verify` finds is kept beside the snapshot: `snapshots` shows it, and each sample reads another part.

use std::fs;

use copal_testkit::{Output, World};

use crate::common::{back_up, folder, redate, sealed_id, small_world};

const JOB: &str =
    "name = 'source'\nsource.path = 'source'\ndestination = [{ remote = 'vault:' }]\n";

/// Ten files of the same size, and a snapshot of them: its id.
fn ten_files() -> (World, String) {
    let world = small_world();
    fs::remove_dir_all(world.source()).unwrap();
    for n in 0..10_u8 {
        world.write(format!("source/{n}.bin"), [n; 100]);
    }
    world.write("copal.toml", JOB);
    let id = back_up(&world);
    (world, id)
}

#[track_caller]
fn verify(world: &World, arguments: &[&str]) -> Output {
    world.copal(&[&["verify"], arguments].concat())
}

/// What `snapshots --json` tells of the only one.
#[track_caller]
fn listed(world: &World, code: i32) -> serde_json::Value {
    let output = world.copal(&["snapshots", "--json"]);
    output.exits_with(code);
    output.json()[0].clone()
}

#[test]
fn the_list_of_snapshots_tells_what_was_verified_when_and_how() {
    let (world, id) = ten_files();
    assert_eq!(listed(&world, 0)["state"], "sealed");
    for (arguments, how) in [
        (&[][..], "quick"),
        (&["--sample", "10%"], "sample"),
        (&["--full"], "full"),
    ] {
        verify(&world, arguments).succeeds();
        let told = listed(&world, 0);
        assert_eq!(told["state"], "verified", "{told:#}");
        assert_eq!(told["verification"]["how"], how, "{told:#}");
    }
    let text = world.copal(&["snapshots"]).succeeds().redacted_stdout();
    assert!(text.contains("  verified [time] (full)\n"), "{text}");

    fs::write(folder(&world, &id).join("3.bin"), [7_u8; 100]).unwrap();
    verify(&world, &[]).exits_with(1).says("`3.bin`");
    let told = listed(&world, 1);
    assert_eq!(told["state"], "damaged", "{told:#}");
    assert_eq!(told["verified"], false, "{told:#}");
    assert_eq!(
        told["verification"]["damaged"],
        serde_json::json!(["3.bin"])
    );
    let text = world.copal(&["snapshots"]).exits_with(1).redacted_stdout();
    assert!(
        text.contains("  damaged: 1 file, [time] (quick)\n"),
        "{text}"
    );

    fs::write(folder(&world, &id).join("3.bin"), [3_u8; 100]).unwrap();
    verify(&world, &[]).succeeds();
    assert_eq!(listed(&world, 0)["state"], "verified");
    let own = folder(&world, &id).join(".copal");
    assert!(own.join("verified.json").exists() && !own.join("damaged.json").exists());
}

/// It harms nothing that was sealed, and is no proof either.
#[test]
fn a_file_that_was_never_sealed_makes_a_snapshot_neither_verified_nor_damaged() {
    let (world, id) = ten_files();
    verify(&world, &[]).succeeds();
    world.write(format!("vault/source/{id}/somebody's"), "");
    verify(&world, &[]).exits_with(1).says("somebody's");
    assert_eq!(listed(&world, 0)["state"], "sealed");
}

/// Its place in a rule goes to one that can be restored whole; what it still has stays.
#[test]
fn what_verify_found_damaged_takes_no_others_place_in_a_prune() {
    const OLD: &str = "2001-02-03T040506Z";
    const OLDER: &str = "2000-02-03T040506Z";
    let (world, id) = ten_files();
    redate(&world, &id, OLD);
    redate(&world, &id, OLDER);
    world.write("copal.toml", format!("{JOB}retention.last = 1\n"));
    fs::write(folder(&world, &id).join("3.bin"), [7_u8; 100]).unwrap();
    verify(&world, &[]).exits_with(1);
    let told = world.copal(&["prune"]).succeeds().stdout().to_owned();
    for line in [
        format!("{id}  verify found it damaged"),
        format!("{OLD}  the newest; last 1 of 1"),
        format!("{OLDER}  older than all that the rules keep ("),
    ] {
        assert!(told.contains(&line), "{line}\n{told}");
    }
    assert!(folder(&world, &id).exists() && folder(&world, OLD).exists());
    assert!(!folder(&world, OLDER).exists());
    // A backup goes by the same, and so it is when the damage is mended.
    let output = world.copal(&["backup", "--json"]);
    output.exits_with(3).says("is damaged: `3.bin`");
    let later = sealed_id(&output);
    assert!(folder(&world, &id).exists() && !folder(&world, OLD).exists());
    fs::write(folder(&world, &id).join("3.bin"), [3_u8; 100]).unwrap();
    verify(&world, &[&id]).succeeds();
    verify(&world, &[&later]).succeeds();
    world.copal(&["prune"]).succeeds();
    assert!(folder(&world, &later).exists() && !folder(&world, &id).exists());
}

#[test]
fn each_sample_reads_another_part_and_comes_to_all_of_them() {
    let (world, id) = ten_files();
    let damaged = folder(&world, &id).join("9.bin");
    let sound = fs::read(&damaged).unwrap();
    fs::write(&damaged, [7_u8; 100]).unwrap();
    for left in [7, 4, 1] {
        let told = verify(&world, &["--sample", "30%", "--json"])
            .succeeds()
            .json();
        assert_eq!(told["read_files"], 3, "{told:#}");
        assert_eq!(told["never_read_files"], left, "{told:#}");
        assert_eq!(listed(&world, 0)["verification"]["never_read_files"], left);
    }
    verify(&world, &["--sample", "30%"])
        .exits_with(1)
        .says("`9.bin` has another hash");
    assert_eq!(listed(&world, 1)["verification"]["never_read_files"], 0);
    // What was damaged is read again by each sample, until it is whole.
    for _ in 0..2 {
        verify(&world, &["--sample=10%"])
            .exits_with(1)
            .says("`9.bin`");
    }
    fs::write(&damaged, sound).unwrap();
    let told = verify(&world, &["--sample", "10%"]);
    let text = told.succeeds().redacted_stdout();
    assert!(
        text.contains("1 of 10 files read back (100 B of 1000 B), by SHA-256"),
        "{text}"
    );
    assert!(
        text.contains("  all files were read back since [time]\n"),
        "{text}"
    );
    assert_eq!(listed(&world, 0)["state"], "verified");
}

/// Retention keeps the last verified, by whatever words it was verified.
#[test]
fn what_is_verified_where_there_is_no_configuration_is_noted_as_well() {
    let (world, id) = ten_files();
    fs::remove_file(world.path("copal.toml")).unwrap();
    let note = folder(&world, &id).join(".copal/verified.json");
    for arguments in [&[][..], &["--full"], &["--sample", "5%"]] {
        verify(&world, &[arguments, &["--from", "vault:"]].concat()).succeeds();
        assert!(note.exists(), "{arguments:?}");
        fs::remove_file(&note).unwrap();
    }
    let drill = world.copal(&["drill", "--from", "vault:"]);
    drill.succeeds();
    assert!(note.exists());
}

#[test]
fn a_sample_is_a_share() {
    let (world, _) = ten_files();
    for share in ["0", "101%", "a lot"] {
        let refused = verify(&world, &["--sample", share]);
        refused.exits_with(2).says("is no share such as 5%");
    }
    verify(&world, &["--sample", "5%", "--full"]).exits_with(2);
}
