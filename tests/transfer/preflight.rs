//! What stands in the way is told before anything is staged, sent or paused; and what one destination
//! lacks keeps nothing from the others.

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use copal_b2_server::{Call, Fault, KeyPair, Refusal};
use copal_testkit::{FileSystem, Mount, Output, World};
use serde_json::json;

use crate::cloud::{BUCKET, Cloud};

const READS: &[&str] = &["listBuckets", "listFiles", "readFiles"];
const ALL: &[&str] = &["listBuckets", "listFiles", "readFiles", "writeFiles"];

/// Far less than the minutes for which S3's client tries by itself, and far more than the fifteen
/// seconds that a preflight takes at most.
const IN_TIME: Duration = Duration::from_secs(50);

fn cloud() -> Cloud {
    let cloud = Cloud::new();
    cloud.world.write("source/letter.txt", "Dear reader,\n");
    cloud
}

fn back_up(cloud: &Cloud, to: &str) -> Output {
    let arguments = ["backup", "--source", "source", "--to", to, "--json"];
    cloud.world.copal(&arguments)
}

fn with_key(cloud: &Cloud, capabilities: &[&str], prefix: Option<&str>) -> KeyPair {
    let key = cloud.server.add_key(capabilities, BUCKET, prefix);
    cloud.add_remote("narrow", &key, "");
    key
}

/// Told in three parts, and nothing was tried.
#[track_caller]
fn stopped(cloud: &Cloud, output: &Output, said: &str) {
    output
        .exits_with(1)
        .says("error: ")
        .says(said)
        .says(" next: ");
    let counters = cloud.server.counters();
    assert_eq!(counters.of(Call::UploadFile), 0, "{counters}");
    assert_eq!(cloud.server.names(BUCKET), [""; 0]);
}

#[test]
fn a_wrong_key_is_told_at_the_first_answer() {
    let cloud = cloud();
    let mut key = cloud.server.master_key();
    key.secret = "K000-not-this-one".to_owned();
    cloud.add_remote("wrong", &key, "");
    let output = back_up(&cloud, &format!("wrong:{BUCKET}"));
    output.never_says(&key.secret);
    stopped(&cloud, &output, "check the key");
    assert_eq!(cloud.server.counters().of(Call::AuthorizeAccount), 1);
}

#[test]
fn a_bucket_that_is_not_there_is_named_and_not_made() {
    let cloud = cloud();
    let output = back_up(&cloud, "cloud:no-such-bucket/backups");
    stopped(&cloud, &output, "there is no bucket `no-such-bucket`");
    assert!(!cloud.server.has_bucket("no-such-bucket"));
}

#[test]
fn a_key_without_a_capability_is_told_which() {
    let cloud = cloud();
    with_key(&cloud, READS, None);
    let output = back_up(&cloud, &format!("narrow:{BUCKET}"));
    stopped(&cloud, &output, "the key lacks `writeFiles`");
    with_key(&cloud, &["listBuckets", "writeFiles"], None);
    let output = back_up(&cloud, &format!("narrow:{BUCKET}"));
    stopped(&cloud, &output, "the key lacks `listFiles`, `readFiles`");
    with_key(&cloud, ALL, None);
    back_up(&cloud, &format!("narrow:{BUCKET}")).succeeds();
}

#[test]
fn a_key_for_another_bucket_or_for_other_names_is_told_so() {
    let cloud = cloud();
    cloud.server.add_bucket("other-bucket");
    with_key(&cloud, ALL, Some("mine/"));
    let output = back_up(&cloud, "narrow:other-bucket");
    stopped(
        &cloud,
        &output,
        "the key is not for the bucket `other-bucket`",
    );
    let output = back_up(&cloud, &format!("narrow:{BUCKET}/yours"));
    stopped(&cloud, &output, "for names that begin with `mine/`");
    back_up(&cloud, &format!("narrow:{BUCKET}/mine")).succeeds();
}

#[test]
fn a_cap_that_is_reached_is_told_before_anything_is_sent() {
    for (call, refusal, code) in [
        (
            Call::AuthorizeAccount,
            Refusal::TransactionCap,
            "transaction_cap_exceeded",
        ),
        (
            Call::GetUploadUrl,
            Refusal::StorageCap,
            "storage_cap_exceeded",
        ),
    ] {
        let cloud = cloud();
        let fault = Fault::Refuse(refusal);
        cloud.server.faults().next(1000, call, fault);
        let output = back_up(&cloud, &format!("cloud:{BUCKET}"));
        stopped(&cloud, &output, code);
        output.says("raise the cap");
    }
}

