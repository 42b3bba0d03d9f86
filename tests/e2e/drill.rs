//! Drills: whether a snapshot would work.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use copal_testkit::{OpenWebUi, Size, World};

use crate::common::{files_below, folder, small_world};
use crate::specimen::{configure, hook, tell_commands, told, world_with_specimen};

const DEFAULTS: &str = "[[hook]]\nuse = \"sqlite-backup\"\ngrants.sqlite = [\"*\"]\n\n";

fn make_database(world: &World, path: &str) {
    let database = rusqlite::Connection::open(world.path(path)).unwrap();
    database
        .execute_batch(
            "CREATE TABLE parent (id INTEGER PRIMARY KEY);
             CREATE TABLE child (id INTEGER PRIMARY KEY, parent REFERENCES parent);
             INSERT INTO parent VALUES (1);
             INSERT INTO child VALUES (1, 1);",
        )
        .unwrap();
}

fn no_copy_is_left(world: &World) {
    let drills = world.path("home/.local/state/copal/drill");
    assert_eq!(files_below(&drills), [""; 0], "copies");
    assert_eq!(files_below(&world.path("tmp")), [""; 0], "temporary files");
}

#[test]
fn a_good_snapshot_works_and_leaves_nothing_but_its_record() {
    let world = world_with_specimen();
    make_database(&world, "source/app.db");
    let tells = tell_commands(&world, &["own"]);
    let own = hook(
        "own",
        "config = { tell = \"tell-own\", act = { check = \"app.db\" }, within = \"drill\" }\ngrants = { command = [\"tell-own\"], sqlite = [\"*\"] }",
    );
    configure(&world, &format!("{tells}{DEFAULTS}{own}"));
    world.copal(&["backup"]).succeeds();
    fs::remove_file(world.path("told")).unwrap();

    let drilled = world.copal(&["drill"]);
    let text = drilled.succeeds().stdout();
    assert!(text.contains("it works"), "{text}");
    assert!(
        text.contains("database checked: app.db") && text.contains("tried by: own"),
        "{text}"
    );
    assert_eq!(told(&world), ["own drill none"]);
    no_copy_is_left(&world);
    let record = world
        .copal(&["history", "show", "latest", "--json"])
        .succeeds()
        .json();
    assert_eq!(
        (&record["kind"], &record["outcome"]),
        (&"drill".into(), &"succeeded".into())
    );
    assert!(record["took_ms"].as_u64().is_some());
}

#[test]
fn a_drill_tells_its_hooks_which_snapshot_it_is_about() {
    let world = world_with_specimen();
    let own = hook(
        "own",
        "config = { act = \"introduce\", within = \"drill\" }",
    );
    configure(&world, &own);
    world.copal(&["backup"]).succeeds();
    let drilled = world.copal(&["drill"]);
    drilled
        .exits_with(1)
        .says("phase drill")
        .says(", snapshot 2");
}

#[test]
fn all_that_is_wrong_is_told_damaged_databases_broken_references_and_hooks() {
    let world = world_with_specimen();
    make_database(&world, "source/orphans.db");
    make_database(&world, "source/torn.db");
    let orphans = rusqlite::Connection::open(world.path("source/orphans.db")).unwrap();
    orphans
        .execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM parent")
        .unwrap();
    drop(orphans);
    let mut torn = fs::read(world.path("source/torn.db")).unwrap();
    let page = torn.len() - 4096;
    torn[page..].fill(0xee);
    fs::write(world.path("source/torn.db"), torn).unwrap();
    let live = "[database.\"torn.db\"]\nlive = \"allow\"\n\n";
    let fails = hook("fails", "config = { act = \"fail\", within = \"drill\" }");
    let panics = hook("panics", "config = { act = \"panic\", within = \"drill\" }");
    configure(&world, &format!("{DEFAULTS}{fails}{panics}{live}"));
    world.copal(&["backup"]).succeeds();

    let drilled = world.copal(&["drill"]);
    drilled
        .exits_with(1)
        .says("orphans.db")
        .says("torn.db")
        .says("hook `fails` failed in drill")
        .says("hook `panics` failed in drill");
    assert!(drilled.stdout().contains("it is damaged"), "{drilled}");
    no_copy_is_left(&world);
}

