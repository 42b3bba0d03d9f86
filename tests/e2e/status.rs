//! `copal status`: whether there is a good backup, and how old it is.

use crate::common::small_world;

const JOB: &str = "name = \"app\"\nmax_age = \"1h\"\nsource.path = \"source\"\n[[destination]]\nremote = \"vault:\"\n[[destination]]\nremote = \"second\"\n";

#[test]
fn a_destination_without_a_good_backup_fails_the_check_until_it_has_one() {
    let world = small_world();
    world.write("copal.toml", JOB);
    let status = world.copal(&["status"]);
    status.exits_with(1);
    assert!(
        status
            .stdout()
            .contains("never       vault:: no good backup"),
        "{status}"
    );

    // One destination can't be written to.
    world.write("second", "a file");
    world.copal(&["backup"]).exits_with(3);
    let status = world.copal(&["status", "--json"]);
    status.exits_with(1);
    let told = status.json();
    assert_eq!(told["destinations"][0]["state"], "ok", "{told:#}");
    assert_eq!(told["destinations"][1]["state"], "never", "{told:#}");
    assert_eq!(told["last_run"]["exit"], 3, "{told:#}");

    std::fs::remove_file(world.path("second")).unwrap();
    world.copal(&["backup"]).succeeds();
    let status = world.copal(&["status"]);
    status.succeeds();
    assert!(status.stdout().contains("not scheduled"), "{status}");
}

#[test]
fn a_backup_that_is_older_than_it_may_be_fails_the_check() {
    let world = small_world();
    world.write("copal.toml", JOB.replace("1h", "1ms"));
    world.copal(&["backup"]).succeeds();
    let status = world.copal(&["status"]);
    status.exits_with(1);
    assert!(status.stdout().contains("overdue"), "{status}");
}
