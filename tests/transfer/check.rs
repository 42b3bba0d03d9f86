//! `copal check` against B2: what a key may not do, what is not there, and what time it is elsewhere.

use copal_testkit::Output;

use crate::cloud::{BUCKET, Cloud};

fn cloud() -> Cloud {
    let cloud = Cloud::new();
    cloud.world.write("source/letter.txt", "Dear reader,\n");
    cloud
}

fn check(cloud: &Cloud, to: &str) -> Output {
    let arguments = ["check", "--source", "source", "--to", to];
    cloud.world.copal(&arguments)
}

/// A line with this mark, and the source looked at all the same; nothing is at the destination.
#[track_caller]
fn tells(cloud: &Cloud, output: &Output, line: &str, said: &str) {
    let told = output.stdout();
    assert!(
        told.contains(line) && told.contains(said),
        "«{line}» «{said}»\n{output}"
    );
    assert!(told.contains("✓ source"), "{output}");
    assert_eq!(cloud.server.names(BUCKET), [""; 0]);
}

#[test]
fn what_a_key_may_not_do_is_told_at_the_destination_and_nothing_is_written() {
    let cloud = cloud();
    let output = check(&cloud, &format!("cloud:{BUCKET}"));
    output.succeeds();
    tells(&cloud, &output, "✓ destination cloud:", "can be written to");
    tells(&cloud, &output, "✓ clock", "within five minutes");

    let mut key = cloud.server.master_key();
    key.secret = "K000-not-this-one".to_owned();
    cloud.add_remote("wrong", &key, "");
    let output = check(&cloud, &format!("wrong:{BUCKET}"));
    output.exits_with(1).never_says(&key.secret);
    tells(&cloud, &output, "✗ destination wrong:", "check the key");

    let reads = ["listBuckets", "listFiles", "readFiles"];
    let key = cloud.server.add_key(&reads, BUCKET, None);
    cloud.add_remote("reader", &key, "");
    let output = check(&cloud, &format!("reader:{BUCKET}"));
    output.exits_with(1).never_says(&key.secret);
    tells(
        &cloud,
        &output,
        "✗ destination reader:",
        "the key lacks `writeFiles`",
    );

    let output = check(&cloud, "cloud:no-such-bucket/backups");
    output.exits_with(1);
    tells(
        &cloud,
        &output,
        "✗ destination",
        "there is no bucket `no-such-bucket`",
    );
    assert!(!cloud.server.has_bucket("no-such-bucket"));
}

#[test]
fn a_clock_that_is_minutes_off_is_told_and_is_no_failure() {
    let cloud = cloud();
    cloud.server.set_clock_error(-10 * 60_000);
    let output = check(&cloud, &format!("cloud:{BUCKET}"));
    output.succeeds();
    tells(&cloud, &output, "! clock", "10 minutes ahead of");
}
