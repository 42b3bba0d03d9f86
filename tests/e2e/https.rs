//! A hook's requests over TLS: to whom they go, and to whom they don't.

use copal_testkit::{Authority, HttpServer, Output, World};

use crate::specimen::{configure, hook, world_with_specimen};

/// Backs up with a hook that posts to `origin`, where this authority is the only one that is trusted.
fn back_up(origin: &str, trusted: &Authority) -> Output {
    let mut world = world_with_specimen();
    let file = world.write("authority.pem", trusted.pem());
    world.set("SSL_CERT_FILE", file);
    posts(&world, origin);
    world.copal(&["backup"])
}

fn posts(world: &World, origin: &str) {
    let lines = format!(
        "config = {{ act = {{ post = \"{origin}/done\" }}, within = \"post-backup\" }}\ngrants.http = [\"POST {origin}\"]"
    );
    configure(world, &hook("posts", &lines));
}

/// The run falls short, and says in three parts that this server is not trusted.
#[track_caller]
fn refused(output: &Output, server: &HttpServer) {
    let at = format!("{}: ", server.origin());
    output
        .exits_with(3)
        .says("error: hook `posts` failed in post-backup")
        .says(&at)
        .says("certificate")
        .says(" next: ");
    assert_eq!(server.asked(), [""; 0]);
}

#[test]
fn a_request_over_tls_reaches_a_server_whose_authority_is_trusted() {
    let authority = Authority::new();
    for name in ["127.0.0.1", "localhost"] {
        let server = HttpServer::over_tls(&authority, name);
        let origin = format!("https://{name}:{}", server.port());
        back_up(&origin, &authority).succeeds();
        assert_eq!(server.asked(), ["POST /done"]);
        let host = format!("{name}:{}", server.port());
        assert_eq!(server.requests()[0].header("host"), Some(host.as_str()));
    }
}

#[test]
fn a_server_whose_authority_nobody_trusts_is_told_nothing() {
    let server = HttpServer::over_tls(&Authority::new(), "127.0.0.1");
    let output = back_up(&server.origin(), &Authority::new());
    refused(&output, &server);
    // Nor is it with what the system trusts.
    let world = world_with_specimen();
    posts(&world, &server.origin());
    world.copal(&["backup"]).exits_with(3);
    assert_eq!(server.asked(), [""; 0]);
}

#[test]
fn a_server_that_proves_to_be_another_is_told_nothing() {
    let authority = Authority::new();
    let server = HttpServer::over_tls(&authority, "backups.example");
    let output = back_up(&server.origin(), &authority);
    refused(&output, &server);
}
