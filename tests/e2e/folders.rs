//! A destination that is a folder, in which something else than Copal's own files lies under their names: it
//! concerns the one snapshot that has it, and nothing is read or removed through a link.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use copal_testkit::World;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::common::{back_up, files_below, folder, redate, sealed_id, small_world};
use crate::process::Ordinary;
use crate::remotes::add_crypt;

const OLD: &str = "2001-02-03T040506Z";
const OLDER: &str = "2000-02-03T040506Z";
const MANIFEST: &str = ".copal/manifest.json";

/// A world with a job that keeps its last one, a snapshot of today and two of long ago.
fn world_with_history() -> (World, String) {
    let world = small_world();
    let id = prepare(&world, &back_up(&world));
    (world, id)
}

fn prepare(world: &World, id: &str) -> String {
    redate(world, id, OLD);
    redate(world, id, OLDER);
    let job = "name = 'source'\nsource.path = 'source'\ndestination = [{ remote = 'vault:' }]\nretention.last = 1\n";
    world.write("copal.toml", job);
    id.to_owned()
}

/// Puts something there.
type Put = fn(&Path);

/// What may lie in a manifest's place.
const ODD: [(&str, Put); 5] = [
    ("it is a directory", |path| fs::create_dir(path).unwrap()),
    ("it is no file", |path| {
        mknodat(CWD, path, FileType::Fifo, Mode::RWXU, 0).unwrap();
    }),
    ("is a symbolic link", |path| {
        symlink("../letter.txt", path).unwrap();
    }),
    ("is a symbolic link", |path| symlink(path, path).unwrap()),
    ("it is no text", |path| {
        File::create(path).unwrap().set_len(4 << 30).unwrap();
    }),
];

#[test]
fn a_manifest_that_is_none_hides_no_other_snapshot_and_has_its_own_stay() {
    for (why, put) in ODD {
        let (world, id) = world_with_history();
        let manifest = folder(&world, OLDER).join(MANIFEST);
        fs::remove_file(&manifest).unwrap();
        put(&manifest);
        let listed = world.copal(&["snapshots"]);
        listed.exits_with(1);
        for expected in [
            &format!("source/{id}  "),
            &format!("source/{OLDER}  damaged"),
            why,
        ] {
            assert!(listed.stdout().contains(expected), "{expected}\n{listed}");
        }
        world.copal(&["du"]).exits_with(1);
        world
            .copal(&["restore", "latest", "--to", "restored"])
            .succeeds();
        let pruned = world.copal(&["prune"]);
        pruned.exits_with(1).says(OLDER).says("is not pruned");
        assert!(!folder(&world, OLD).exists(), "{pruned}");
        assert!(folder(&world, OLDER).join("letter.txt").exists());
        assert!(fs::symlink_metadata(&manifest).is_ok());
    }
}

#[test]
fn a_backup_goes_on_without_a_last_manifest_that_cannot_be_read_and_names_it() {
    for (why, put) in ODD {
        let world = small_world();
        let last = back_up(&world);
        let manifest = folder(&world, &last).join(MANIFEST);
        fs::remove_file(&manifest).unwrap();
        put(&manifest);
        let again = ["backup", "--source", "source", "--to", "vault:", "--json"];
        let output = world.copal(&again);
        output.exits_with(3).says(&last).says(why);
        let id = sealed_id(&output);
        world
            .copal(&["verify", &id, "--full", "--from", "vault:"])
            .succeeds();
    }
}

#[test]
fn a_manifest_that_may_not_be_read_stops_no_command_and_no_backup() {
    let ordinary = Ordinary::new();
    let world = ordinary.world();
    world.write("source/letter.txt", "Dear reader,\n");
    let to = ["backup", "--source", "source", "--to", "vault:", "--json"];
    let last = sealed_id(&ordinary.copal(&to));
    prepare(world, &last);
    let secret = |id: &str| {
        let manifest = folder(world, id).join(MANIFEST);
        fs::set_permissions(manifest, Permissions::from_mode(0o000)).unwrap();
    };
    secret(OLDER);
    let listed = ordinary.copal(&["snapshots"]);
    listed.exits_with(1);
    assert!(listed.stdout().contains("Permission denied"), "{listed}");
    ordinary
        .copal(&["restore", "latest", "--to", "restored"])
        .succeeds();
    let pruned = ordinary.copal(&["prune"]);
    pruned.exits_with(1).says("is not pruned");
    assert!(!folder(world, OLD).exists() && folder(world, OLDER).exists());
    secret(&last);
    let output = ordinary.copal(&["backup", "--json"]);
    output.exits_with(3).says(&last).says("Permission denied");
    // It stays without taking the place of the one that can be read.
    assert!(folder(world, &last).exists() && folder(world, OLDER).exists());
    assert!(folder(world, &sealed_id(&output)).exists());
}

