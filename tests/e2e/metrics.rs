//! Metrics, printed and written for a collector.

use std::fs;

use copal_testkit::World;

use crate::common::small_world;

fn metered(name: &str) -> World {
    let world = small_world();
    fs::create_dir(world.path("collected")).unwrap();
    configure(&world, name);
    world
}

fn configure(world: &World, name: &str) {
    world.write(
        "copal.toml",
        format!(
            "name = \"{name}\"\nmax_age = \"26h\"\nsource.path = \"source\"\n\
             destination = [{{ remote = \"vault:\" }}, {{ remote = \"vault:other\" }}]\n\n\
             [metrics]\nfile = \"collected/copal.prom\"\n"
        ),
    );
}

fn written(world: &World) -> String {
    fs::read_to_string(world.path("collected/copal.prom")).unwrap()
}

/// The value of the sample with this name and these labels.
#[track_caller]
fn value(text: &str, sample: &str) -> f64 {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{sample} ")));
    let line = line.unwrap_or_else(|| panic!("no {sample}\n{text}"));
    line.parse().unwrap()
}

#[test]
fn each_run_writes_what_the_command_prints() {
    let world = metered("letters");
    let none = world.copal(&["metrics"]);
    let never = "copal_last_success_timestamp_seconds{name=\"letters\",destination=\"vault:\",layout=\"snapshots\"}";
    assert!(value(none.succeeds().stdout(), never) == 0.0, "{none}");
    world.copal(&["backup"]).succeeds();
    let printed = world.copal(&["metrics"]);
    let printed = printed.succeeds().stdout().to_owned();
    assert_eq!(
        written(&world),
        format!("# Copal's metrics of the job letters\n{printed}")
    );
    assert!(value(&printed, never) > 1.7e9, "{printed}");
    for (sample, expected) in [
        ("copal_last_run_exit_code{name=\"letters\"}", 0.0),
        (
            "copal_last_run_outcome{name=\"letters\",outcome=\"succeeded\"}",
            1.0,
        ),
        (
            "copal_last_run_outcome{name=\"letters\",outcome=\"failed\"}",
            0.0,
        ),
        (
            "copal_snapshot_files{name=\"letters\",destination=\"vault:other\",layout=\"snapshots\"}",
            3.0,
        ),
        ("copal_max_age_seconds{name=\"letters\"}", 93_600.0),
        ("copal_services_held{name=\"letters\"}", 0.0),
    ] {
        let told = value(&printed, sample);
        assert!((told - expected).abs() < 0.5, "{sample} is {told}");
    }
    // Names, kinds and helps, without what differs between runs.
    let shape = printed.lines().map(|line| match line.strip_prefix('#') {
        Some(_) => line,
        None => line.split(' ').next().unwrap(),
    });
    let shape = shape.collect::<Vec<_>>().join("\n");
    let version = concat!("version=\"", env!("CARGO_PKG_VERSION"), "\"");
    insta::assert_snapshot!(shape.replace(version, "version=\"[version]\""));
}

#[test]
fn a_run_that_fails_writes_too_and_the_last_success_stays() {
    let world = metered("letters");
    world.copal(&["backup"]).succeeds();
    let success = "copal_last_success_timestamp_seconds{name=\"letters\",destination=\"vault:\",layout=\"snapshots\"}";
    let before = value(&written(&world), success);
    fs::rename(world.source(), world.path("away")).unwrap();
    world.copal(&["backup"]).exits_with(2);
    let after = written(&world);
    assert!((value(&after, success) - before).abs() < 0.001, "{after}");
    let failed = "copal_last_run_outcome{name=\"letters\",outcome=\"failed\"}";
    assert!(value(&after, failed) > 0.0, "{after}");
    assert!(value(&after, "copal_last_run_exit_code{name=\"letters\"}") > 0.0);
    world.copal(&["metrics", "--json"]).succeeds().json();
}

#[test]
fn what_can_not_be_written_is_exit_code_3_in_the_history_too_and_keeps_nothing_from_being_sealed() {
    let world = metered("letters");
    world.copal(&["backup"]).succeeds();
    let of_letters = written(&world);
    configure(&world, "photos");
    let another = world.copal(&["backup"]);
    another.exits_with(3).says("is not one of the job `photos`");
    another.says(" next: name a `file` of its own for each job in [metrics]");
    assert!(another.stdout().starts_with("sealed photos/"), "{another}");
    assert_eq!(written(&world), of_letters);
    fs::remove_dir_all(world.path("collected")).unwrap();
    let gone = world.copal(&["backup"]);
    gone.exits_with(3).says("can't write the metrics");
    let shown = world.copal(&["history", "show", "latest", "--json"]).json();
    assert_eq!(
        (&shown["exit"], &shown["outcome"]),
        (&3.into(), &"warned".into()),
        "{shown}"
    );
}
