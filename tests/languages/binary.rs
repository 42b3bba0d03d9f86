//! The same hook in each language, through the binary.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use copal_hooks::Limits;
use copal_testkit::{HttpServer, Output, World, sha256};
use serde_json::{Value, json};

use crate::in_each_language;
use crate::kit::{self, Language};

in_each_language!(
    a_run_is_filtered_and_told_of_once_its_line_is_added,
    the_tests_that_come_with_a_new_hook_pass,
    the_text_of_an_exception_reaches_the_terminal,
);

fn a_run_is_filtered_and_told_of_once_its_line_is_added(language: Language) {
    let Some(component) = language.hook() else {
        return;
    };
    let server = HttpServer::start();
    let world = world(&component);

    configure(&world, &component, &server.url("/told"), "");
    let denied = world.copal(&["backup"]);
    denied.exits_with(3);
    denied.says(&format!("POST {}", server.origin()));
    assert_eq!(server.connections(), 0, "{denied}");

    configure(
        &world,
        &component,
        &server.url("/told"),
        &line_to_add(&denied),
    );
    world.copal(&["backup"]).succeeds();
    assert_eq!(server.asked(), ["POST /told"]);
    let body: Value = serde_json::from_str(&server.requests()[0].text()).unwrap();
    assert_eq!(body["outcome"], json!("succeeded"));
    let listing = world.copal(&["ls", body["snapshot"].as_str().unwrap()]);
    let listing = listing.succeeds().stdout();
    for (name, taken) in [
        ("letter.txt", true),
        ("draft.tmp", false),
        ("large.bin", false),
        ("%FF.txt", true),
        ("%FF.tmp", false),
    ] {
        assert_eq!(listing.contains(name), taken, "{name}\n{listing}");
    }
}

fn the_tests_that_come_with_a_new_hook_pass(language: Language) {
    let Some(component) = language.hook() else {
        return;
    };
    let world = world(&component);
    let template = env!("CARGO_MANIFEST_DIR").to_owned() + "/templates/" + language.name();
    let spec = template + "/hook-test.toml";
    let output = world.copal(&["hook", "test", "hooks/own.wasm", "--spec", &spec]);
    assert!(
        output.succeeds().stdout().contains("all as expected"),
        "{output}"
    );
}

fn the_text_of_an_exception_reaches_the_terminal(language: Language) {
    let Some(component) = kit::component(&format!("{}-misbehaving", language.name())) else {
        return;
    };
    let world = world(&component);
    configure(&world, &component, "throw", "");
    let output = world.copal(&["-q", "backup"]);
    output
        .exits_with(3)
        .says("the sky falls as it was told")
        .says(" next: ");
}

/// A world with the component and a source that it has something to leave out of.
fn world(component: &[u8]) -> World {
    // Compiled here, where only one is at a time.
    kit::load(component, Value::Null, &json!({}), Limits::default());
    let mut world = World::new(env!("CARGO_BIN_EXE_copal"));
    world.set("XDG_CACHE_HOME", kit::cache());
    world.write("hooks/own.wasm", component);
    world.write("source/letter.txt", "Dear reader,\n");
    world.write("source/notes/draft.tmp", "one");
    world.write("source/notes/large.bin", vec![1; 2000]);
    for name in [&b"\xff.txt"[..], b"\xff.tmp"] {
        fs::write(world.path("source").join(OsStr::from_bytes(name)), "odd").unwrap();
    }
    world
}

fn configure(world: &World, component: &[u8], url: &str, grants: &str) {
    let digest = sha256(component);
    let config = format!("{{ suffixes = [\".tmp\"], max-size = 1000, url = \"{url}\" }}");
    world.write(
        "copal.toml",
        format!(
            "name = \"letters\"\nsource.path = \"source\"\n\
             destination = [{{ remote = \"vault:\" }}]\n\n\
             [[hook]]\nname = \"own\"\nfile = \"hooks/own.wasm\"\nsha256 = \"{digest}\"\n\
             config = {config}\n{grants}\n"
        ),
    );
}

/// The line that a denial says to add to the hook.
#[track_caller]
fn line_to_add(output: &Output) -> String {
    let line = output.stderr().lines().find_map(|line| {
        let at = line.find("grants = {")?;
        Some(line[at..].trim_end_matches('`').to_owned())
    });
    line.unwrap_or_else(|| panic!("no line to add\n{output}"))
}
