//! Snapshots and jobs by their names.

use copal_testkit::World;

use crate::common::{back_up, redate, small_world};

const OLD: &str = "2001-02-03T040506Z";
const OLDER: &str = "2001-02-03T010203Z";

#[track_caller]
fn found(world: &World, name: &str) -> String {
    let output = world.copal(&["verify", name, "--from", "vault:", "--json"]);
    output.succeeds();
    output.json()["snapshot"].as_str().unwrap().to_owned()
}

#[test]
fn a_snapshot_is_found_by_its_id_its_beginning_its_date_and_as_the_latest() {
    let world = small_world();
    let id = back_up(&world);
    redate(&world, &id, OLD);
    redate(&world, &id, OLDER);
    redate(&world, &id, "2002-12-31T235959Z");
    assert_eq!(found(&world, "latest"), id);
    assert_eq!(found(&world, &id), id);
    assert_eq!(found(&world, OLDER), OLDER);
    assert_eq!(found(&world, "2001-02-03T04"), OLD);
    assert_eq!(found(&world, "2002-12-31"), "2002-12-31T235959Z");

    let restore = |name| world.copal(&["restore", name, "--from", "vault:", "--to", "out"]);
    let ambiguous = restore("2001-02-03");
    ambiguous.exits_with(2).says("stands for 2 snapshots");
    ambiguous.says(OLD).says(OLDER);
    let unknown = restore("1999");
    unknown.exits_with(2).says("`1999`").says(&id);
    assert!(!world.path("out").exists());
}

#[test]
fn two_backups_within_a_second_are_two_snapshots() {
    let world = small_world();
    let ids = [(); 3].map(|()| back_up(&world));
    assert!(ids[0] < ids[1] && ids[1] < ids[2], "{ids:?}");
    let listed = world.copal(&["snapshots", "--from", "vault:", "--json"]);
    assert_eq!(listed.json().as_array().unwrap().len(), 3);
}

#[test]
fn a_place_with_several_names_asks_which_is_meant() {
    let world = small_world();
    let none = world.copal(&["snapshots", "--from", "vault:"]);
    none.exits_with(2).says("holds no snapshots");
    for name in ["chat", "wiki"] {
        let backup = ["backup", "--source", "source", "--to", "vault:", "--name"];
        world.copal(&[&backup[..], &[name]].concat()).succeeds();
    }
    let several = world.copal(&["snapshots", "--from", "vault:"]);
    several.exits_with(2).says("chat, wiki").says("--name NAME");
    let one = world.copal(&["snapshots", "--from", "vault:", "--name", "wiki"]);
    assert!(one.succeeds().stdout().starts_with("wiki/"), "{one}");
}
