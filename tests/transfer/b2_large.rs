//! Large files, which go up, and are copied, in parts.

use copal_b2_server::{Call, Fault, Refusal};
use serde_json::json;

use crate::cloud::{BUCKET, Cloud, SMALL_PARTS};

const MIB: usize = 1 << 20;

#[test]
fn a_large_file_goes_up_in_parts_and_comes_down_whole() {
    let cloud = Cloud::with(SMALL_PARTS);
    let bytes = cloud.write_random("source/large.bin", 12 * MIB + 345);
    let place = format!("cloud:{BUCKET}");
    cloud.copy("source", &place);
    let counted = cloud.server.counters();
    assert_eq!(counted.of(Call::UploadPart), 3);
    assert_eq!(counted.of(Call::FinishLargeFile), 1);
    assert!(cloud.server.read(BUCKET, "large.bin").unwrap() == bytes);
    cloud.copy(&place, "back");
    cloud.same_as_source("back");
    // It has no hash of its own, but the one that rclone took before.
    let pair = json!({ "srcFs": cloud.world.source(), "dstFs": place });
    let checked = cloud.rclone("operations/check", &pair);
    assert_eq!(checked["success"], true, "{checked}");
    assert_eq!(checked["hashType"], "sha1");
}

#[test]
fn what_did_not_change_is_copied_from_the_last_directory_and_not_sent() {
    let cloud = Cloud::with(SMALL_PARTS);
    cloud.write_random("source/large.bin", 12 * MIB + 345);
    cloud.world.write("source/letter.txt", "Dear reader,\n");
    cloud.world.write("source/changes.txt", "one");
    let first = format!("cloud:{BUCKET}/first");
    cloud.copy("source", &first);
    cloud.world.write("source/changes.txt", "two, longer");
    cloud.server.reset_counters();
    let second = format!("cloud:{BUCKET}/second");
    let request = json!({
        "srcFs": cloud.world.source(), "dstFs": second, "_config": { "CopyDest": [first] },
    });
    cloud.rclone("sync/copy", &request);
    let counted = cloud.server.counters();
    assert_eq!(counted.of(Call::CopyFile), 1, "the letter\n{counted}");
    assert_eq!(counted.of(Call::CopyPart), 3, "the large file\n{counted}");
    assert_eq!(counted.bytes_up, 11, "what changed\n{counted}");
    cloud.copy(&second, "back");
    cloud.same_as_source("back");
    let pair = json!({ "srcFs": cloud.world.source(), "dstFs": second });
    assert_eq!(cloud.rclone("operations/check", &pair)["success"], true);
}

#[test]
fn a_large_file_that_is_never_finished_shows_in_no_listing_and_is_cleaned_up() {
    let cloud = Cloud::with(SMALL_PARTS);
    cloud.write_random("source/large.bin", 12 * MIB);
    let refused = Fault::Refuse(Refusal::StorageCap);
    for call in [Call::FinishLargeFile, Call::CancelLargeFile] {
        cloud.server.faults().next(100, call, refused);
    }
    let place = format!("cloud:{BUCKET}");
    cloud.try_copy("source", &place).exits_with(1);
    let begun = cloud.server.unfinished(BUCKET).len();
    assert!(begun > 0);
    assert_eq!(cloud.list(&place), [""; 0]);
    cloud.server.faults().clear();
    let cleanup = json!({ "command": "cleanup", "fs": place, "opt": { "max-age": "0s" } });
    cloud.rclone("backend/command", &cleanup);
    assert_eq!(cloud.server.unfinished(BUCKET), [""; 0]);
}

#[test]
fn a_part_that_is_cut_off_is_sent_again() {
    let cloud = Cloud::with(SMALL_PARTS);
    cloud.write_random("source/large.bin", 12 * MIB);
    let cut = Fault::HangUpInRequest(3 << 20);
    cloud.server.faults().next(2, Call::UploadPart, cut);
    cloud.copy("source", &format!("cloud:{BUCKET}"));
    assert_eq!(cloud.server.faults().met(), 2);
    assert_eq!(cloud.server.counters().of(Call::UploadPart), 5);
    cloud.copy(&format!("cloud:{BUCKET}"), "back");
    cloud.same_as_source("back");
}

#[test]
fn a_download_that_is_cut_off_goes_on_where_it_was() {
    let cloud = Cloud::with(SMALL_PARTS);
    cloud.write_random("source/large.bin", 12 * MIB);
    let place = format!("cloud:{BUCKET}");
    cloud.copy("source", &place);
    cloud.server.reset_counters();
    let cut = Fault::HangUpInAnswer(7 << 20);
    cloud.server.faults().next(1, Call::DownloadFileById, cut);
    cloud.copy(&place, "back");
    cloud.same_as_source("back");
    let counted = cloud.server.counters();
    assert_eq!(counted.of(Call::DownloadFileById), 2);
    assert!(
        counted.bytes_down < 13 << 20,
        "no more than the rest\n{counted}"
    );
}
