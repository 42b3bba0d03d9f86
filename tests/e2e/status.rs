//! `copal status`: whether there is a good backup, and how old it is.

use std::fs;

use copal_testkit::wait_until;
use rustix::process::Signal;

use crate::common::{PATIENCE, small_world};
use crate::specimen::{configure, hook, world_with_specimen};

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

    fs::remove_file(world.path("second")).unwrap();
    world.copal(&["backup"]).succeeds();
    let status = world.copal(&["status"]);
    status.succeeds();
    assert!(status.stdout().contains("not scheduled"), "{status}");
}

#[test]
fn a_destination_tells_when_it_was_last_verified_and_drilled_and_what_was_found() {
    let world = small_world();
    world.write("copal.toml", JOB);
    world.copal(&["backup"]).succeeds();
    let first = || world.copal(&["status", "--json"]).json()["destinations"][0].clone();
    assert!(first()["verified"].is_null(), "{:#}", first());
    world.copal(&["drill"]).succeeds();
    let drilled = first()["drilled"].clone();
    assert_eq!(drilled["snapshot"], first()["snapshot"], "{:#}", first());
    assert_eq!(first()["verified"], drilled, "a drill verifies");
    world.copal(&["verify"]).succeeds();
    assert_ne!(first()["verified"], drilled);
    assert_eq!(first()["drilled"], drilled);
    let rows = world.copal(&["history", "--json"]).succeeds().json();
    assert_eq!(rows.as_array().unwrap().last().unwrap()["kind"], "verify");

    let id = first()["snapshot"].as_str().unwrap().to_owned();
    world.write(format!("vault/app/{id}/letter.txt"), "not what was sealed");
    world.copal(&["verify"]).exits_with(1);
    let status = world.copal(&["status"]);
    status.exits_with(1);
    assert!(status.stdout().contains("damaged     vault:"), "{status}");
}

#[test]
fn a_lost_history_learns_of_the_runs_from_the_manifests() {
    let world = small_world();
    world.write("copal.toml", JOB);
    world.copal(&["backup"]).succeeds();
    let before = world.copal(&["status", "--json"]).json();
    for damage in [false, true] {
        let file = world.path("home/.local/state/copal/history.sqlite3");
        fs::remove_file(&file).unwrap();
        if damage {
            fs::write(&file, "nothing that SQLite would know").unwrap();
        }
        world
            .copal(&["snapshots"])
            .succeeds()
            .says("1 run that the history did not know");
        let again = world.copal(&["snapshots"]);
        assert!(
            !again.succeeds().stderr().contains("did not know"),
            "{again}"
        );
        let after = world.copal(&["status", "--json"]).json();
        let first = |told: &serde_json::Value| told["destinations"][0]["snapshot"].clone();
        assert_eq!(first(&after), first(&before), "{after:#}");
        let shown = world.copal(&["history", "show", "latest"]);
        assert!(
            shown
                .succeeds()
                .stdout()
                .contains("rebuilt from the manifest"),
            "{shown}"
        );
    }
}

