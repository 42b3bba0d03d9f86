//! rclone's ordinary work on the B2 server: what goes in comes out, and nothing else.

use copal_b2_server::{Call, Class};
use serde_json::json;

use crate::cloud::{BUCKET, Cloud};

/// Names that something on the way has to encode, and rclone gives back as they were.
const NAMES: &[&str] = &[
    " leading and trailing ",
    ".hidden",
    "...",
    "percent % and per%41cent",
    "+ plus ? question # hash",
    "two\nlines",
    "tab\there",
    "back\\slash",
    "quotes \" and '",
    "*;=:@!$(),&",
    "composed é",
    "decomposed e\u{301}",
    "crab 🦀",
    "fullwidth \u{ff0f}\u{ff1a}\u{ff05}",
    "empty",
];

fn with_odd_names() -> Cloud {
    let cloud = Cloud::new();
    for name in NAMES {
        cloud.world.write(format!("source/{name}"), name);
        cloud.world.write(format!("source/in {name}/file"), name);
    }
    cloud.world.write("source/empty", "");
    cloud
}

#[test]
fn odd_names_and_empty_files_go_in_and_come_out() {
    let cloud = with_odd_names();
    let place = format!("cloud:{BUCKET}/odd");
    cloud.copy("source", &place);
    assert_eq!(cloud.server.names(BUCKET).len(), 2 * NAMES.len());
    assert_eq!(cloud.list(&place).len(), 2 * NAMES.len());
    cloud.copy(&place, "back");
    cloud.same_as_source("back");
}

#[test]
fn what_was_copied_is_found_the_same_by_hash_and_by_download() {
    let cloud = with_odd_names();
    let place = format!("cloud:{BUCKET}");
    cloud.copy("source", &place);
    for download in [false, true] {
        let pair = json!({ "srcFs": cloud.world.source(), "dstFs": place, "download": download });
        let checked = cloud.rclone("operations/check", &pair);
        assert_eq!(checked["success"], true, "{checked}");
        let by_hash = checked["hashType"] == "sha1";
        assert_ne!(by_hash, download, "{checked}");
    }
    cloud.world.write("source/.hidden", ".hiddem");
    let pair = json!({ "srcFs": cloud.world.source(), "dstFs": place, "differ": true });
    let checked = cloud.rclone("operations/check", &pair);
    assert_eq!(checked["success"], false);
    assert_eq!(checked["differ"], json!([".hidden"]));
}

#[test]
fn times_and_sizes_are_listed_as_they_were_given() {
    let cloud = Cloud::new();
    cloud.world.write("source/letter.txt", "Dear reader,\n");
    let time = "2001-02-03T04:05:06.789Z";
    let when = std::time::UNIX_EPOCH + std::time::Duration::from_millis(981_173_106_789);
    let letter = cloud.world.path("source/letter.txt");
    let file = std::fs::File::options().write(true).open(letter).unwrap();
    file.set_modified(when).unwrap();
    let place = format!("cloud:{BUCKET}");
    cloud.copy("source", &place);
    let request = json!({
        "fs": place, "remote": "letter.txt", "opt": { "showHash": true, "hashTypes": ["sha1"] },
    });
    let item = cloud.rclone("operations/stat", &request)["item"].clone();
    assert_eq!(item["Size"], 13);
    assert_eq!(item["ModTime"].as_str().unwrap(), time);
    assert_eq!(item["Hashes"]["sha1"].as_str().unwrap().len(), 40);
}

#[test]
fn buckets_are_made_listed_and_removed_when_they_are_empty() {
    let cloud = Cloud::new();
    cloud.rclone(
        "operations/mkdir",
        &json!({ "fs": "cloud:another-bucket", "remote": "" }),
    );
    assert!(cloud.server.has_bucket("another-bucket"));
    // It is there already, which is as well.
    cloud.rclone(
        "operations/mkdir",
        &json!({ "fs": "cloud:another-bucket", "remote": "" }),
    );
    let request = json!({ "fs": "cloud:", "remote": "" });
    let listed = cloud.rclone("operations/list", &request)["list"].clone();
    let names: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["Name"])
        .collect();
    assert_eq!(names, ["another-bucket", "test-bucket"]);

    cloud.world.write("source/letter.txt", "Dear reader,\n");
    cloud.copy("source", "cloud:another-bucket");
    let rmdir = json!({ "fs": "cloud:another-bucket", "remote": "" });
    cloud.try_rclone("operations/rmdir", &rmdir).exits_with(1);
    cloud.rclone("operations/purge", &rmdir);
    assert!(!cloud.server.has_bucket("another-bucket"));
}

