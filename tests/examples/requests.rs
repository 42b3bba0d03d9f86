use serde_json::json;

use crate::common::{component, world_with};

fn inspected(name: &str) -> serde_json::Value {
    let world = world_with(name);
    let file = format!("hooks/{name}.wasm");
    let output = world.copal(&["hook", "inspect", "--json", &file]);
    output.succeeds();
    output.json()
}

#[test]
fn what_a_hook_says_that_it_will_ask_for_is_in_its_component() {
    for (name, requests) in [
        ("pg-dump", json!({ "command": ["pg_dump"] })),
        ("shrink-guard", json!({ "state": true })),
        ("size-age-filter", json!({})),
    ] {
        assert_eq!(inspected(name)["requests"], requests, "{name}");
    }
}

#[test]
fn a_hook_whose_config_says_where_requests_go_leaves_that_to_the_grants() {
    for name in ["healthchecks", "prometheus", "webhook-ntfy"] {
        assert_eq!(inspected(name)["requests"], json!(null), "{name}");
    }
}

#[test]
fn a_hook_that_was_just_copied_is_pinned_and_granted_by_one_command() {
    let world = world_with("shrink-guard");
    let hook = "[[hook]]\nname = \"guard\"\nfile = \"hooks/shrink-guard.wasm\"\n";
    let job = "name = \"letters\"\nsource.path = \"source\"\n\
        destination = [{ remote = \"vault:\" }]\n\n";
    world.write("copal.toml", format!("{job}{hook}"));
    world
        .copal(&["backup"])
        .exits_with(2)
        .says("copal hook grant guard");
    world
        .copal(&["hook", "grant", "guard", "state=true", "--yes"])
        .succeeds();
    let text = std::fs::read_to_string(world.path("copal.toml")).unwrap();
    let digest = copal_testkit::sha256(component("shrink-guard"));
    assert!(text.contains(&digest), "{text}");
    assert!(text.contains("state = true"), "{text}");
    world.copal(&["backup"]).succeeds();
}
