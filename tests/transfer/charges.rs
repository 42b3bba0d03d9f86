//! What a run tells of what it costs, beside what the server counted.

use copal_b2_server::{Class, Counters};
use serde_json::Value;

use crate::cloud::{BUCKET, Cloud, SMALL_PARTS};

/// A world that backs up to a B2 server and to a folder.
fn cloud() -> Cloud {
    let cloud = Cloud::with(SMALL_PARTS);
    for n in 0..30 {
        let name = format!("source/uploads/{n:02}.txt");
        cloud.world.write(name, format!("file {n}"));
    }
    cloud.write_random("source/large.bin", (6 << 20) + 345);
    let first = format!("[[destination]]\nremote = 'cloud:{BUCKET}/first'\n");
    let second = "[[destination]]\nremote = 'vault'\n";
    let config = format!("name = 'app'\nsource.path = 'source'\n{first}{second}");
    cloud.world.write("copal.toml", config);
    cloud
}

/// Backs up: what the result and the history tell of the destination, which the server's count bears out.
#[track_caller]
fn back_up(cloud: &Cloud) -> Value {
    cloud.server.reset_counters();
    let json = cloud.world.copal(&["backup", "--json"]).succeeds().json();
    let counters = cloud.server.counters();
    let told = json["destinations"][0].clone();
    for (class, name) in [
        (Class::A, "class_a"),
        (Class::B, "class_b"),
        (Class::C, "class_c"),
    ] {
        let calls = told["calls"][name].as_u64();
        let calls = calls.unwrap_or_else(|| panic!("nothing of {name}: {told:#}"));
        let counted = counters.charged(class);
        assert!(
            calls.abs_diff(counted) * 10 <= counted,
            "{name}: {calls} told\n{counters}"
        );
    }
    bytes_agree(&told, &counters);
    let folder = &json["destinations"][1];
    assert_eq!(folder["calls"], Value::Null, "{folder:#}");
    let kept = ["history", "show", "latest", "--json"];
    let kept = cloud.world.copal(&kept).succeeds().json();
    let record = &kept["snapshots"][0];
    for name in ["calls", "uploaded_files", "uploaded_bytes", "copied_files"] {
        assert_eq!(record[name], told[name], "{name}: {record:#}");
    }
    told
}

/// What was uploaded, beside the few kilobytes of the snapshot's own files.
#[track_caller]
fn bytes_agree(told: &Value, counters: &Counters) {
    let uploaded = told["uploaded_bytes"].as_u64().unwrap();
    let beside = counters.bytes_up.checked_sub(uploaded);
    assert!(
        beside.is_some_and(|beside| beside < 40_000),
        "{uploaded} told\n{counters}"
    );
}

#[test]
fn a_run_tells_what_it_uploaded_and_what_its_calls_to_b2_are_charged_as() {
    let cloud = cloud();
    let told = back_up(&cloud);
    assert_eq!(told["uploaded_files"], 31, "{told:#}");
    assert_eq!(told["copied_files"], 0, "{told:#}");

    let told = back_up(&cloud);
    assert_eq!(told["uploaded_files"], 0, "{told:#}");
    assert_eq!(told["copied_files"], 31, "{told:#}");

    cloud.world.write("source/uploads/03.txt", "another text");
    cloud.world.write("source/uploads/new.txt", "a new one");
    let told = back_up(&cloud);
    assert_eq!(told["uploaded_files"], 2, "{told:#}");
    assert_eq!(told["copied_files"], 30, "{told:#}");

    let output = cloud.world.copal(&["backup"]);
    let text = output.succeeds().stdout();
    assert!(text.contains("\n  calls to B2: "), "{text}");
}