#[test]
fn a_deleted_file_is_hidden_and_its_versions_stay_until_they_are_cleaned_up() {
    let cloud = Cloud::new();
    let place = format!("cloud:{BUCKET}");
    let versions = cloud.server.rclone_section(&cloud.server.master_key());
    cloud
        .world
        .add_remote("ever", &format!("{versions}versions = true\n"));
    for content in ["first", "second, longer"] {
        cloud.world.write("source/letter.txt", content);
        cloud.copy("source", &place);
    }
    let file = json!({ "fs": place, "remote": "letter.txt" });
    cloud.rclone("operations/deletefile", &file);
    assert_eq!(cloud.list(&place), [""; 0]);
    let actions = || -> Vec<&str> {
        let versions = cloud.server.versions(BUCKET);
        versions.iter().map(|version| version.action).collect()
    };
    assert_eq!(actions(), ["upload", "upload", "hide"]);
    let old = cloud.list(&format!("ever:{BUCKET}"));
    assert_eq!(old.len(), 2, "{old:?}");
    assert!(old.iter().all(|name| name.starts_with("letter-v")));

    // Written again, it is there again.
    cloud.copy("source", &place);
    assert_eq!(cloud.list(&place), ["letter.txt"]);
    cloud.rclone("operations/cleanup", &json!({ "fs": place }));
    assert_eq!(actions(), ["upload"]);
    assert_eq!(
        cloud.server.read(BUCKET, "letter.txt").unwrap(),
        b"second, longer"
    );
}

#[test]
fn a_move_and_a_copy_within_the_bucket_upload_nothing() {
    let cloud = Cloud::new();
    cloud.world.write("source/letter.txt", "Dear reader,\n");
    let place = format!("cloud:{BUCKET}");
    cloud.copy("source", &place);
    cloud.server.reset_counters();
    let pair = json!({
        "srcFs": place, "srcRemote": "letter.txt", "dstFs": place, "dstRemote": "a/moved +%.txt",
    });
    cloud.rclone("operations/movefile", &pair);
    let pair = json!({
        "srcFs": place, "srcRemote": "a/moved +%.txt", "dstFs": place, "dstRemote": "copied.txt",
    });
    cloud.rclone("operations/copyfile", &pair);
    assert_eq!(cloud.server.names(BUCKET), ["a/moved +%.txt", "copied.txt"]);
    let counted = cloud.server.counters();
    assert_eq!(counted.of(Call::CopyFile), 2);
    assert_eq!(counted.bytes_up, 0);
    assert_eq!(
        cloud.server.read(BUCKET, "copied.txt").unwrap(),
        b"Dear reader,\n"
    );
}

#[test]
fn a_public_link_reads_one_file_without_a_key() {
    let cloud = Cloud::new();
    let place = format!("cloud:{BUCKET}");
    cloud.world.write("source/a b+c.txt", "Dear reader,\n");
    cloud.world.write("source/private.txt", "Dear diary,\n");
    cloud.copy("source", &place);
    let link = cloud.rclone(
        "operations/publiclink",
        &json!({ "fs": place, "remote": "a b+c.txt" }),
    );
    let link = link["url"].as_str().unwrap();
    let fetch = |url: &str| {
        let to = cloud.world.path("fetched");
        cloud.try_rclone(
            "operations/copyurl",
            &json!({ "fs": to, "remote": "it", "url": url }),
        )
    };
    fetch(link).succeeds();
    let fetched = std::fs::read(cloud.world.path("fetched/it")).unwrap();
    assert_eq!(fetched, b"Dear reader,\n");
    fetch(&link.replace("a%20b%2Bc", "private")).exits_with(1);
    let bare = link.split('?').next().unwrap();
    fetch(bare).exits_with(1);
}

#[test]
fn a_listing_goes_over_many_pages() {
    let cloud = Cloud::new();
    let place = format!("cloud:{BUCKET}");
    // Ten at a time is the least that can be asked for here.
    for number in 0..35 {
        cloud.world.write(format!("source/{number:02}/file"), "x");
    }
    cloud.copy("source", &place);
    assert_eq!(cloud.list(&place).len(), 35);
    let request = json!({ "fs": place, "remote": "" });
    let top = cloud.rclone("operations/list", &request)["list"].clone();
    assert_eq!(top.as_array().unwrap().len(), 35, "directories, each once");
}

#[test]
fn what_is_charged_is_counted_by_its_class() {
    let cloud = Cloud::new();
    let place = format!("cloud:{BUCKET}");
    cloud.world.write("source/letter.txt", "Dear reader,\n");
    cloud.copy("source", &place);
    let up = cloud.server.counters();
    assert_eq!(up.of(Call::UploadFile), 1);
    assert_eq!(up.bytes_up, 13);
    assert_eq!(up.charged(Class::B), 0, "nothing was read\n{up}");
    assert_eq!(
        up.charged(Class::A),
        up.of(Call::UploadFile) + up.of(Call::GetUploadUrl)
    );
    cloud.server.reset_counters();
    cloud.copy(&place, "back");
    let down = cloud.server.counters();
    assert_eq!((down.bytes_up, down.bytes_down), (0, 13));
    assert_eq!(down.of(Call::DownloadFileById), 1);
    assert!(down.charged(Class::C) >= 2, "signed in, and listed\n{down}");
}
