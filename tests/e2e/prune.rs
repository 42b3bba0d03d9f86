//! Retention through the binary: what a backup and `copal prune` remove, and what stays whatever they do.

use std::fs;

use copal_testkit::{Output, World};

use crate::common::{back_up, files_below, folder, redate, sealed_id, small_world};

const OLD: &str = "2001-02-03T040506Z";
const OLDER: &str = "2000-02-03T040506Z";

fn config(world: &World, retention: &str) {
    let text = format!(
        "name = 'source'\nsource.path = 'source'\n[[destination]]\nremote = 'vault:'\n{retention}"
    );
    world.write("copal.toml", text);
}

/// A world with a snapshot of today and two of long ago.
fn world_with_history(retention: &str) -> (World, String) {
    let world = small_world();
    let id = back_up(&world);
    redate(&world, &id, OLD);
    redate(&world, &id, OLDER);
    config(&world, retention);
    (world, id)
}

fn snapshots(world: &World) -> Vec<String> {
    let listed = fs::read_dir(world.vault().join("source")).unwrap();
    let mut ids: Vec<_> = listed
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    ids.sort();
    ids
}

#[track_caller]
fn prune(world: &World, arguments: &[&str]) -> Output {
    world.copal(&[&["prune"], arguments].concat())
}

#[test]
fn prune_removes_what_no_rule_keeps_and_tells_each_snapshot_and_why() {
    let (world, id) = world_with_history("[retention]\nlast = 2\n");
    let rehearsed = prune(&world, &["--dry-run"]);
    let rehearsed = rehearsed.succeeds().stdout().to_owned();
    assert!(
        rehearsed.starts_with("dry run, nothing was removed"),
        "{rehearsed}"
    );
    assert_eq!(snapshots(&world), [OLDER, OLD, &id]);

    let output = prune(&world, &[]);
    let told = output.succeeds().stdout().to_owned();
    assert_eq!(snapshots(&world), [OLD, &id]);
    for line in [
        format!("{id}  the newest; last 1 of 2"),
        format!("{OLD}  last 2 of 2"),
        format!("{OLDER}  older than all that the rules keep ("),
    ] {
        assert!(told.contains(&line), "{line}\n{told}");
    }
    let history = world.copal(&["history", "show", "latest"]);
    history.succeeds();
    assert!(history.stdout().contains(OLDER), "{history}");
    world.copal(&["verify", "--full"]).succeeds();

    let again = prune(&world, &["--json"]).succeeds().json();
    assert_eq!(again[0]["freed_bytes"], 0, "{again:#}");
    assert_eq!(again[0]["snapshots"][1]["verdict"], "keep", "{again:#}");
}

#[test]
fn a_backup_prunes_after_its_seal_and_tells_the_same_table() {
    let (world, id) = world_with_history("[retention]\nlast = 1\ntimezone = 'Europe/Berlin'\n");
    let output = world.copal(&["backup"]);
    let told = output.succeeds().stdout().to_owned();
    let left = snapshots(&world);
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(!left.contains(&id), "{left:?}");
    assert!(told.contains(&format!("removed      {OLD}")), "{told}");
    assert!(told.contains("the newest; last 1 of 1"), "{told}");
    // The files of the one that is gone may be those of another.
    assert!(told.contains("(up to "), "{told}");
    let json = world.copal(&["backup", "--json"]).succeeds().json();
    let pruned = &json["destinations"][0]["pruned"];
    assert_eq!(pruned["snapshots"][1]["removed"], true, "{pruned:#}");
}

#[test]
fn what_cannot_be_removed_is_a_shortcoming_of_a_backup_and_a_failure_of_prune() {
    let (world, _) = world_with_history("[retention]\nlast = 1\n");
    let damaged = folder(&world, OLD).join(".copal/manifest.json");
    fs::write(&damaged, "{").unwrap();
    let output = world.copal(&["backup", "--json"]);
    output
        .exits_with(3)
        .says(OLD)
        .says("is not pruned")
        .says(" next: ");
    assert!(snapshots(&world).contains(&OLD.to_owned()));
    assert!(!sealed_id(&output).is_empty());
    prune(&world, &[]).exits_with(1).says("is not pruned");
    let letter = folder(&world, OLD).join("letter.txt");
    assert!(letter.exists());
}

