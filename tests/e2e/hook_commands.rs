//! `copal hook …`: what it says, what it writes, and what it leaves alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::common::world;
use crate::specimen::{specimen, world_with_specimen};
use crate::told::refused;
use copal_testkit::{Output, World};

/// A configuration with the specimen as its only hook of a file.
fn configure(world: &World, more: &str) {
    let job = "# The job.\nname = \"letters\"\nsource.path = \"source\"\ndestination = [{ remote = \"vault:\" }]\n";
    let hook = format!("\n[[hook]]\nfile = \"hooks/own.wasm\"  # ours\n{more}\n");
    let builtin = "[[hook]]\nuse = \"exclude\"\n";
    world.write("copal.toml", format!("{job}{hook}{builtin}"));
}

fn config(world: &World) -> String {
    fs::read_to_string(world.path("copal.toml")).unwrap()
}

/// The specimen with requests.
fn pack(world: &World, requests: &str) -> Output {
    world.write("hook.toml", requests);
    let arguments = "hook pack hooks/own.wasm --requests hook.toml -o hooks/own.wasm";
    world.copal(&arguments.split(' ').collect::<Vec<_>>())
}

#[test]
fn inspect_tells_what_a_component_takes_part_in_and_asks_for() {
    let world = world_with_specimen();
    let bare = world.copal(&["hook", "inspect", "hooks/own.wasm"]);
    assert_told!("inspect_bare", bare.succeeds().redacted_stdout());
    pack(
        &world,
        "[requests]\nhttp = [\"POST https://a.example\"]\nstate = true\n",
    )
    .succeeds();
    let packed = world.copal(&["hook", "inspect", "hooks/own.wasm"]);
    assert_told!("inspect_packed", packed.succeeds().redacted_stdout());
    let json = world.copal(&["hook", "inspect", "hooks/own.wasm", "--json"]);
    assert_told!("inspect_json", json.succeeds().redacted_stdout());
}

#[test]
fn inspect_refuses_what_is_no_hook_by_what_it_is() {
    let world = world();
    for (name, bytes) in [
        ("empty", &b""[..]),
        ("text", b"#!/bin/sh\n"),
        ("core", b"\0asm\x01\0\0\0"),
        ("no-phase", b"\0asm\x0d\0\x01\0"),
    ] {
        world.write(format!("{name}.wasm"), bytes);
        let output = world.copal(&["hook", "inspect", &format!("{name}.wasm")]);
        refused(&output);
        assert_told!(format!("inspect_{name}"), output.redacted_stderr());
    }
    let missing = world.copal(&["hook", "inspect", "nowhere.wasm"]);
    refused(&missing);
    assert_told!("inspect_missing", missing.redacted_stderr());
}

#[test]
fn grant_pins_the_file_and_a_run_takes_it_then() {
    let world = world_with_specimen();
    configure(&world, "");
    let before = config(&world);
    world
        .copal(&["plan"])
        .exits_with(2)
        .says("copal hook grant own");
    let unasked = world.copal(&["hook", "grant", "own"]);
    unasked
        .exits_with(2)
        .says("no terminal")
        .says("copal hook grant own --yes");
    assert_eq!(config(&world), before, "nothing is written without a yes");
    let granted = world.copal(&["hook", "grant", "own", "--yes"]);
    assert_told!("grant_first", granted.succeeds().redacted_stdout());
    world.copal(&["plan"]).succeeds();
    let lines: Vec<_> = config(&world).lines().map(str::to_owned).collect();
    let added: Vec<_> = lines
        .iter()
        .filter(|line| !before.contains(*line))
        .collect();
    assert_eq!(added.len(), 1, "one line is added: {added:?}");
    assert!(added[0].starts_with("sha256 = \""), "{added:?}");
    let again = world.copal(&["hook", "grant", "own"]);
    again.succeeds();
    assert!(again.stdout().contains("(as before)"), "{again}");
}

#[test]
fn grant_shows_what_a_new_component_requests_and_adds_what_is_named() {
    let world = world_with_specimen();
    configure(&world, "grants = { sqlite = [\"app.db\"] }  # only this");
    world.copal(&["hook", "grant", "own", "--yes"]).succeeds();
    pack(
        &world,
        "[requests]\nhttp = [\"POST https://a.example\"]\nstate = true\n",
    )
    .succeeds();
    let changed = world.copal(&["plan"]);
    changed.exits_with(2).says("copal hook grant own");
    let wider = [
        "hook",
        "grant",
        "own",
        "--yes",
        "http=POST https://a.example",
    ];
    let granted = world.copal(&wider);
    assert_told!("grant_wider", granted.succeeds().redacted_stdout());
    let text = config(&world);
    let line =
        "grants = { sqlite = [\"app.db\"], http = [\"POST https://a.example\"] }  # only this";
    assert!(text.contains(line), "{text}");
    assert!(
        text.starts_with("# The job.\n") && text.contains("  # ours\n"),
        "{text}"
    );
    let json = world.copal(&["hook", "grant", "own", "--json"]).json();
    assert_eq!(json["requested_not_granted"], serde_json::json!(["state"]));
}

