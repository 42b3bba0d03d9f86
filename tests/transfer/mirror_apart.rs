//! A mirror keeps apart from all that is another's, in whatever words that is named.

use std::fs;
use std::os::unix::fs::symlink;

use copal_testkit::{Output, World};

use crate::cloud::{BUCKET, Cloud};

fn world() -> World {
    let world = World::new(env!("CARGO_BIN_EXE_copal"));
    fill(&world);
    world
}

fn fill(world: &World) {
    for part in ["uploads", "docs"] {
        for n in 0..3 {
            world.write(format!("source/{part}/{part}{n}.txt"), part);
        }
    }
}

/// A job of this name, with a mirror at each place: of the whole source where there is no map.
fn configure(world: &World, name: &str, mirrors: &[(&str, &str)]) {
    let mirrors = mirrors.iter().map(|(remote, map)| {
        let map = match *map {
            "" => String::new(),
            map => format!("map = {map}\n"),
        };
        let lines = "layout = 'mirror'\nmax_delete = 1000";
        format!("[[destination]]\nremote = \"{remote}\"\n{lines}\n{map}")
    });
    let mirrors: Vec<String> = mirrors.collect();
    let job = format!("name = '{name}'\nsource.path = 'source'\n");
    world.write("copal.toml", job + &mirrors.concat());
}

#[track_caller]
fn refused(output: &Output, why: &str) {
    output.exits_with(2).says(why).says(" next: ");
}

const UPLOADS: &str = "{ 'uploads' = 'x' }";
const DOCS: &str = "{ 'docs' = 'x' }";

#[test]
fn two_destinations_that_are_one_place_in_other_words_are_refused() {
    let world = world();
    let vault = world.vault().display().to_string();
    world.add_remote("again", "type = alias\nremote = vault:m/");
    fs::create_dir(world.vault().join("m")).unwrap();
    symlink(world.vault().join("m"), world.path("linked")).unwrap();
    configure(&world, "app", &[("vault:m", UPLOADS)]);
    world.copal(&["backup"]).succeeds();
    let other_words = [
        format!("{vault}/m"),
        format!("{vault}/./m/"),
        format!("{vault}//m"),
        format!(":local:{vault}/m"),
        "again:".to_owned(),
        world.path("linked").display().to_string(),
    ];
    for other in other_words {
        configure(&world, "app", &[("vault:m", UPLOADS), (&other, DOCS)]);
        for command in [&["backup"][..], &["backup", "--dry-run"]] {
            let output = world.copal(command);
            refused(&output, "would have each other's files");
        }
        let inside = format!("{other}/x/deep");
        configure(&world, "app", &[("vault:m", UPLOADS), (&inside, DOCS)]);
        refused(&world.copal(&["backup"]), "would have each other's files");
    }
    assert!(world.vault().join("m/x/uploads0.txt").exists());
    assert!(!world.vault().join("m/x/docs0.txt").exists());
    let apart = format!("{vault}/m2");
    configure(&world, "app", &[("vault:m", UPLOADS), (&apart, DOCS)]);
    world.copal(&["backup"]).succeeds();
}

#[test]
fn a_mirror_in_the_folders_of_another_jobs_is_refused() {
    let world = world();
    configure(&world, "one", &[("vault:m", UPLOADS)]);
    world.copal(&["backup"]).succeeds();
    for inside in ["vault:m/x", "vault:m/x/deep/er"] {
        configure(&world, "two", &[(inside, "")]);
        let output = world.copal(&["backup"]);
        refused(&output, "lies in the folders of a mirror");
        output.says("the job `one`");
    }
    assert!(world.vault().join("m/x/uploads0.txt").exists());
    // Beside these folders there is room.
    configure(&world, "two", &[("vault:m/y", "")]);
    world.copal(&["backup"]).succeeds();
    configure(&world, "whole", &[("vault:all", "")]);
    world.copal(&["backup"]).succeeds();
    configure(&world, "two", &[("vault:all/y", "")]);
    refused(&world.copal(&["backup"]), "lies in the folders of a mirror");
}