#[test]
fn what_was_found_before_a_signal_is_told_with_it() {
    let world = world_with_specimen();
    make_database(&world, "source/orphans.db");
    let orphans = rusqlite::Connection::open(world.path("source/orphans.db")).unwrap();
    orphans
        .execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM parent")
        .unwrap();
    drop(orphans);
    let signal = "[command.signal]\nrun = [\"sh\", \"-c\", \"kill -TERM $PPID; sleep 600\"]\n\n";
    let fails = hook("fails", "config = { act = \"fail\", within = \"drill\" }");
    let ends = hook(
        "ends",
        "config = { act = { command = \"signal\" }, within = \"drill\" }\ngrants.command = [\"signal\"]",
    );
    configure(&world, &format!("{DEFAULTS}{fails}{ends}{signal}"));
    world.copal(&["backup"]).succeeds();

    let drilled = world.copal(&["drill"]);
    drilled
        .exits_with(143)
        .says("orphans.db")
        .says("hook `fails` failed in drill")
        .says("interrupted by SIGTERM");
    assert!(!drilled.stderr().contains("hook `ends`"), "{drilled}");
    no_copy_is_left(&world);
    let record = world
        .copal(&["history", "show", "latest", "--json"])
        .succeeds()
        .json();
    assert_eq!(record["outcome"], "interrupted");
    assert_eq!(record["errors"].as_array().unwrap().len(), 3, "{record:#}");
}

#[test]
fn a_damaged_file_ends_a_drill_before_anything_is_tried() {
    let world = small_world();
    let id = crate::common::back_up(&world);
    let file = folder(&world, &id).join("letter.txt");
    fs::write(file, "Dear writer,\n").unwrap();
    let drilled = world.copal(&["drill", "--from", "vault:"]);
    drilled.exits_with(1).says("letter.txt");
    assert_eq!(drilled.stdout(), "");
    no_copy_is_left(&world);
}

#[test]
fn without_a_configuration_and_elsewhere_databases_are_checked_all_the_same() {
    let world = small_world();
    OpenWebUi::create(&world.path("app"), &Size::SMALL).unwrap();
    let run = ["backup", "--source", "app", "--to", "vault:"];
    world.copal(&run).succeeds();
    fs::create_dir(world.path("roomy")).unwrap();
    let drilled = world.copal(&[
        "drill", "latest", "--from", "vault:", "--in", "roomy", "--json",
    ]);
    let json = drilled.succeeds().json();
    assert_eq!(json["outcome"], "succeeded");
    assert!(
        json["databases"]
            .as_array()
            .unwrap()
            .iter()
            .any(|path| path == "webui.db")
    );
    assert_eq!(files_below(&world.path("roomy")), [""; 0]);
    assert_eq!(fs::read_dir(world.path("roomy")).unwrap().count(), 0);
    no_copy_is_left(&world);
}

