//! What it costs to know how it stands with many snapshots, and that it is the same wherever they lie.

use std::fs;

use copal_b2_server::{Call, Class, Counters, Fault, Refusal};
use copal_testkit::Output;
use serde_json::Value;

use crate::cloud::{BUCKET, Cloud};

/// How many snapshots there are.
const SNAPSHOTS: usize = 50;

/// A world with so many snapshots in `many`, the same ones at the B2 server, and a directory there that was never
/// sealed. Some are pinned, verified or damaged.
fn cloud() -> Cloud {
    cloud_of(SNAPSHOTS)
}

fn cloud_of(snapshots: usize) -> Cloud {
    let cloud = Cloud::new();
    cloud.world.write("source/letter.txt", "Dear reader,\n");
    let backup = ["backup", "--source", "source", "--to", "first", "--json"];
    let json = cloud.world.copal(&backup).succeeds().json();
    let id = json["destinations"][0]["snapshot"].as_str().unwrap();
    let sealed = cloud.world.path(format!("first/source/{id}"));
    let manifest = fs::read_to_string(sealed.join(".copal/manifest.json")).unwrap();
    for n in 0..snapshots {
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

/// With a job whose snapshots they are, of which so many are to stay.
fn job(cloud: &Cloud, last: u32) {
    let config = format!(
        "name = 'source'\nsource.path = 'source'\nretention.last = {last}\n\
         [[destination]]\nremote = 'cloud:{BUCKET}/copal'\n"
    );
    cloud.world.write("copal.toml", config);
}

#[test]
fn a_backup_and_a_prune_take_as_many_listings_with_fifty_snapshots_as_with_five() {
    let listings = [5, SNAPSHOTS].map(|snapshots| {
        let cloud = cloud_of(snapshots);
        job(&cloud, 1000);
        let count = |command: &str| -> Counters {
            cloud.server.reset_counters();
            cloud.world.copal(&[command]).succeeds();
            cloud.server.counters()
        };
        // What is left of a run that died goes with the first.
        let (backup, prune) = (count("backup"), count("prune"));
        // Five names are asked for, of that run's as well; a prune reads no manifest where none goes.
        let most = 5 * (snapshots as u64 + 2) + 12;
        assert!(backup.charged(Class::B) <= most, "{backup}");
        assert!(prune.charged(Class::B) <= most, "{prune}");
        [backup, prune].map(|counters| counters.charged(Class::C))
    });
    assert_eq!(listings[0], listings[1]);
}

#[test]
fn a_prune_knows_of_many_snapshots_what_lies_beside_their_manifests() {
    let cloud = cloud();
    let empty = "2001-02-03T041500Z";
    cloud
        .world
        .write(format!("many/source/{empty}/.copal/manifest.json"), "");
    cloud.copy("many", &format!("cloud:{BUCKET}/copal"));
    job(&cloud, 1);
    let told = cloud.world.copal(&["prune", "--dry-run", "--json"]);
    let told = told.succeeds().json();
    let snapshots = told[0]["snapshots"].as_array().unwrap();
    assert_eq!(snapshots.len(), SNAPSHOTS + 1, "{told:#}");
    for one in snapshots {
        let id = one["snapshot"].as_str().unwrap();
        let has = |reason: &str| one["reasons"].as_array().unwrap().contains(&reason.into());
        let n: usize = id[15..17].parse().unwrap();
        if id == empty {
            assert!(has("its manifest is damaged"), "{one:#}");
            continue;
        }
        let (pinned, damaged) = (n.is_multiple_of(5), n.is_multiple_of(11));
        assert_eq!(has("pinned"), pinned, "{one:#}");
        assert_eq!(has("verify found it damaged"), damaged, "{one:#}");
        let stays = pinned || damaged || n == SNAPSHOTS - 1;
        assert_eq!(one["verdict"] == "keep", stays, "{one:#}");
    }
    let left = told[0]["not_sealed"].as_array().unwrap();
    assert_eq!(left.len(), 1, "{told:#}");
    assert_eq!(left[0]["verdict"], "remove", "{told:#}");
}

/// Else one would be taken for unsealed, or for one that nobody pinned.
#[test]
fn nothing_goes_where_it_can_not_be_asked_how_it_stands_with_one_snapshot() {
    let cloud = cloud();
    job(&cloud, 1);
    let before = cloud.server.names(BUCKET);
    let fault = Fault::Refuse(Refusal::DownloadCap);
    let call = Call::DownloadFileByName;
    cloud.server.faults().every(200, call, fault);
    cloud.world.copal(&["prune"]).exits_with(1).says(" next: ");
    assert!(cloud.server.faults().met() > 0);
    assert_eq!(cloud.server.names(BUCKET), before);
}
