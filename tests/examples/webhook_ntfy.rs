use copal_testkit::{HttpReply, HttpServer, World};

use crate::common::{FAILING, configure, line_to_add, sealed, world_with};

const NAME: &str = "webhook-ntfy";
const SECRET: &str = "\n[secret.token]\nenv = \"NTFY_TOKEN\"\n";

fn secretive_world() -> World {
    let mut world = world_with(NAME);
    world.set("NTFY_TOKEN", "tk_open-sesame");
    world
}

/// Has the world's runs told to a server, with whatever else its `copal.toml` holds.
fn told(world: &World, server: &HttpServer, config: &str, more: &str) {
    let url = server.url("/backups");
    let origin = server.origin();
    let lines = format!(
        "config = {{ url = \"{url}\", {config} }}\n\
         grants = {{ http = [\"POST {origin}\"], secrets = [\"token\"] }}\n{SECRET}"
    );
    configure(world, NAME, &lines, more);
}

#[test]
fn a_webhook_gets_the_outcome_and_the_figures_as_json() {
    let (world, server) = (secretive_world(), HttpServer::start());
    told(
        &world,
        &server,
        "on = [\"succeeded\"], title = \"Letters\"",
        "",
    );
    world.copal(&["backup"]).succeeds();
    let requests = server.requests();
    assert_eq!(server.asked(), ["POST /backups"]);
    assert_eq!(requests[0].header("content-type"), Some("application/json"));
    let json = requests[0].json();
    assert_eq!(json["outcome"], "succeeded");
    assert_eq!(json["title"], "Letters: backup succeeded");
    assert_eq!(json["files"], 2, "{json}");
    assert_eq!(json["dry_run"], false);
    assert!(
        json["snapshot"].is_string() && json["duration_ms"].is_u64(),
        "{json}"
    );
}

#[test]
fn ntfy_gets_a_message_with_a_token_that_nobody_else_sees() {
    let (world, server) = (secretive_world(), HttpServer::start());
    told(
        &world,
        &server,
        "format = \"ntfy\", token = \"token\"",
        FAILING,
    );
    let output = world.copal(&["backup", "-v"]);
    output.exits_with(1).never_says("open-sesame");
    let requests = server.requests();
    assert_eq!(server.asked(), ["POST /backups"]);
    let header = |name| requests[0].header(name);
    assert_eq!(header("authorization"), Some("Bearer tk_open-sesame"));
    assert_eq!(header("title"), Some("Copal: backup failed"));
    assert_eq!(header("priority"), Some("high"));
    assert!(
        requests[0].text().contains("no.db"),
        "{}",
        requests[0].text()
    );
}

#[test]
fn a_success_is_told_only_where_it_was_asked_for() {
    let (world, server) = (secretive_world(), HttpServer::start());
    told(&world, &server, "", "");
    world.copal(&["backup"]).succeeds();
    assert_eq!(server.connections(), 0);
}

#[test]
fn without_its_grant_nothing_is_sent_and_the_line_that_is_told_is_enough() {
    let (world, server) = (secretive_world(), HttpServer::start());
    let config = format!(
        "config = {{ url = \"{}\", on = [\"succeeded\"] }}",
        server.url("/backups")
    );
    configure(&world, NAME, &config, "");
    let denied = world.copal(&["backup"]);
    denied.exits_with(3).says("http").says(&server.origin());
    assert_eq!(server.connections(), 0, "{denied}");
    assert_eq!(sealed(&world), 1, "the snapshot stands");
    configure(
        &world,
        NAME,
        &format!("{config}\n{}", line_to_add(&denied)),
        "",
    );
    world.copal(&["backup"]).succeeds();
    assert_eq!(server.asked(), ["POST /backups"]);
}

#[test]
fn a_webhook_that_refuses_shows_in_the_exit_code_in_its_own_words() {
    let world = secretive_world();
    let server = HttpServer::answering(|_| HttpReply::new(403, &[], "no such topic"));
    told(&world, &server, "on = [\"succeeded\"]", "");
    let output = world.copal(&["backup"]);
    output.exits_with(3).says("answered 403: no such topic");
    assert_eq!(sealed(&world), 1);
}

#[test]
fn a_redirect_is_not_followed() {
    let (world, elsewhere) = (secretive_world(), HttpServer::start());
    let to = elsewhere.url("/");
    let server = HttpServer::answering(move |_| HttpReply::redirect(302, &to));
    told(&world, &server, "on = [\"succeeded\"]", "");
    world.copal(&["backup"]).exits_with(3).says("answered 302");
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn a_dry_run_sends_nothing_and_tells_what_it_would_send() {
    let (world, server) = (secretive_world(), HttpServer::start());
    told(&world, &server, "on = [\"succeeded\"]", "");
    let output = world.copal(&["backup", "--dry-run"]);
    output.succeeds();
    assert!(
        output.stdout().contains(&server.url("/backups")),
        "{output}"
    );
    assert_eq!(server.connections(), 0);
    assert_eq!(sealed(&world), 0);
}

#[test]
fn a_config_that_makes_no_sense_is_told_by_its_key() {
    let (world, server) = (secretive_world(), HttpServer::start());
    for (config, word) in [
        ("on = []", "`on` is empty"),
        ("on = [\"always\"]", "unknown variant `always`"),
        ("topic = \"x\"", "unknown field `topic`"),
    ] {
        told(&world, &server, config, "");
        world.copal(&["backup"]).exits_with(3).says(word);
    }
    assert_eq!(server.connections(), 0);
}
