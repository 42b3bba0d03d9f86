//! What a list of many snapshots costs, and that it is the same wherever they lie.

use std::fs;

use copal_b2_server::{Call, Class, Fault, Refusal};
use copal_testkit::Output;
use serde_json::Value;

use crate::cloud::{BUCKET, Cloud};

/// How many snapshots there are.
const SNAPSHOTS: usize = 50;

/// A world with so many snapshots in `many`, the same ones at the B2 server, and a directory there that was never
/// sealed. Some are pinned, verified or damaged.
fn cloud() -> Cloud {
    let cloud = Cloud::new();
    cloud.world.write("source/letter.txt", "Dear reader,\n");
    let backup = ["backup", "--source", "source", "--to", "first", "--json"];
    let json = cloud.world.copal(&backup).succeeds().json();
    let id = json["destinations"][0]["snapshot"].as_str().unwrap();
    let sealed = cloud.world.path(format!("first/source/{id}"));
    let manifest = fs::read_to_string(sealed.join(".copal/manifest.json")).unwrap();
    for n in 0..SNAPSHOTS {
        let other = format!("2001-02-03T0405{n:02}Z");
        let put = |name: &str, text: &str| {
            let path = format!("many/source/{other}/{name}");
            cloud.world.write(path, text);
        };
        put("letter.txt", "Dear reader,\n");
        put("notes/of/it.txt", "deep down");
        put(".copal/manifest.json", &manifest.replace(id, &other));
        if n % 5 == 0 {
            put(".copal/pin.json", "{}");
        }
        if n % 7 == 0 {
            put(".copal/verified.json", "no note");
        }
        if n % 11 == 0 {
            put(".copal/damaged.json", "no note");
        }
    }
    let never = "many/source/2001-02-03T050000Z";
    cloud.world.write(format!("{never}/letter.txt"), "Dear");
    let claim = format!("{never}/.copal/run-0123456789");
    cloud.world.write(claim, "");
    cloud.copy("many", &format!("cloud:{BUCKET}/copal"));
    cloud
}

#[track_caller]
fn list(cloud: &Cloud, from: &str) -> Output {
    let arguments = ["snapshots", "--json", "--from", from, "--name", "source"];
    cloud.world.copal(&arguments)
}

#[test]
fn many_snapshots_are_listed_by_two_listings_and_are_the_same_as_in_a_folder() {
    let cloud = cloud();
    cloud.server.reset_counters();
    let there = list(&cloud, &format!("cloud:{BUCKET}/copal"));
    let there = there.exits_with(1).json();
    let counters = cloud.server.counters();
    assert!(counters.of(Call::ListFileNames) <= 2, "{counters}");
    // Signing in takes the others, however many there are.
    assert!(counters.charged(Class::C) <= 8, "{counters}");
    // Four names are asked for, and what is there is fetched.
    let most = SNAPSHOTS as u64 * 6;
    assert!(counters.charged(Class::B) <= most, "{counters}");

    let listed = there.as_array().unwrap();
    assert_eq!(listed.len(), SNAPSHOTS, "{there:#}");
    for (n, one) in listed.iter().enumerate() {
        // A note that can't be read proves damage, and never that all is well.
        let state = if n % 11 == 0 { "damaged" } else { "sealed" };
        assert_eq!(one["state"], state, "{n}: {one:#}");
        assert_eq!(one["pinned"], n % 5 == 0, "{n}: {one:#}");
        assert_eq!(one["verification"], Value::Null, "{n}: {one:#}");
    }
    assert_eq!(there, list(&cloud, "many").exits_with(1).json());
}

/// Else a snapshot would be missing from the list, or its damage.
#[test]
fn what_can_not_be_asked_for_is_not_taken_for_missing() {
    let cloud = cloud();
    let fault = Fault::Refuse(Refusal::DownloadCap);
    let call = Call::DownloadFileByName;
    cloud.server.faults().every(40, call, fault);
    let refused = list(&cloud, &format!("cloud:{BUCKET}/copal"));
    refused.exits_with(1);
    assert_eq!(refused.stdout(), "", "{refused}");
    assert!(cloud.server.faults().met() > 0);
}