#[test]
fn both_are_so_on_b2() {
    let cloud = Cloud::new();
    fill(&cloud.world);
    let key = cloud.server.master_key();
    cloud.add_remote("same", &key, "");
    let top = format!("cloud:{BUCKET}/m");
    let other = format!("same:{BUCKET}/m");
    configure(&cloud.world, "app", &[(&top, UPLOADS), (&other, DOCS)]);
    let output = cloud.world.copal(&["backup"]);
    refused(&output, "would have each other's files");
    configure(&cloud.world, "app", &[(&top, UPLOADS)]);
    cloud.world.copal(&["backup"]).succeeds();
    let inside = format!("same:{BUCKET}/m/x/deep");
    configure(&cloud.world, "two", &[(&inside, "")]);
    let output = cloud.world.copal(&["backup"]);
    refused(&output, "lies in the folders of a mirror");
    let beside = format!("same:{BUCKET}/m/y");
    configure(&cloud.world, "two", &[(&beside, "")]);
    cloud.world.copal(&["backup"]).succeeds();
}

#[test]
fn nothing_is_deleted_through_a_link_that_a_remote_is_made_to_follow() {
    let world = world();
    let follows = format!(":local,copy_links=true:{}", world.path("dst").display());
    configure(&world, "app", &[(&follows, "")]);
    world.copal(&["backup"]).succeeds();
    world.write("elsewhere/precious", "somebody's");
    symlink(world.path("elsewhere"), world.path("dst/uploads/out")).unwrap();
    for command in [&["backup", "--dry-run"][..], &["backup"]] {
        refused(&world.copal(command), "/dst/uploads/out` is a link to");
        assert!(world.path("elsewhere/precious").exists());
    }
    configure(&world, "app", &[("vault:m", "")]);
    let text = fs::read_to_string(world.path("copal.toml")).unwrap();
    for name in ["copy_links", "local_copy_links"] {
        world.write("copal.toml", format!("{text}[rclone]\n{name} = true\n"));
        let told = world.copal(&["backup"]);
        told.exits_with(2)
            .says(&format!("rclone does not take the option `{name}`"));
    }
}

#[test]
fn a_linked_directory_in_a_mirrors_folder_is_refused_by_name_and_nothing_is_written_through_it() {
    let world = world();
    world.write("source/uploads/sub/f.txt", "new");
    configure(&world, "app", &[("vault:m", UPLOADS)]);
    world.write("elsewhere/f.txt", "precious");
    let there = world.vault().join("m");
    fs::create_dir_all(there.join("x")).unwrap();
    symlink(world.path("elsewhere"), there.join("x/sub")).unwrap();
    for command in [&["backup", "--dry-run"][..], &["backup"]] {
        let output = world.copal(command);
        refused(&output, "m/x/sub` is a link to ");
        output.says("elsewhere");
    }
    // So is the folder itself, and another directory that leads out is nobody's business.
    fs::remove_file(there.join("x/sub")).unwrap();
    symlink(world.path("elsewhere"), there.join("x/other")).unwrap();
    world.copal(&["backup"]).succeeds();
    fs::remove_dir_all(there.join("x")).unwrap();
    symlink(world.path("elsewhere"), there.join("x")).unwrap();
    refused(&world.copal(&["backup"]), "m/x` is a link to ");
    let text = fs::read_to_string(world.path("elsewhere/f.txt")).unwrap();
    assert_eq!(text, "precious");
    // What leads to the destination may be one.
    symlink(world.vault().join("m2"), world.path("linked")).unwrap();
    let linked = world.path("linked").display().to_string();
    fs::create_dir(world.vault().join("m2")).unwrap();
    configure(&world, "app", &[(&linked, UPLOADS)]);
    world.copal(&["backup"]).succeeds();
}