#[test]
fn a_backup_of_a_time_to_come_does_not_hide_the_ones_there_are() {
    let world = small_world();
    world.write("copal.toml", JOB);
    world.copal(&["backup"]).succeeds();
    let file = world.path("home/.local/state/copal/history.sqlite3");
    let history = rusqlite::Connection::open(file).unwrap();
    let change = "UPDATE run SET id = 'f', started = '2999-01-01T00:00:00.000000Z',
        record = json_set(record, '$.run', 'f', '$.started', '2999-01-01T00:00:00Z')";
    history.execute(change, []).unwrap();
    let status = world.copal(&["status"]);
    status.exits_with(1);
    assert!(status.stdout().contains("a clock was wrong"), "{status}");
    world.copal(&["backup"]).succeeds();
    world.copal(&["status"]).succeeds();
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

#[test]
fn a_killed_run_that_held_nothing_is_the_last_one_and_a_recovery_records_it() {
    let world = world_with_specimen();
    configure(&world, "");
    world.copal(&["backup"]).succeeds();
    let sleeps = "config = { act = { sleep = 60000 }, within = \"pre-backup\" }";
    configure(&world, &hook("own", sleeps));
    let running = world.start(&["backup"]);
    let mark = world.path("home/.local/state/copal/begun/letters");
    let begun = || fs::read_to_string(&mark).is_ok_and(|text| text.ends_with('\n'));
    wait_until("the run to have begun", PATIENCE, || begun().then_some(())).unwrap();
    let run = fs::read_to_string(&mark).unwrap();
    let run = run.split_whitespace().next().unwrap();
    let last = || world.copal(&["status", "--json"]).json()["last_run"].clone();
    assert_eq!(last()["outcome"], "succeeded", "while it goes on");
    world.copal(&["recover"]).succeeds();
    running.signal(Signal::KILL);
    running.finish(PATIENCE).unwrap();

    assert_eq!(last()["run"], run);
    assert_eq!(last()["outcome"], "abandoned");
    let status = world.copal(&["status"]);
    let told = status.stdout();
    assert!(told.contains("abandoned (1)"), "{status}");
    assert!(told.contains("before it came to its end"), "{status}");

    let recovered = world.copal(&["recover", "--json"]).succeeds().json();
    assert_eq!(recovered["abandoned"][0]["run"], run, "{recovered:#}");
    assert_eq!(recovered["abandoned"][0]["name"], "letters");
    world.copal(&["history", "show", run]).succeeds();
    assert_eq!(last()["outcome"], "abandoned");
    let again = world.copal(&["recover"]);
    assert_eq!(again.succeeds().stdout(), "nothing is held\n");
    // Its hooks hear of it by the next backup, as before.
    assert!(mark.exists());
    configure(&world, "");
    world.copal(&["backup"]).succeeds();
    assert!(!mark.exists());
    assert_eq!(last()["outcome"], "succeeded");
}

#[test]
fn a_backup_that_the_command_line_alone_describes_makes_the_job_of_its_name_neither_good_nor_bad() {
    let world = small_world();
    world.write("copal.toml", JOB);
    let name = world.copal(&["status", "--json"]).json()["name"].clone();
    let name = name.as_str().unwrap();
    world.write("other/file", "something else");
    let once = |source: &str| {
        world.copal(&[
            "backup", "--source", source, "--to", "vault:", "--name", name,
        ])
    };
    once("other").succeeds();
    let status = world.copal(&["status", "--json"]);
    let told = status.exits_with(1).json();
    assert_eq!(told["destinations"][0]["state"], "never", "{told:#}");
    assert!(told["last_run"].is_null(), "{told:#}");
    world.copal(&["backup", "--accept-missing"]).succeeds();
    once("nowhere").exits_with(2);
    let told = world.copal(&["status", "--json"]).succeeds().json();
    assert_eq!(told["last_run"]["exit"], 0, "{told:#}");
    let shown = world.copal(&["history", "show", "latest", "--json"]);
    assert_eq!(shown.json()["one_off"], true);
}

#[test]
fn snapshots_that_fail_are_not_hidden_by_a_mirror_at_the_same_place() {
    let world = small_world();
    let mirror =
        "[[destination]]\nremote = \"vault:\"\nlayout = \"mirror\"\nmap = { notes = \"there\" }\n";
    world.write(
        "copal.toml",
        format!("{JOB}{mirror}[metrics]\nfile = \"m.prom\"\n"),
    );
    world.copal(&["backup"]).succeeds();
    let first = world.copal(&["status", "--json"]).succeeds().json();
    // From now on there is no place for snapshots.
    fs::rename(world.path("vault/app"), world.path("kept")).unwrap();
    world.write("vault/app", "a file");
    world.copal(&["backup"]).exits_with(3);
    let second = world.copal(&["status", "--json"]).json();
    let snapshot =
        |told: &serde_json::Value, at: usize| told["destinations"][at]["snapshot"].clone();
    assert_eq!(snapshot(&second, 0), snapshot(&first, 0), "{second:#}");
    assert_ne!(snapshot(&second, 2), snapshot(&first, 2), "{second:#}");
    let status = world.copal(&["status"]);
    assert!(status.stdout().contains("vault: (mirror): "), "{status}");
    let metrics = fs::read_to_string(world.path("m.prom")).unwrap();
    for layout in ["snapshots", "mirror"] {
        let sample = format!(
            "copal_snapshot_files{{name=\"app\",destination=\"vault:\",layout=\"{layout}\"}}"
        );
        assert!(metrics.contains(&sample), "{metrics}");
    }
}

#[test]
fn a_verified_snapshot_that_was_pruned_since_is_told_to_be_gone() {
    let world = small_world();
    world.write("copal.toml", JOB);
    world.copal(&["backup"]).succeeds();
    world.copal(&["verify"]).succeeds();
    let first = || world.copal(&["status", "--json"]).json()["destinations"][0].clone();
    assert_eq!(first()["verified"]["pruned"], false);
    let id = first()["snapshot"].as_str().unwrap().to_owned();
    // Retention keeps the last that is known to be verified.
    fs::remove_file(world.path(format!("vault/app/{id}/.copal/verified.json"))).unwrap();
    world.write("copal.toml", format!("{JOB}[retention]\nlast = 1\n"));
    world.copal(&["backup"]).succeeds();
    let told = first();
    assert_eq!(told["verified"]["pruned"], true, "{told:#}");
    let status = world.copal(&["status"]);
    assert!(status.stdout().contains(", pruned since)"), "{status}");
}
