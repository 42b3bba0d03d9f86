use copal_testkit::{HttpReply, HttpServer, World};

use crate::common::{FAILING, configure, line_to_add, sealed, world_with};

const NAME: &str = "healthchecks";

fn pinging(world: &World, server: &HttpServer, more: &str) {
    let (url, origin) = (server.url("/ping/a-check"), server.origin());
    let lines =
        format!("config = {{ url = \"{url}\" }}\ngrants = {{ http = [\"POST {origin}\"] }}");
    configure(world, NAME, &lines, more);
}

#[test]
fn a_run_pings_its_start_and_its_success() {
    let (world, server) = (world_with(NAME), HttpServer::start());
    pinging(&world, &server, "");
    world.copal(&["backup"]).succeeds();
    assert_eq!(
        server.asked(),
        ["POST /ping/a-check/start", "POST /ping/a-check"]
    );
    let text = server.requests()[1].text();
    assert!(text.contains("files 2"), "{text}");
}

#[test]
fn a_run_that_fails_pings_its_failure_with_the_reason() {
    let (world, server) = (world_with(NAME), HttpServer::start());
    pinging(&world, &server, FAILING);
    world.copal(&["backup"]).exits_with(1);
    assert_eq!(
        server.asked(),
        ["POST /ping/a-check/start", "POST /ping/a-check/fail"]
    );
    let text = server.requests()[1].text();
    assert!(text.contains("no.db"), "{text}");
}

#[test]
fn a_monitor_that_is_down_keeps_no_snapshot_from_being_made() {
    let world = world_with(NAME);
    let server = HttpServer::answering(|_| HttpReply::status(503));
    pinging(&world, &server, "");
    let output = world.copal(&["backup"]);
    output.exits_with(3).says("answered 503");
    assert_eq!(server.asked().len(), 2, "{output}");
    assert_eq!(sealed(&world), 1);
}

#[test]
fn without_its_grant_the_run_ends_before_it_begins_and_the_line_that_is_told_is_enough() {
    let (world, server) = (world_with(NAME), HttpServer::start());
    let config = format!("config = {{ url = \"{}\" }}", server.url("/ping"));
    configure(&world, NAME, &config, "");
    let denied = world.copal(&["backup"]);
    denied.exits_with(2).says(&server.origin());
    assert_eq!(server.connections(), 0, "{denied}");
    assert_eq!(sealed(&world), 0);
    configure(
        &world,
        NAME,
        &format!("{config}\n{}", line_to_add(&denied)),
        "",
    );
    world.copal(&["backup"]).succeeds();
    assert_eq!(server.asked(), ["POST /ping/start", "POST /ping"]);
}
