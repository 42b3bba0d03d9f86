//! What grants come to: what is shown as in force, and what `copal hook grant` and `copal hook revoke`
//! write and leave.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use crate::common::is_root;
use crate::specimen::world_with_specimen;
use crate::told::refused;
use copal_testkit::{Output, World};

/// A world with a hook `own` that requests this, and is granted that.
fn world_with(requests: &str, grants: &str) -> World {
    let world = world_with_specimen();
    world.write("hook.toml", format!("[requests]\n{requests}\n"));
    let pack = "hook pack hooks/own.wasm --requests hook.toml -o hooks/own.wasm";
    copal(&world, pack).succeeds();
    let job = "# The job.\nname = \"letters\"\nsource.path = \"source\"\ndestination = [{ remote = \"vault:\" }]\n";
    let hook = format!("\n[[hook]]\nfile = \"hooks/own.wasm\"  # ours\n{grants}  # mine\n");
    world.write("copal.toml", format!("{job}{hook}"));
    copal(&world, "hook grant own --yes").succeeds();
    world
}

fn copal(world: &World, arguments: &str) -> Output {
    world.copal(&arguments.split(' ').collect::<Vec<_>>())
}

fn config(world: &World) -> String {
    fs::read_to_string(world.path("copal.toml")).unwrap()
}

#[test]
fn a_grant_is_shown_as_far_as_it_is_in_force() {
    let world = world_with(
        "sqlite = [\"a.db\"]\nhttp = [\"POST http://gotify.lan:8080\"]",
        "grants = { sqlite = [\"*\"], archive = [\"notes\"], http = [\"private POST http://gotify.lan:8080\"] }",
    );
    let list = copal(&world, "hook list");
    let again = copal(&world, "hook grant own");
    for told in [list.succeeds().stdout(), again.succeeds().stdout()] {
        for line in [
            "sqlite *  (as far as it is requested: a.db)\n",
            "archive notes  (not requested: of no effect)\n",
            "http private POST http://gotify.lan:8080\n",
        ] {
            assert!(told.contains(line), "{line}\n{told}");
        }
        assert!(!told.contains("not granted"), "{told}");
    }
    let json = copal(&world, "hook list --json").json();
    let in_force = serde_json::json!({
        "sqlite": ["a.db"], "http": ["private POST http://gotify.lan:8080"],
    });
    assert_eq!(json[0]["in_force"], in_force);
    assert_eq!(json[0]["requested_not_granted"], serde_json::json!([]));
}

#[test]
fn a_new_grant_without_effect_is_told_and_written_all_the_same() {
    let world = world_with("state = true", "grants = {}");
    let granted = copal(&world, "hook grant own --yes sqlite=a.db state=true");
    let granted = granted.succeeds().says("note: `sqlite a.db` has no effect");
    assert!(!granted.stderr().contains("`state`"), "{granted}");
    let line = "grants = { sqlite = [\"a.db\"], state = true }  # mine\n";
    assert!(config(&world).contains(line), "{}", config(&world));
}

#[test]
fn a_grant_of_what_no_table_says_is_refused_and_changes_nothing() {
    let world = world_with("state = true", "grants = {}");
    let before = config(&world);
    for (table, grant) in [
        ("[command.dump]", "command=dump"),
        ("[secret.token]", "secrets=token"),
        ("[secret.token]", "reveal=token"),
    ] {
        let output = copal(&world, &format!("hook grant own --yes state=true {grant}"));
        refused(&output);
        output
            .says(&format!("it has no {table}"))
            .says(&format!("\n       {table}\n"));
    }
    assert_eq!(config(&world), before);
    world.write(
        "copal.toml",
        format!("{before}\n[command.dump]\nrun = [\"true\"]\n"),
    );
    copal(&world, "hook grant own --yes command=dump").succeeds();
    copal(&world, "plan").succeeds();
}

