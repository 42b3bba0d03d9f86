//! What a run may upload.

use copal_b2_server::B2Server;
use copal_testkit::{Output, Random, World};

use crate::cloud::BUCKET;

fn back_up(world: &World, limits: &str) -> Output {
    let config = format!(
        "name = 'app'\nsource.path = 'source'\n[[destination]]\nremote = 'cloud:{BUCKET}'\n{limits}"
    );
    world.write("copal.toml", config);
    world.copal(&["backup", "--json"])
}

#[test]
fn more_than_may_be_uploaded_is_told_before_any_of_it_is_sent() {
    let world = World::new(env!("CARGO_BIN_EXE_copal"));
    let server = B2Server::start();
    server.add_bucket(BUCKET);
    world.add_remote("cloud", &server.rclone_section(&server.master_key()));
    for name in ["one", "two", "three"] {
        let bytes = Random::new(5, name).bytes(400_000);
        world.write(format!("source/{name}"), bytes);
    }
    let refused = back_up(&world, "[limits]\nmax_transfer = '1 MiB'");
    refused
        .exits_with(1)
        .says("`max_transfer` is 1.0 MiB")
        .says(" next: ");
    assert!(server.counters().bytes_up < 1000, "{}", server.counters());
    assert_eq!(server.names(BUCKET), [""; 0]);

    back_up(&world, "[limits]\nmax_transfer = '2 MiB'").succeeds();
    // What the remote copies is not uploaded.
    world.write("source/four", Random::new(5, "four").bytes(400_000));
    back_up(&world, "[limits]\nmax_transfer = '1 MiB'").succeeds();
}