#[test]
fn a_backup_goes_on_without_a_last_manifest_that_the_disk_below_a_remote_does_not_give() {
    let ordinary = Ordinary::new();
    let world = ordinary.world();
    world.write("source/letter.txt", "Dear reader,\n");
    add_crypt(world);
    let to = ["backup", "--source", "source", "--to", "safe:", "--json"];
    let last = sealed_id(&ordinary.copal(&to));
    let hidden = world.path("vault/hidden");
    let own = |name: &&String| name.matches('/').count() == 3;
    let names = files_below(&hidden);
    assert_eq!(names.iter().filter(own).count(), 2, "{names:?}");
    for name in names.iter().filter(own) {
        fs::set_permissions(hidden.join(name), Permissions::from_mode(0o000)).unwrap();
    }
    let output = ordinary.copal(&to);
    output.exits_with(3).says(&last).says("permission denied");
    let id = sealed_id(&output);
    let full = ["verify", &id, "--full", "--from", "safe:"];
    ordinary.copal(&full).succeeds();
    let listed = ordinary.copal(&["snapshots", "--from", "safe:"]);
    listed.exits_with(1);
    for expected in [format!("source/{id}  "), format!("source/{last}  damaged")] {
        assert!(listed.stdout().contains(&expected), "{listed}");
    }
    // It stays after a prune, and takes no place of another.
    let job = "name = 'source'\nsource.path = 'source'\ndestination = [{ remote = 'safe:' }]\nretention.last = 2\n";
    world.write("copal.toml", job);
    let next = sealed_id(&ordinary.copal(&["backup", "--json"]));
    let output = ordinary.copal(&["backup", "--json"]);
    output.exits_with(3).says("is not pruned");
    let there = ordinary.copal(&["snapshots"]);
    for id in [&last, &next, &sealed_id(&output)] {
        assert!(there.stdout().contains(id.as_str()), "{there}");
    }
}

#[test]
fn nothing_is_read_or_removed_through_a_link_in_a_snapshots_place() {
    let (world, id) = world_with_history();
    let elsewhere = world.path("elsewhere");
    fs::rename(folder(&world, OLDER), &elsewhere).unwrap();
    symlink(&elsewhere, folder(&world, OLDER)).unwrap();
    let before = files_below(&elsewhere);
    let listed = world.copal(&["snapshots"]);
    listed.exits_with(1);
    let told = format!("`source/{OLDER}` is a symbolic link");
    assert!(listed.stdout().contains(&told), "{listed}");
    assert!(listed.stdout().contains(&id), "{listed}");
    world
        .copal(&["restore", OLDER, "--to", "restored"])
        .exits_with(1)
        .says(&told);
    world.copal(&["prune"]).exits_with(1).says(&told);
    world
        .copal(&["pin", OLDER])
        .exits_with(1)
        .says("is a symbolic link");
    world.copal(&["backup"]).exits_with(3).says(&told);
    assert_eq!(files_below(&elsewhere), before);
    assert!(!folder(&world, OLD).exists());
}

