//! What `bwlimit` allows is not exceeded, on the way to a remote over HTTP too.

use copal_b2_server::B2Server;
use copal_testkit::{Random, World};

use crate::cloud::BUCKET;

const MEGABYTES: u32 = 6;

/// How long the run took, in seconds.
#[track_caller]
fn back_up(rclone: &str) -> f64 {
    let world = World::new(env!("CARGO_BIN_EXE_copal"));
    let server = B2Server::start();
    server.add_bucket(BUCKET);
    world.add_remote("cloud", &server.rclone_section(&server.master_key()));
    for n in 0..MEGABYTES {
        let bytes = Random::new(u64::from(n), "bytes").bytes(1 << 20);
        world.write(format!("source/{n}"), bytes);
    }
    let destination = format!("[[destination]]\nremote = 'cloud:{BUCKET}'\n");
    let config = format!("name = 'app'\nsource.path = 'source'\n{destination}[rclone]\n{rclone}\n");
    world.write("copal.toml", config);
    let json = world.copal(&["backup", "--json"]).succeeds().json();
    json["seconds"].as_f64().unwrap()
}

#[test]
fn a_limit_of_bandwidth_and_a_timetable_of_limits_hold_for_b2() {
    let least = f64::from(MEGABYTES);
    for limit in ["1M", "00:00,1M 12:00,1M", "Mon-00:00,1M Thu-12:30,1M:off"] {
        let took = back_up(&format!("bwlimit = '{limit}'"));
        assert!(took >= least, "{limit}: {took} s");
    }
}