#[test]
fn a_configuration_that_is_none_is_not_written() {
    let world = world_with("state = true", "grants = {}");
    let broken = format!("{}\nretention = 3\n", config(&world));
    world.write("copal.toml", &broken);
    for command in [
        "hook grant own --yes state=true",
        "hook grant own state=true",
    ] {
        let output = copal(&world, command);
        refused(&output);
        output.says("so changed, it would not be valid");
    }
    assert_eq!(config(&world), broken);
    let left: Vec<_> = fs::read_dir(world.root()).unwrap().collect();
    let is_left = |name: &str| name.starts_with(".copal-");
    let names = left.iter().map(|entry| entry.as_ref().unwrap().file_name());
    assert!(
        !names
            .into_iter()
            .any(|name| is_left(&name.to_string_lossy()))
    );
}

#[test]
fn what_is_revoked_is_denied_and_the_rest_of_the_file_stays() {
    let world = world_with("state = true\nsqlite = [\"a.db\"]", "grants = {}");
    let before = config(&world);
    copal(&world, "hook grant own --yes state=true sqlite=a.db").succeeds();
    let one = copal(&world, "hook revoke own sqlite=a.db");
    assert!(
        one.succeeds()
            .stdout()
            .contains("revoked     sqlite a.db\n"),
        "{one}"
    );
    assert!(config(&world).contains("grants = { state = true }  # mine\n"));
    let again = copal(&world, "hook revoke own sqlite=a.db");
    refused(&again);
    again.says("`copal hook revoke own state=true`");
    let all = copal(&world, "hook revoke own");
    assert!(
        all.succeeds().stdout().contains("grants      nothing\n"),
        "{all}"
    );
    assert_eq!(config(&world), before);
    let nothing = copal(&world, "hook revoke own state=true");
    refused(&nothing);
    nothing.says("nothing is granted to it");
    let json = copal(&world, "hook revoke own --json").json();
    assert_eq!(json["revoked"], serde_json::json!([]));
    copal(&world, "plan").succeeds();
}

#[test]
fn a_changed_configuration_keeps_its_mode_and_its_owner() {
    let world = world_with("state = true", "grants = {}");
    let file = world.path("copal.toml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    if is_root() {
        std::os::unix::fs::chown(&file, Some(1234), Some(4321)).unwrap();
    }
    let was = fs::metadata(&file).unwrap();
    let mut before = was.ino();
    for command in ["hook grant own --yes state=true", "hook revoke own"] {
        copal(&world, command).succeeds();
        let is = fs::metadata(&file).unwrap();
        assert_ne!(is.ino(), before, "it is written anew");
        before = is.ino();
        assert_eq!(
            (is.mode(), is.uid(), is.gid()),
            (was.mode(), was.uid(), was.gid())
        );
    }
}

#[test]
fn advice_names_the_configuration_that_was_given() {
    let world = world_with("state = true", "grants = {}");
    fs::rename(world.path("copal.toml"), world.path("my job.toml")).unwrap();
    let list = world.copal(&["-c", "my job.toml", "hook", "grant", "own"]);
    let told = list.succeeds().stdout().to_owned();
    let command = "copal -c 'my job.toml' hook grant own state=true";
    assert!(told.contains(command), "{told}");
    world.write("hooks/own.wasm", crate::specimen::specimen());
    let changed = world.copal(&["-c", "my job.toml", "plan"]);
    changed
        .exits_with(2)
        .says("`copal -c 'my job.toml' hook grant own`");
    let listed = world.copal(&["-c", "my job.toml", "hook", "list"]);
    listed
        .exits_with(2)
        .says("`copal -c 'my job.toml' hook grant NAME`");
    let renew = "renew it with `copal -c 'my job.toml' hook grant own`";
    assert!(listed.stdout().contains(renew), "{listed}");
}

#[test]
fn a_restore_in_place_without_a_configuration_is_told_what_it_lacks() {
    let world = crate::common::world();
    let output = copal(&world, "restore latest --in-place --from vault:");
    refused(&output);
    output
        .says("`--from` says only where the snapshots are")
        .says("`--to DIR`");
}