#[test]
fn a_clock_that_is_minutes_off_is_told_and_the_snapshot_is_made() {
    for (minutes, said) in [(-10, "ahead of"), (10, "behind")] {
        let cloud = cloud();
        cloud.server.set_clock_error(minutes * 60_000);
        let output = back_up(&cloud, &format!("cloud:{BUCKET}"));
        output.exits_with(3).says("clock is ").says(said);
        assert_eq!(output.json()["destinations"][0]["sealed"], true);
    }
}

#[test]
fn a_rule_that_hides_snapshots_is_told_at_each_run() {
    let cloud = cloud();
    let rule = |option: &str| {
        let request = json!({
            "command": "lifecycle", "fs": format!("cloud:{BUCKET}"), "opt": { option: "30" },
        });
        cloud.rclone("backend/command", &request);
    };
    rule("daysFromUploadingToHiding");
    let output = back_up(&cloud, &format!("cloud:{BUCKET}/backups"));
    output.exits_with(3).says("30 days after").says("lifecycle");
    assert_eq!(output.json()["destinations"][0]["sealed"], true);
    // What is hidden already may go.
    rule("daysFromHidingToDeleting");
    back_up(&cloud, &format!("cloud:{BUCKET}/backups")).succeeds();
}

#[test]
fn a_place_that_refuses_connections_or_never_answers_is_told_within_seconds() {
    // Taken, so that nobody else listens there, and closed again.
    let refuses = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = refuses.local_addr().unwrap();
    drop(refuses);
    let never_answers = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = never_answers.local_addr().unwrap();
    for at in [address, silent] {
        for section in [
            "type = b2\naccount = a\nkey = secret-key",
            "type = s3\nprovider = Other\naccess_key_id = a\nsecret_access_key = secret-key\nregion = us-east-1\nforce_path_style = true",
        ] {
            let world = World::new(env!("CARGO_BIN_EXE_copal"));
            world.write("source/letter.txt", "Dear reader,\n");
            world.add_remote("gone", &format!("{section}\nendpoint = http://{at}"));
            let to = ["backup", "--source", "source", "--to", "gone:bucket/x"];
            let read = ["snapshots", "--from", "gone:bucket/x"];
            for arguments in [&to[..], &read] {
                let output = world.start(arguments).finish(IN_TIME).unwrap();
                output
                    .exits_with(1)
                    .says("error: can't reach `gone:bucket/x")
                    .says(" next: ");
                output.never_says("secret-key");
            }
        }
    }
}

#[test]
fn what_one_destination_lacks_keeps_nothing_from_the_others() {
    let cloud = cloud();
    with_key(&cloud, ALL, Some("mine/"));
    let configure = |first: &str, second: &str| {
        let config = format!(
            "name = \"letters\"\nsource.path = \"source\"\ndestination = [{{ remote = \"{first}\" }}, {{ remote = \"{second}\" }}]\n"
        );
        cloud.world.write("copal.toml", config);
    };
    let (bad, good) = (format!("narrow:{BUCKET}/yours"), format!("cloud:{BUCKET}"));
    configure(&bad, &good);
    let output = cloud.world.copal(&["backup", "--json"]);
    output.exits_with(3).says("begin with `mine/`");
    let told = output.json();
    assert_eq!(told["destinations"][0]["sealed"], false);
    assert_eq!(told["destinations"][1]["sealed"], true);
    cloud.world.copal(&["backup", "--dry-run"]).exits_with(3);
    configure(&bad, "cloud:no-such-bucket");
    let output = cloud.world.copal(&["backup", "--json"]);
    output
        .exits_with(1)
        .says("begin with `mine/`")
        .says("no-such-bucket");
    cloud.world.copal(&["backup", "--dry-run"]).exits_with(1);
}

#[test]
fn a_disk_that_is_too_small_or_read_only_is_told_before_anything_is_written() {
    let Some(mount) = Mount::new(FileSystem::Tmpfs, 4) else {
        return;
    };
    let world = World::new(env!("CARGO_BIN_EXE_copal"));
    world.write("source/large", vec![7; 8 << 20]);
    let to = mount.path().display().to_string();
    let back_up = || world.copal(&["backup", "--source", "source", "--to", &to]);
    let output = back_up();
    output
        .exits_with(1)
        .says("has room for")
        .says("needs 8.0 MiB")
        .says(" next: ");
    world.write("source/large", "small by now");
    let remounted = Command::new("mount")
        .args(["-o", "remount,ro", &to])
        .status();
    assert!(remounted.unwrap().success());
    back_up()
        .exits_with(1)
        .says("can't write to")
        .says(" next: ");
    assert_eq!(std::fs::read_dir(mount.path()).unwrap().count(), 0);
}
