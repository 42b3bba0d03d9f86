use std::fs;

use copal_testkit::{Output, World};

use crate::common::{configure, line_to_add, sealed, world_with};

const NAME: &str = "shrink-guard";
const GRANT: &str = "grants = { state = true }";

fn world_with_files(count: usize) -> World {
    let world = world_with(NAME);
    fs::remove_dir_all(world.source()).unwrap();
    for number in 0..count {
        world.write(format!("source/{number}.txt"), "ten bytes\n");
    }
    configure(&world, NAME, GRANT, "");
    world
}

fn remove(world: &World, numbers: std::ops::Range<usize>) {
    for number in numbers {
        fs::remove_file(world.path(format!("source/{number}.txt"))).unwrap();
    }
}

#[test]
fn a_snapshot_that_lost_more_than_half_is_refused_before_anything_is_transferred() {
    let world = world_with_files(10);
    world.copal(&["backup"]).succeeds();
    remove(&world, 0..6);
    for _again in 0..2 {
        let refused = world.copal(&["backup"]);
        refused.exits_with(1);
        refused.says(
            "4 files with 40 bytes are staged, where the last snapshot had 10 files with 100 bytes",
        );
        assert_eq!(sealed(&world), 1, "{refused}");
        let snapshots = fs::read_dir(world.vault().join("letters")).unwrap().count();
        assert_eq!(snapshots, 1, "nothing else was put there");
    }
}

#[test]
fn the_figures_that_its_message_says_to_accept_are_accepted_and_remembered() {
    let world = world_with_files(10);
    world.copal(&["backup"]).succeeds();
    remove(&world, 0..6);
    let refused = world.copal(&["backup"]);
    let line = config_to_put(&refused);
    assert_eq!(line, "config = { accept = { files = 4, bytes = 40 } }");
    configure(&world, NAME, &format!("{GRANT}\n{line}"), "");
    world.copal(&["backup"]).succeeds();
    // What was sealed is what the next one is compared with.
    configure(&world, NAME, GRANT, "");
    remove(&world, 6..8);
    world.copal(&["backup"]).succeeds();
    assert_eq!(sealed(&world), 3);
}

#[test]
fn the_line_that_its_message_says_keeps_the_rest_of_the_config() {
    let world = world_with_files(10);
    let strict = format!("{GRANT}\nconfig.max-loss-percent = 20");
    configure(&world, NAME, &strict, "");
    world.copal(&["backup"]).succeeds();
    remove(&world, 0..3);
    let refused = world.copal(&["backup"]);
    refused.exits_with(1);
    let line = config_to_put(&refused);
    assert!(line.contains("max-loss-percent = 20"), "{line}");
    configure(&world, NAME, &format!("{GRANT}\n{line}"), "");
    world.copal(&["backup"]).succeeds();
}

/// The line of copal.toml that a refusal says.
fn config_to_put(refused: &Output) -> String {
    let mut lines = refused.stderr().lines();
    let line = lines.find_map(|line| Some(&line[line.find("config = {")?..]));
    line.unwrap_or_else(|| panic!("no line to put\n{refused}"))
        .to_owned()
}

#[test]
fn a_loss_that_comes_in_bytes_alone_is_noticed() {
    let world = world_with_files(3);
    world.write("source/large.bin", vec![0; 5000]);
    world.copal(&["backup"]).succeeds();
    world.write("source/large.bin", "");
    world
        .copal(&["backup"])
        .exits_with(1)
        .says("4 files with 30 bytes");
}

#[test]
fn a_run_that_failed_later_is_not_what_the_next_one_is_compared_with() {
    let world = world_with_files(3);
    world.copal(&["backup"]).succeeds();
    for number in 0..30 {
        world.write(format!("source/more-{number}.txt"), "ten bytes\n");
    }
    // The staging succeeds; a hook of the same phase ends the run.
    let late = "[[hook]]\nname = \"late\"\nfile = \"hooks/shrink-guard.wasm\"\n";
    let digest = copal_testkit::sha256(crate::common::component(NAME));
    let late = format!("{late}sha256 = \"{digest}\"\nconfig.max-loss-percent = 101\n");
    configure(&world, NAME, GRANT, &late);
    world
        .copal(&["backup"])
        .exits_with(1)
        .says("max-loss-percent");
    for number in 0..30 {
        fs::remove_file(world.path(format!("source/more-{number}.txt"))).unwrap();
    }
    configure(&world, NAME, GRANT, "");
    world.copal(&["backup"]).succeeds();
}

#[test]
fn without_its_grant_the_run_ends_and_the_line_that_is_told_is_enough() {
    let world = world_with_files(3);
    configure(&world, NAME, "", "");
    let denied = world.copal(&["backup"]);
    denied.exits_with(2).says("state");
    assert_eq!(sealed(&world), 0);
    let line = line_to_add(&denied);
    assert_eq!(line, GRANT);
    configure(&world, NAME, &line, "");
    world.copal(&["backup"]).succeeds();
}
