//! What fails beyond rclone's own patience is tried again in a while: those files, and no others.

use copal_b2_server::{Call, Fault, Often, Order, Refusal};
use copal_testkit::Output;

use crate::cloud::{BUCKET, Cloud};

fn cloud() -> Cloud {
    let mut cloud = Cloud::new();
    cloud.world.set("RCLONE_LOW_LEVEL_RETRIES", "2");
    for number in 0..30 {
        let letter = format!("source/letter {number:02}.txt");
        cloud
            .world
            .write(letter, format!("Dear reader {number},\n"));
    }
    cloud
}

fn order(cloud: &Cloud, count: u64, name: &str, fault: Fault) {
    cloud.server.faults().order(Order {
        calls: vec![Call::UploadFile],
        name: Some(name.to_owned()),
        often: Often::Next(count),
        fault,
    });
}

fn back_up(cloud: &Cloud) -> Output {
    let to = format!("cloud:{BUCKET}");
    let arguments = ["backup", "--source", "source", "--to", &to];
    cloud.world.copal(&arguments)
}

/// Thirty letters, the claim, the checksums and the manifest.
const ONCE: u64 = 33;

#[test]
fn only_files_that_failed_are_sent_again() {
    for fault in [
        Fault::Refuse(Refusal::Broken),
        Fault::Refuse(Refusal::Unavailable(1)),
        Fault::HangUpInRequest(3),
    ] {
        let cloud = cloud();
        order(&cloud, 3, "letter 07.txt", fault);
        order(&cloud, 3, "letter 11.txt", fault);
        back_up(&cloud).succeeds();
        assert_eq!(cloud.server.faults().met(), 6, "{fault:?}");
        let sent = cloud.server.counters().of(Call::UploadFile);
        assert_eq!(sent, ONCE + 6, "{fault:?}");
        let from = format!("cloud:{BUCKET}");
        let verify = ["verify", "latest", "--full", "--from", &from];
        cloud.world.copal(&verify).succeeds();
    }
}

#[test]
fn what_never_stops_failing_fails_the_run_by_name_after_some_tries() {
    let cloud = cloud();
    order(
        &cloud,
        1000,
        "letter 07.txt",
        Fault::Refuse(Refusal::Broken),
    );
    back_up(&cloud).exits_with(1).says("letter 07.txt");
    let met = cloud.server.faults().met();
    assert!((3..=6).contains(&met), "{met}");
    assert_eq!(cloud.server.names(BUCKET), [""; 0]);
}
