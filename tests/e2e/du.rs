//! What snapshots take: what each adds, what it alone has, and that removing it frees that.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use copal_testkit::World;

use crate::common::{back_up, folder, small_world};

const JOB: &str =
    "name = 'source'\nsource.path = 'source'\ndestination = [{ remote = 'vault:' }]\n";

/// Three snapshots: the second has a new file, which the third has not any more. Their ids.
fn three_snapshots() -> (World, [String; 3]) {
    let world = small_world();
    fs::remove_dir_all(world.source()).unwrap();
    world.write("source/stays.bin", [1; 5000]);
    world.write("source/copies/stays.bin", [1; 5000]);
    world.write("copal.toml", JOB);
    let first = back_up(&world);
    world.write("source/comes and goes.bin", [2; 300]);
    let second = back_up(&world);
    fs::remove_file(world.path("source/comes and goes.bin")).unwrap();
    world.write("source/new.bin", [3; 20]);
    let third = back_up(&world);
    (world, [first, second, third])
}

/// What the app's files take in a folder, each inode counted once.
fn taken(dir: &Path) -> u64 {
    fn look(dir: &Path, inodes: &mut HashMap<u64, u64>) {
        for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
            let metadata = entry.metadata().unwrap();
            if !metadata.is_dir() {
                inodes.insert(metadata.ino(), metadata.len());
            } else if entry.file_name() != ".copal" {
                look(&entry.path(), inodes);
            }
        }
    }
    let mut inodes = HashMap::new();
    look(dir, &mut inodes);
    inodes.values().sum()
}

#[test]
fn in_a_folder_removing_a_snapshot_frees_what_it_alone_has() {
    let (world, ids) = three_snapshots();
    let all = world.copal(&["du", "--json"]).succeeds().json();
    let numbers = |name: &str| {
        let snapshots = all["snapshots"].as_array().unwrap();
        let numbers = snapshots.iter().map(|one| one[name].as_u64().unwrap());
        numbers.collect::<Vec<_>>()
    };
    assert_eq!(numbers("bytes"), [10_000, 10_300, 10_020], "{all:#}");
    assert_eq!(numbers("adds_bytes"), [5000, 300, 20], "{all:#}");
    assert_eq!(numbers("alone_bytes"), [0, 300, 20], "{all:#}");
    assert_eq!(all["distinct_bytes"], 5320, "{all:#}");
    assert_eq!(all["hard_links"], true, "{all:#}");

    let later = ["du", &ids[1], &ids[2], "--json"];
    let later = world.copal(&later).succeeds().json();
    assert_eq!(later["snapshots"].as_array().unwrap().len(), 2, "{later:#}");
    assert_eq!(later["frees_bytes"], 320, "{later:#}");
    let before = taken(&world.vault());
    for id in &ids[1..] {
        fs::remove_dir_all(folder(&world, id)).unwrap();
    }
    assert_eq!(before - taken(&world.vault()), 320);
}

#[test]
fn the_list_of_snapshots_tells_what_each_adds_and_text_says_the_same() {
    let (world, ids) = three_snapshots();
    let listed = world.copal(&["snapshots", "--json"]).succeeds().json();
    let adds = listed.as_array().unwrap().iter();
    let adds: Vec<_> = adds.map(|one| one["adds_bytes"].as_u64()).collect();
    assert_eq!(adds, [Some(5000), Some(300), Some(20)]);
    let output = world.copal(&["snapshots"]);
    let text = output.succeeds().stdout();
    assert!(text.contains("10.1 KiB  adds       300 B\n"), "{text}");
    let output = world.copal(&["du", &ids[1], "latest"]);
    let text = output.succeeds().stdout();
    for line in [
        "10.1 KiB  adds       300 B  alone       300 B\n",
        "2 snapshots of 3: 19.8 KiB, 320 B that no other has\n",
        "removing what is listed frees 320 B\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

/// It is told, and what others have alone is not made smaller by what nobody can read.
#[test]
fn a_damaged_manifest_is_told_with_exit_code_1() {
    let (world, ids) = three_snapshots();
    let manifest = folder(&world, &ids[0]).join(".copal/manifest.json");
    fs::write(manifest, "{").unwrap();
    let output = world.copal(&["du"]);
    let text = output.exits_with(1).stdout();
    assert!(
        text.contains(&format!("source/{}  damaged: ", ids[0])),
        "{text}"
    );
    world.copal(&["du", "1999"]).exits_with(2).says(" next: ");
}