#[test]
fn a_copy_is_private_even_where_the_source_is_not() {
    let world = world_with_specimen();
    fs::set_permissions(world.source(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(world.path("roomy")).unwrap();
    let look = format!(
        "[command.look]\nrun = [\"sh\", \"-c\", \"stat -c %a {0}/roomy/* > {0}/modes\"]\n\n",
        world.root().display()
    );
    let own = hook(
        "own",
        "config = { act = { command = \"look\" }, within = \"drill\" }\ngrants.command = [\"look\"]",
    );
    configure(&world, &format!("{look}{own}"));
    world.copal(&["backup"]).succeeds();
    world.copal(&["drill", "--in", "roomy"]).succeeds();
    assert_eq!(fs::read_to_string(world.path("modes")).unwrap(), "700\n");
}

#[test]
fn what_killed_drills_left_is_removed_or_named_and_nothing_else_is_in_their_way() {
    let world = small_world();
    crate::common::back_up(&world);
    let from = ["drill", "--from", "vault:", "--name", "source"];
    // A copy of a killed drill, and a file that somebody put there.
    let drills = "home/.local/state/copal/drill/source";
    world.write(format!("{drills}/killed/copy/letter.txt"), "old");
    world.write(format!("{drills}/README"), "mine");
    world.copal(&from).succeeds();
    assert_eq!(files_below(&world.path(drills)), ["README"]);

    world.write("roomy/copal-drill-1/copy/letter.txt", "old");
    world.write("roomy/else", "mine");
    let drilled = world.copal(&[&from[..], &["--in", "roomy"]].concat());
    let text = drilled.succeeds().stdout();
    assert!(text.contains("roomy/copal-drill-1"), "{text}");
    let left = files_below(&world.path("roomy"));
    assert_eq!(left, ["copal-drill-1/copy/letter.txt", "else"]);
}

#[test]
fn a_copy_that_can_not_be_removed_is_told() {
    let world = world_with_specimen();
    fs::create_dir(world.path("roomy")).unwrap();
    // In the place of the copy's directory, a file: no user may remove that as a directory.
    let replace = format!(
        "[command.replace]\nrun = [\"sh\", \"-c\", \"cd {}/roomy; for at in *; do mv $at ../moved; echo > $at; done\"]\n\n",
        world.root().display()
    );
    let own = hook(
        "own",
        "config = { act = { command = \"replace\" }, within = \"drill\" }\ngrants.command = [\"replace\"]",
    );
    configure(&world, &format!("{replace}{own}"));
    world.copal(&["backup"]).succeeds();
    let drilled = world.copal(&["drill", "--in", "roomy"]);
    drilled
        .exits_with(3)
        .says("roomy/copal-drill-")
        .says("is left behind");
}

#[test]
fn a_snapshot_that_a_hook_of_a_drill_found_wanting_is_listed_as_that_until_another_drill_is_well() {
    let world = world_with_specimen();
    let fails = hook("fails", "config = { act = \"fail\", within = \"drill\" }");
    configure(&world, &fails);
    world.copal(&["backup"]).succeeds();
    let listed = || world.copal(&["snapshots"]).stdout().to_owned();
    let drill = || world.copal(&["snapshots", "--json"]).json()[0]["drill"].clone();
    assert!(!listed().contains("drill") && drill().is_null());
    world.copal(&["drill"]).exits_with(1);
    assert!(listed().contains("drill failed 2"), "{}", listed());
    assert_eq!(drill()["outcome"], "failed");

    // Also when there are newer ones, which nobody tried.
    world.copal(&["backup"]).succeeds();
    let status = world.copal(&["status"]);
    status.exits_with(1);
    assert!(status.stdout().contains("unproven    vault:"), "{status}");
    assert!(
        status
            .stdout()
            .contains("the last drill, 0 min ago, failed"),
        "{status}"
    );
    let check = world.copal(&["check"]);
    let told = check.succeeds().stdout();
    assert!(told.contains("the last drill, begun at"), "{check}");
    let page = world.copal(&["report", "--html"]);
    let page = page.succeeds().stdout();
    assert!(page.contains("The last drill failed"), "{page}");

    configure(&world, "");
    world.copal(&["drill", "2"]).exits_with(2);
    world.copal(&["drill"]).succeeds();
    let oldest = world.copal(&["snapshots", "--json"]).json()[0]["snapshot"].clone();
    world.copal(&["drill", oldest.as_str().unwrap()]).succeeds();
    assert!(!listed().contains("drill failed"), "{}", listed());
    assert_eq!(drill()["outcome"], "succeeded");
    world.copal(&["status"]).succeeds();
    let check = world.copal(&["check"]);
    assert!(
        !check.succeeds().stdout().contains("the last drill"),
        "{check}"
    );
}

#[test]
fn the_last_snapshot_that_a_drill_proved_stays_when_a_newer_one_was_only_verified() {
    const RETENTION: &str = "[retention]\nlast = 1\n";
    let world = world_with_specimen();
    let newest = || {
        let listed = world.copal(&["snapshots", "--json"]).succeeds().json();
        let last = listed.as_array().unwrap().last().unwrap().clone();
        last["snapshot"].as_str().unwrap().to_owned()
    };
    configure(&world, RETENTION);
    world.copal(&["backup"]).succeeds();
    let proven = newest();
    world.copal(&["drill"]).succeeds();
    let fails = hook("fails", "config = { act = \"fail\", within = \"drill\" }");
    configure(&world, &format!("{fails}{RETENTION}"));
    world.copal(&["backup"]).succeeds();
    let spoiled = newest();
    world.copal(&["drill"]).exits_with(1);
    world.copal(&["verify"]).succeeds();
    let told = world.copal(&["backup"]).succeeds().stdout().to_owned();
    let kept = |id: &str, why: &str| told.contains(&format!("{id}  {why}"));
    assert!(kept(&proven, "the last that a drill proved"), "{told}");
    assert!(kept(&spoiled, "the last verified"), "{told}");
}

#[test]
fn a_drill_that_finds_a_snapshot_damaged_is_told_of_that_destination() {
    let world = small_world();
    world.write(
        "copal.toml",
        "name = \"app\"\nsource.path = \"source\"\n[[destination]]\nremote = \"vault:\"\n",
    );
    world.copal(&["backup"]).succeeds();
    let id = world.copal(&["snapshots", "--json"]).json()[0]["snapshot"].clone();
    let file = format!("vault/app/{}/letter.txt", id.as_str().unwrap());
    world.write(file, "not what was sealed");
    world.copal(&["drill"]).exits_with(1);
    let status = world.copal(&["status", "--json"]);
    let first = status.exits_with(1).json()["destinations"][0].clone();
    assert_eq!(first["state"], "unproven", "{first:#}");
    assert_eq!(first["drill_failed"]["snapshot"], id);
}
