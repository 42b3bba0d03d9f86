use std::fs::File;
use std::time::{Duration, SystemTime};

use copal_testkit::World;

use crate::common::{configure, world_with};

const NAME: &str = "size-age-filter";
const DAY: Duration = Duration::from_hours(24);

fn age(world: &World, path: &str, age: Duration) {
    let file = File::options().write(true).open(world.path(path)).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

fn listed(world: &World) -> String {
    world.copal(&["backup"]).succeeds();
    let listing = world.copal(&["ls", "latest"]);
    listing.succeeds();
    listing.stdout().to_owned()
}

#[test]
fn files_are_left_out_by_size_age_and_suffix_unless_they_are_kept() {
    let world = world_with(NAME);
    for path in ["big.bin", "precious.bin", "models/big.bin"] {
        world.write(format!("source/{path}"), vec![0; 2000]);
    }
    for path in ["logs/old.log", "logs/new.log", "logs/old.txt", "old.log"] {
        world.write(format!("source/{path}"), "x");
    }
    world.write("source/upload.part", "x");
    for path in ["logs/old.log", "logs/old.txt", "old.log"] {
        age(&world, &format!("source/{path}"), 40 * DAY);
    }
    let lines = r#"
[hook.config]
keep = ["precious.bin", "models/"]

[[hook.config.leave-out]]
larger-than = "1 KB"

[[hook.config.leave-out]]
below = "logs/"
suffixes = [".log"]
older-than = "30d"

[[hook.config.leave-out]]
suffixes = [".part"]
"#;
    configure(&world, NAME, lines, "");
    let listing = listed(&world);
    for kept in [
        "precious.bin",
        "models/big.bin",
        "logs/new.log",
        "logs/old.txt",
        "letter.txt",
    ] {
        assert!(listing.contains(kept), "{kept} in\n{listing}");
    }
    let names: Vec<&str> = listing.split_whitespace().collect();
    for gone in ["big.bin", "logs/old.log", "upload.part"] {
        assert!(!names.contains(&gone), "{gone} in\n{listing}");
    }
    assert!(
        names.contains(&"old.log"),
        "it is not below logs/\n{listing}"
    );
}

#[test]
fn what_was_written_a_moment_ago_can_be_left_out() {
    let world = world_with(NAME);
    age(&world, "source/letter.txt", DAY);
    let lines = "config = { leave-out = [{ newer-than = \"1h\" }] }";
    configure(&world, NAME, lines, "");
    let listing = listed(&world);
    assert!(
        listing.contains("letter.txt") && !listing.contains("first.txt"),
        "{listing}"
    );
}

#[test]
fn what_is_left_out_for_its_age_or_size_alone_stays_in_a_mirror() {
    let world = world_with(NAME);
    for name in ["hot.txt", "grows.txt", "gone.txt"] {
        let path = format!("source/{name}");
        world.write(&path, "x");
        age(&world, &path, DAY);
    }
    age(&world, "source/letter.txt", DAY);
    let lines = "config = { leave-out = [{ newer-than = \"1h\" }, { larger-than = \"1 KB\" }] }";
    configure(&world, NAME, lines, "");
    let config = std::fs::read_to_string(world.path("copal.toml")).unwrap();
    let mirror = "remote = \"vault:mirror\", layout = \"mirror\"";
    world.write("copal.toml", config.replace("remote = \"vault:\"", mirror));
    world.copal(&["backup"]).succeeds();
    world.write("source/hot.txt", "written a moment ago");
    world.write("source/grows.txt", vec![0; 2000]);
    age(&world, "source/grows.txt", DAY);
    std::fs::remove_file(world.path("source/gone.txt")).unwrap();
    world.copal(&["backup"]).succeeds();
    let there = |name: &str| world.vault().join("mirror").join(name).exists();
    assert!(there("hot.txt") && there("grows.txt"));
    assert!(!there("gone.txt"));
}

#[test]
fn a_rule_that_makes_no_sense_is_told_by_its_key() {
    let world = world_with(NAME);
    for (config, words) in [
        ("leave-out = []", "`leave-out` is empty"),
        ("leave-out = [{}]", "says neither"),
        ("leave-out = [{ larger-than = \"1.5 GB\" }]", "1.5 GB"),
        ("leave-out = [{ older-than = \"30\" }]", "expected an age"),
        ("leave-out = [{ suffixes = [\"\"] }]", "an empty text"),
        (
            "leave-out = [{ suffixes = [\"a\"], below = \"../x\" }]",
            "../x",
        ),
        (
            "leave-out = [{ suffixes = [\"a\"] }], keep = [\"/\"]",
            "`keep`",
        ),
    ] {
        configure(&world, NAME, &format!("config = {{ {config} }}"), "");
        let output = world.copal(&["backup"]);
        assert_ne!(output.code(), Some(0), "{output}");
        output.says(words);
    }
}
