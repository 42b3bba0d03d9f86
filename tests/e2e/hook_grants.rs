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

/// Puts a component with other requests in the place of the hook's.
fn replaced_by(world: &World, requests: &str) {
    world.write("hook.toml", format!("[requests]\n{requests}\n"));
    let pack = "hook pack hooks/own.wasm --requests hook.toml -o hooks/own.wasm";
    copal(world, pack).succeeds();
}

#[test]
fn a_component_that_wakes_a_grant_is_told_and_a_plain_yes_does_not_take_it() {
    let grants = "grants = { sqlite = [\"*\"], state = true, http = [\"POST https://a.example\"] }";
    let world = world_with("sqlite = [\"a.db\", \"b.db\"]", grants);
    let before = config(&world);
    replaced_by(
        &world,
        "sqlite = [\"b.db\"]\nstate = true\nhttp = [\"https://a.example:443\"]",
    );
    let refused_ones = copal(&world, "hook grant own --yes");
    refused_ones
        .exits_with(2)
        .says("`http POST https://a.example` and `state` would be in force")
        .says("`copal hook grant own --yes 'http=POST https://a.example' state=true`")
        .says("`copal hook grant own --yes --accept-new`");
    assert_eq!(config(&world), before, "nothing is written");
    let shown = "now in force http POST https://a.example\n             state\n\
                 no longer    sqlite a.db\n";
    assert!(refused_ones.stdout().contains(shown), "{refused_ones}");
    let json = copal(&world, "hook grant own --yes --accept-new --json").json();
    let gained = serde_json::json!(["http POST https://a.example", "state"]);
    assert_eq!(json["now_in_force"], gained);
    assert_eq!(
        json["no_longer_in_force"],
        serde_json::json!(["sqlite a.db"])
    );
    assert_ne!(config(&world), before);
}

#[test]
fn what_is_named_may_be_in_force_and_what_stays_the_same_needs_no_more_than_a_yes() {
    let world = world_with(
        "state = true",
        "grants = { state = true, sqlite = [\"a.db\"] }",
    );
    replaced_by(&world, "state = true\nquery = [\"a.db\"]");
    let same = copal(&world, "hook grant own --yes");
    let told = same.succeeds().stdout();
    assert!(
        told.contains("now in force nothing that was not before\n"),
        "{told}"
    );
    replaced_by(&world, "state = true\nsqlite = [\"a.db\"]");
    copal(&world, "hook grant own --yes").exits_with(2);
    let named = copal(&world, "hook grant own --yes sqlite=a.db");
    let told = named.succeeds().stdout();
    assert!(told.contains("now in force sqlite a.db\n"), "{told}");
    assert!(!told.contains("(new)"), "it was granted before: {told}");
}

#[test]
fn where_the_component_before_is_not_known_all_that_is_in_force_is_taken_for_new() {
    let world = world_with("state = true", "grants = { state = true }");
    let text = config(&world);
    let pin = text
        .lines()
        .find(|line| line.starts_with("sha256"))
        .unwrap();
    let other = format!("sha256 = \"{}\"", "5".repeat(64));
    world.write("copal.toml", text.replace(pin, &other));
    let unknown = copal(&world, "hook grant own --yes");
    unknown.exits_with(2);
    let shown =
        "now in force state  (was granted to another component, and may have had no effect)\n";
    assert!(unknown.stdout().contains(shown), "{unknown}");
    copal(&world, "hook grant own --yes --accept-new").succeeds();
    copal(&world, "plan").succeeds();
}

#[test]
fn a_grant_is_known_however_it_is_typed() {
    let world = world_with("state = true", "grants = {}");
    let typed = [
        "hook",
        "grant",
        "own",
        "--yes",
        "http=POST HTTPS://A.Example:443",
    ];
    let granted = world.copal(&typed);
    let told = granted
        .succeeds()
        .says("note: `http POST https://a.example` has no effect")
        .stdout();
    let line = "http POST https://a.example  (not requested: of no effect)  (new)\n";
    assert!(told.contains(line), "{told}");
    let written = "grants = { http = [\"POST https://a.example\"] }";
    assert!(config(&world).contains(written), "{}", config(&world));
    let again = world.copal(&typed);
    assert!(!again.succeeds().stdout().contains("(new)"), "{again}");
    copal(&world, "hook revoke own http=POST,POST").exits_with(2);
    world
        .copal(&["hook", "revoke", "own", "http=POST https://a.example:443"])
        .succeeds();
}

#[test]
fn a_wrong_argument_is_answered_in_the_form_in_which_it_was_typed() {
    let world = world_with("state = true", "grants = {}");
    for (argument, next) in [
        (
            "http=https://a.example/path",
            "`'http=POST https://ntfy.sh'`",
        ),
        ("sqlite=/etc/app.db", "`sqlite=webui.db`"),
        ("archive=notes/*", "grant all with `*`"),
        ("state=false", "`state=true`"),
    ] {
        let output = world.copal(&["hook", "grant", "own", "--yes", argument]);
        refused(&output);
        output.says(next);
        assert!(!output.stderr().contains(" = "), "{output}");
    }
}

#[test]
fn what_is_built_in_is_told_where_its_grants_belong() {
    let world = world_with("state = true", "grants = {}");
    let unused = copal(&world, "hook grant sqlite-backup --yes sqlite=*");
    refused(&unused);
    unused.says(
        "\n       [[hook]]\n       use = \"sqlite-backup\"\n       grants = { sqlite = [\"*\"] }\n",
    );
    let text = config(&world);
    world.write(
        "copal.toml",
        format!("{text}\n[[hook]]\nuse = \"archive\"\ngrants = {{ archive = [\"a\"] }}\n"),
    );
    let used = copal(&world, "hook grant archive --yes archive=b");
    refused(&used);
    used.says("grants = { archive = [\"a\", \"b\"] }");
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
        .says(", and my job.toml says ")
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
