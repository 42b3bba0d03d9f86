//! Bad days of B2's: what passes is lived through, what does not is told.

use std::collections::BTreeMap;
use std::time::Duration;

use copal_b2_server::{Call, Fault, Pace, Refusal};

use crate::cloud::{BUCKET, Cloud};

fn with_letters(options: &str) -> Cloud {
    let cloud = Cloud::with(options);
    for number in 0..6 {
        let letter = format!("source/letter {number}.txt");
        cloud
            .world
            .write(letter, format!("Dear reader {number},\n"));
    }
    cloud
}

#[track_caller]
fn there_and_back(cloud: &Cloud) {
    let place = format!("cloud:{BUCKET}");
    cloud.copy("source", &place);
    cloud.copy(&place, "back");
    cloud.same_as_source("back");
}

/// Each on its own, since one may hide another.
#[track_caller]
fn lives_through(call: Call, fault: Fault) {
    let cloud = with_letters("");
    cloud.server.faults().next(2, call, fault);
    there_and_back(&cloud);
    assert_eq!(cloud.server.faults().met(), 2, "{call:?}: {fault:?}");
}

#[test]
fn tokens_that_expire_are_asked_for_again() {
    let fault = Fault::Refuse(Refusal::ExpiredToken);
    for call in [
        Call::UploadFile,
        Call::ListFileNames,
        Call::DownloadFileById,
    ] {
        lives_through(call, fault);
    }
}

#[test]
fn too_many_requests_and_a_busy_server_are_waited_out() {
    for refusal in [
        Refusal::TooManyRequests(0),
        Refusal::Unavailable(1),
        Refusal::Broken,
        Refusal::TimedOut,
    ] {
        lives_through(Call::UploadFile, Fault::Refuse(refusal));
    }
    lives_through(
        Call::DownloadFileById,
        Fault::Refuse(Refusal::TooManyRequests(1)),
    );
}

#[test]
fn connections_that_end_early_are_made_again() {
    lives_through(Call::UploadFile, Fault::HangUpInRequest(5));
    lives_through(Call::UploadFile, Fault::HangUpInAnswer(5));
    lives_through(Call::DownloadFileById, Fault::HangUpInAnswer(5));
    lives_through(Call::ListFileNames, Fault::HangUpInAnswer(9));
}

#[test]
fn caps_are_told_at_once_and_not_tried_again() {
    for (call, refusal, code) in [
        (
            Call::UploadFile,
            Refusal::StorageCap,
            "storage_cap_exceeded",
        ),
        (
            Call::AuthorizeAccount,
            Refusal::TransactionCap,
            "transaction_cap_exceeded",
        ),
    ] {
        let cloud = with_letters("");
        cloud
            .server
            .faults()
            .next(1000, call, Fault::Refuse(refusal));
        let refused = cloud.try_copy("source", &format!("cloud:{BUCKET}"));
        refused.exits_with(1).says(code);
        let tried = cloud.server.counters().of(call);
        assert!(
            tried <= 12,
            "{tried} times {call:?}, six files twice at most"
        );
    }
    let cloud = with_letters("");
    cloud.copy("source", &format!("cloud:{BUCKET}"));
    let fault = Fault::Refuse(Refusal::DownloadCap);
    cloud
        .server
        .faults()
        .next(1000, Call::DownloadFileById, fault);
    let refused = cloud.try_copy(&format!("cloud:{BUCKET}"), "back");
    refused.exits_with(1).says("download_cap_exceeded");
}

#[test]
fn the_test_modes_that_b2_has_for_integrations_are_lived_through() {
    for mode in [
        "fail_some_uploads",
        "expire_some_account_authorization_tokens",
    ] {
        let cloud = with_letters(&format!("test_mode = {mode}\n"));
        there_and_back(&cloud);
        assert!(cloud.server.faults().met() > 0, "{mode}");
    }
    let cloud = with_letters("test_mode = force_cap_exceeded\n");
    let refused = cloud.try_copy("source", &format!("cloud:{BUCKET}"));
    refused.exits_with(1).says("cap_exceeded");
    assert_eq!(cloud.server.names(BUCKET), [""; 0]);
}

#[test]
fn a_slow_server_is_waited_for() {
    let cloud = with_letters("");
    cloud.server.set_pace(Pace {
        latency: Duration::from_millis(20),
        latency_of: BTreeMap::from([(Call::ListFileNames, Duration::from_millis(200))]),
        up: Some(1000),
        down: Some(1000),
    });
    cloud
        .server
        .faults()
        .next(1, Call::DownloadFileById, Fault::Slow(50));
    there_and_back(&cloud);
}