#[test]
fn a_pinned_snapshot_stays_until_it_is_unpinned() {
    let (world, id) = world_with_history("[retention]\nlast = 1\n");
    let pinned = world.copal(&["pin", "2000", "--note", "before the move"]);
    assert_eq!(
        pinned.succeeds().stdout(),
        format!("source/{OLDER} is pinned at vault:\n")
    );
    prune(&world, &[]).succeeds();
    assert_eq!(snapshots(&world), [OLDER, &id]);
    let listed = world.copal(&["snapshots"]);
    assert!(
        listed
            .succeeds()
            .stdout()
            .contains("pinned: before the move"),
        "{listed}"
    );
    let listed = world.copal(&["snapshots", "--json"]).succeeds().json();
    assert_eq!(listed[0]["pin"]["note"], "before the move", "{listed:#}");
    assert_eq!(listed[1]["pinned"], false, "{listed:#}");
    // It is no file of the snapshot's.
    world.copal(&["verify", OLDER, "--full"]).succeeds();
    let to = ["restore", OLDER, "--to", "restored"];
    world.copal(&to).succeeds();
    assert!(
        !files_below(&world.path("restored"))
            .iter()
            .any(|name| name.contains("pin"))
    );

    world.copal(&["unpin", OLDER]).succeeds();
    prune(&world, &[]).succeeds();
    // It was verified last.
    assert_eq!(snapshots(&world), [OLDER, &id]);
    world.copal(&["verify"]).succeeds();
    prune(&world, &[]).succeeds();
    assert_eq!(snapshots(&world), [id.as_str()]);
    world.copal(&["pin", "1999"]).exits_with(2).says(" next: ");
}

#[test]
fn a_drill_that_succeeds_is_a_verification_and_one_that_fails_takes_it_back() {
    let (world, id) = world_with_history("[retention]\nlast = 1\n");
    let verified = || {
        let listed = world.copal(&["snapshots", "--json"]).succeeds().json();
        let listed = listed.as_array().unwrap().clone();
        let of_this = |one: &serde_json::Value| one["snapshot"] == id.as_str();
        listed.into_iter().find(of_this).unwrap()["verified"].clone()
    };
    assert_eq!(verified(), false);
    let drilled = world.copal(&["drill", &id, "--json"]).succeeds().json();
    assert!(drilled["restore_seconds"].as_f64().is_some(), "{drilled:#}");
    assert_eq!(verified(), true);
}

#[test]
fn without_a_policy_nothing_is_pruned_and_prune_says_what_to_write() {
    let (world, id) = world_with_history("");
    world.copal(&["backup"]).succeeds();
    assert_eq!(snapshots(&world).len(), 4);
    prune(&world, &[])
        .exits_with(2)
        .says("[retention]")
        .says(" next: ");
    config(&world, "[retention]\n");
    let output = prune(&world, &[]);
    let told = output.succeeds().stdout().to_owned();
    assert!(
        told.contains(&format!("{id}  no rule removes anything")),
        "{told}"
    );
    assert_eq!(snapshots(&world).len(), 4);
}

#[test]
fn a_time_zone_that_is_none_is_refused_by_its_line() {
    let (world, _) = world_with_history("[retention]\nlast = 1\ntimezone = 'Europe/Bärlin'\n");
    for command in ["plan", "backup", "prune"] {
        let output = world.copal(&[command]);
        output
            .exits_with(2)
            .says("there is no time zone")
            .says("copal.toml:7");
    }
    assert_eq!(snapshots(&world).len(), 3);
}

/// The id of a snapshot by the configuration, with all that falls due.
#[track_caller]
fn by_config(world: &World) -> String {
    let output = world.copal(&["backup", "--json"]);
    output.succeeds();
    sealed_id(&output)
}

/// An app that begins afresh makes snapshots as whole as any, and each of them would take an older one's place.
#[test]
fn nothing_is_pruned_by_a_run_that_finds_a_database_emptied_until_that_is_accepted() {
    let world = small_world();
    let write = |sql: &str| {
        let connection = rusqlite::Connection::open(world.path("source/app.db")).unwrap();
        connection.execute_batch(sql).unwrap();
    };
    write(
        "CREATE TABLE chat (x); WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 50) \
         INSERT INTO chat SELECT x FROM n",
    );
    let hook = "[[hook]]\nuse = 'sqlite-backup'\ngrants = { sqlite = ['*'] }\n";
    config(&world, &format!("[retention]\nlast = 1\n{hook}"));
    let full = by_config(&world);

    write("DELETE FROM chat WHERE x > 4");
    let output = world.copal(&["backup", "--json"]);
    output
        .exits_with(3)
        .says(&format!("`app.db` has 4 rows, and had 50 in {full}"))
        .says("no older one was removed")
        .says(&format!("copal pin {full}"));
    assert_eq!(snapshots(&world), [full, sealed_id(&output)]);
    assert_eq!(snapshots(&world).len(), 2);
    let next = by_config(&world);
    assert_eq!(snapshots(&world), std::slice::from_ref(&next));

    write(
        "DELETE FROM chat; INSERT INTO chat SELECT value FROM json_each('[1,2,3,4,5,6,7,8,9,10,11]')",
    );
    let filled = by_config(&world);
    write("DELETE FROM chat");
    let accepted = world.copal(&["backup", "--json", "--accept-missing"]);
    accepted.succeeds();
    assert_ne!(sealed_id(&accepted), filled);
    assert_eq!(snapshots(&world), [sealed_id(&accepted)]);
}