#[test]
fn nothing_is_removed_through_a_link_in_the_place_of_copals_own_directory() {
    let (world, _) = world_with_history();
    let own = folder(&world, OLDER).join(".copal");
    let elsewhere = world.path("elsewhere");
    fs::rename(&own, &elsewhere).unwrap();
    symlink(&elsewhere, &own).unwrap();
    let (before, files) = (files_below(&elsewhere), files_below(&folder(&world, OLDER)));
    let told = format!("`source/{OLDER}/.copal` is a symbolic link");
    let listed = world.copal(&["snapshots"]);
    listed.exits_with(1);
    assert!(listed.stdout().contains(&told), "{listed}");
    world.copal(&["prune"]).exits_with(1).says(&told);
    world
        .copal(&["unpin", OLDER])
        .exits_with(1)
        .says("is a symbolic link");
    assert_eq!(files_below(&elsewhere), before);
    assert_eq!(files_below(&folder(&world, OLDER)), files);
    assert!(!folder(&world, OLD).exists());
}

#[test]
fn nothing_is_removed_through_a_link_in_the_place_of_a_directory_of_a_snapshot() {
    let (world, _) = world_with_history();
    let notes = folder(&world, OLDER).join("notes");
    let elsewhere = world.path("elsewhere");
    fs::rename(&notes, &elsewhere).unwrap();
    symlink(&elsewhere, &notes).unwrap();
    world
        .copal(&["prune"])
        .exits_with(1)
        .says("is a symbolic link");
    assert_eq!(files_below(&elsewhere), ["first.txt", "second.txt"]);
    assert!(folder(&world, OLDER).join(MANIFEST).exists());
    assert!(!folder(&world, OLD).exists());
}

#[test]
fn a_jobs_directory_that_is_a_link_is_refused_by_name() {
    let world = small_world();
    fs::create_dir(world.path("elsewhere")).unwrap();
    fs::create_dir_all(world.vault()).unwrap();
    symlink(world.path("elsewhere"), world.vault().join("source")).unwrap();
    let output = world.copal(&["backup", "--source", "source", "--to", "vault:"]);
    output
        .exits_with(1)
        .says("`source` is a symbolic link")
        .says(" next: ");
    assert_eq!(files_below(&world.path("elsewhere")), [""; 0]);
}

#[test]
fn a_directory_or_what_is_huge_under_a_notes_name_has_that_snapshot_stay_alone() {
    for note in ["pin", "verified", "drilled", "damaged"] {
        let (world, id) = world_with_history();
        let note = format!(".copal/{note}.json");
        fs::create_dir(folder(&world, OLDER).join(&note)).unwrap();
        let listed = world.copal(&["snapshots"]);
        assert!(listed.stdout().contains(&id), "{listed}");
        let pruned = world.copal(&["prune"]);
        pruned.exits_with(1).says(&note).says("it is a directory");
        assert!(folder(&world, OLDER).join("letter.txt").exists());
        assert!(!folder(&world, OLD).exists(), "{pruned}");
        world.copal(&["backup"]).exits_with(3).says(&note);
        assert!(!folder(&world, &id).exists());
    }
    let (world, id) = world_with_history();
    for note in ["pin", "verified"] {
        let huge = File::create(folder(&world, OLDER).join(format!(".copal/{note}.json")));
        huge.unwrap().set_len(4 << 30).unwrap();
    }
    let listed = world.copal(&["snapshots"]);
    let listed = listed.succeeds().stdout();
    assert!(
        listed.contains(&id) && listed.contains("larger than 1.0 MiB"),
        "{listed}"
    );
    world.copal(&["prune"]).succeeds();
    assert!(folder(&world, OLDER).exists() && !folder(&world, OLD).exists());
}

#[test]
fn a_snapshot_with_a_garbled_manifest_takes_no_place_of_a_good_one() {
    let (world, id) = world_with_history();
    let job = fs::read_to_string(world.path("copal.toml")).unwrap();
    world.write("copal.toml", job.replace("last = 1", "last = 2"));
    fs::write(folder(&world, &id).join(MANIFEST), "{").unwrap();
    let output = world.copal(&["backup", "--json"]);
    output.exits_with(3).says(&id);
    let new = sealed_id(&output);
    let there = |id: &str| folder(&world, id).exists();
    assert!(there(&new) && there(&id) && there(OLD), "{output}");
    assert!(!there(OLDER), "{output}");
    // Also where it is not the last any more.
    let newer = sealed_id(&world.copal(&["backup", "--json"]));
    assert!(there(&newer) && there(&new) && there(&id) && !there(OLD));
}
