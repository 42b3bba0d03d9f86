//! What it costs to fetch a few files of many.

use std::fs;

use copal_b2_server::{Call, Counters};

use crate::cloud::{BUCKET, Cloud};

const FILES: usize = 120;

fn cloud() -> Cloud {
    let cloud = Cloud::new();
    for n in 0..FILES {
        let name = format!("source/uploads/2026/{n:03}.txt");
        cloud.world.write(name, format!("file {n}"));
    }
    let backup = ["backup", "--source", "source", "--to", "cloud:test-bucket"];
    cloud.world.copal(&backup).succeeds();
    cloud
}

/// Restores one path, and counts.
#[track_caller]
fn restore(cloud: &Cloud, path: &str) -> Counters {
    cloud.server.reset_counters();
    let from = format!("cloud:{BUCKET}");
    let from = ["--from", &from, "--name", "source"];
    let which = ["restore", "latest", "--to", path, "--path", path];
    cloud
        .world
        .copal(&[&which[..], &from[..]].concat())
        .succeeds();
    cloud.server.counters()
}

#[test]
fn one_file_is_restored_without_a_listing_of_what_lies_beside_it() {
    let cloud = cloud();
    let path = "uploads/2026/007.txt";
    let counters = restore(&cloud, path);
    // Which snapshots there are.
    assert_eq!(counters.of(Call::ListFileNames), 1, "{counters}");
    let back = cloud.world.path(path).join(path);
    assert_eq!(fs::read_to_string(back).unwrap(), "file 7");
}

#[test]
fn a_folder_is_restored_by_listings() {
    let cloud = cloud();
    let counters = restore(&cloud, "uploads");
    assert!(counters.of(Call::ListFileNames) > 1, "{counters}");
    // The manifest is looked for, and read.
    assert!(counters.of(Call::DownloadFileByName) <= 4, "{counters}");
    let back = cloud.world.path("uploads/uploads/2026");
    assert_eq!(fs::read_dir(back).unwrap().count(), FILES);
}