#[test]
fn grant_keeps_the_configurations_mode() {
    let world = world_with_specimen();
    configure(&world, "");
    let file = world.path("copal.toml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    world.copal(&["hook", "grant", "own", "--yes"]).succeeds();
    assert_eq!(
        fs::metadata(file).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn grant_refuses_what_it_can_not_do_in_three_parts() {
    let world = world_with_specimen();
    configure(&world, "");
    let before = config(&world);
    for (name, arguments) in [
        ("unknown", &["nobody", "--yes"][..]),
        ("builtin", &["exclude", "--yes"]),
        ("capability", &["own", "--yes", "htp=https://a.example"]),
        ("entry", &["own", "--yes", "http=https://a.example/path"]),
        ("no-value", &["own", "--yes", "state"]),
    ] {
        let output = world.copal(&[&["hook", "grant"], arguments].concat());
        refused(&output);
        assert_told!(format!("grant_{name}"), output.redacted_stderr());
    }
    assert_eq!(config(&world), before);
}

#[test]
fn list_tells_what_is_in_force_and_what_a_run_would_refuse() {
    let world = world_with_specimen();
    pack(
        &world,
        "[requests]\nhttp = [\"POST https://a.example\"]\nstate = true\n",
    )
    .succeeds();
    configure(
        &world,
        "grants = { state = true, sqlite = [\"*\"] }\nlimits = { memory = \"8 MiB\", wall = \"2s\" }\non_error = \"warn\"",
    );
    let unpinned = world.copal(&["hook", "list"]);
    unpinned.exits_with(2).says("would be refused");
    assert_told!("list_unpinned", unpinned.redacted_stdout());
    world.copal(&["hook", "grant", "own", "--yes"]).succeeds();
    let pinned = world.copal(&["hook", "list"]);
    assert_told!("list_pinned", pinned.succeeds().redacted_stdout());
    let json = world.copal(&["hook", "list", "--json"]).json();
    assert_eq!(json[0]["pin"], "kept");
    assert_eq!(json[1]["pin"], "built-in");
    fs::write(world.path("hooks/own.wasm"), specimen()).unwrap();
    let changed = world.copal(&["hook", "list"]);
    changed.exits_with(2);
    assert_told!("list_changed", changed.redacted_stdout());
    fs::remove_file(world.path("hooks/own.wasm")).unwrap();
    let missing = world.copal(&["hook", "list"]);
    missing.exits_with(2);
    let why = format!(
        "  refused   can't read `{}`: No such file",
        world.path("hooks/own.wasm").display()
    );
    assert!(missing.stdout().contains(&why), "{missing}");
}

#[test]
fn pack_makes_a_component_of_a_core_module_only_where_it_says_what_it_is() {
    let world = world();
    world.write("core.wasm", b"\0asm\x01\0\0\0");
    world.write("hook.toml", "[requests]\nstate = true\n");
    let pack = [
        "hook",
        "pack",
        "core.wasm",
        "--requests",
        "hook.toml",
        "-o",
        "out.wasm",
    ];
    let output = world.copal(&pack);
    refused(&output);
    assert!(!world.path("out.wasm").exists());
}

#[test]
fn pack_refuses_requests_that_are_none() {
    let world = world_with_specimen();
    for (name, text) in [
        ("syntax", "[requests"),
        ("key", "[request]\nstate = true\n"),
        ("entry", "[requests]\nhttp = [\"*\"]\n"),
    ] {
        let output = pack(&world, text);
        refused(&output);
        assert_told!(format!("pack_{name}"), output.redacted_stderr());
    }
}

#[test]
fn new_writes_a_project_in_each_language_with_the_contract_beside() {
    let world = world();
    for language in ["rust", "js", "python", "c"] {
        let name = format!("my-{language}");
        let output = world.copal(&["hook", "new", &name, "--lang", language]);
        output.succeeds();
        let project = world.path(&name);
        for file in ["README.md", "hook.toml", "hook-test.toml", "wit/types.wit"] {
            assert!(project.join(file).is_file(), "{file} of {name}");
        }
        assert!(project.join("wit/deps/wasi-http.wit").is_file(), "{name}");
        no_placeholders(&project);
    }
    let json = world.copal(&["hook", "new", "as-json", "--lang", "c", "--json"]);
    assert_eq!(json.json()["component"], "as-json.wasm");
    let again = world.copal(&["hook", "new", "my-c", "--lang", "js"]);
    refused(&again);
    assert_told!("new_again", again.redacted_stderr());
    let bad = world.copal(&["hook", "new", "../out", "--lang", "c"]);
    refused(&bad);
    assert_told!("new_name", bad.redacted_stderr());
}

fn no_placeholders(directory: &Path) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            no_placeholders(&path);
        } else {
            assert!(
                path.extension().is_none_or(|e| e != "tmpl"),
                "{}",
                path.display()
            );
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            assert!(!text.contains("{{name"), "{}", path.display());
        }
    }
}
