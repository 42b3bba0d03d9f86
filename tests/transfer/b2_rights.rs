//! Keys that may not do everything, and a clock that is wrong.

use serde_json::json;

use crate::cloud::{BUCKET, Cloud};

const ALL_IN_BUCKET: &[&str] = &[
    "listBuckets",
    "listFiles",
    "readFiles",
    "writeFiles",
    "deleteFiles",
];

#[test]
fn a_key_for_one_prefix_works_there_and_nowhere_else() {
    let cloud = Cloud::new();
    cloud.server.add_bucket("other-bucket");
    let key = cloud.server.add_key(ALL_IN_BUCKET, BUCKET, Some("mine/"));
    cloud.add_remote("narrow", &key, "");
    cloud.world.write("source/letter.txt", "Dear reader,\n");
    cloud.copy("source", &format!("narrow:{BUCKET}/mine"));
    cloud.copy(&format!("narrow:{BUCKET}/mine"), "back");
    cloud.same_as_source("back");
    for elsewhere in [
        format!("narrow:{BUCKET}/yours"),
        "narrow:other-bucket".to_owned(),
    ] {
        let refused = cloud.try_copy("source", &elsewhere);
        refused.exits_with(1).never_says(&key.secret);
    }
    assert_eq!(cloud.server.names(BUCKET), ["mine/letter.txt"]);
}

#[test]
fn a_key_that_only_reads_writes_nothing_and_is_told_so() {
    let cloud = Cloud::new();
    cloud.world.write("source/letter.txt", "Dear reader,\n");
    cloud.copy("source", &format!("cloud:{BUCKET}"));
    let key = cloud
        .server
        .add_key(&["listBuckets", "listFiles", "readFiles"], BUCKET, None);
    cloud.add_remote("reader", &key, "");
    cloud.copy(&format!("reader:{BUCKET}"), "back");
    cloud.same_as_source("back");
    let refused = cloud.try_copy("source", &format!("reader:{BUCKET}/more"));
    refused
        .exits_with(1)
        .says("unauthorized")
        .never_says(&key.secret);
}

#[test]
fn a_wrong_key_is_refused() {
    let cloud = Cloud::new();
    let mut key = cloud.server.master_key();
    key.secret = "K000-not-this-one".to_owned();
    cloud.add_remote("wrong", &key, "");
    let request = json!({ "fs": format!("wrong:{BUCKET}"), "remote": "" });
    let refused = cloud.try_rclone("operations/list", &request);
    refused
        .exits_with(1)
        .says("unauthorized")
        .never_says(&key.secret);
}

#[test]
fn a_clock_that_is_minutes_off_is_no_hindrance() {
    let cloud = Cloud::new();
    cloud.world.write("source/letter.txt", "Dear reader,\n");
    let place = format!("cloud:{BUCKET}");
    for minutes in [-10, 10] {
        cloud.server.set_clock_error(minutes * 60_000);
        cloud.copy("source", &format!("{place}/{minutes}"));
        cloud.copy(&format!("{place}/{minutes}"), &format!("back{minutes}"));
        cloud.same_as_source(&format!("back{minutes}"));
    }
}
