use copal_testkit::{HttpServer, World};

use crate::common::{FAILING, configure, line_to_add, world_with};

const NAME: &str = "prometheus";

fn pushing(world: &mut World, server: &HttpServer, config: &str, more: &str) {
    let origin = server.origin();
    let lines = format!(
        "config = {{ url = \"{origin}\", {config} }}\n\
         grants = {{ http = [\"POST {origin}\"], secrets = [\"push\"] }}\n\n\
         [secret.push]\nenv = \"PUSH_TOKEN\"\n"
    );
    world.set("PUSH_TOKEN", "sesame");
    configure(world, NAME, &lines, more);
}

#[test]
fn a_success_pushes_its_figures_to_the_group_of_its_labels() {
    let (mut world, server) = (world_with(NAME), HttpServer::start());
    let config =
        "job = \"backup\", labels = { instance = \"vm 1\", path = \"/opt\" }, token = \"push\"";
    pushing(&mut world, &server, config, "");
    world.copal(&["backup"]).succeeds();
    assert_eq!(
        server.asked(),
        ["POST /metrics/job/backup/instance/vm%201/path@base64/L29wdA"]
    );
    let request = &server.requests()[0];
    assert_eq!(request.header("authorization"), Some("Bearer sesame"));
    let text = request.text();
    let value = |name: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let line = line.unwrap_or_else(|| panic!("no {name} in\n{text}"));
        line.trim().parse().unwrap()
    };
    assert!((value("copal_backup_sealed ") - 1.0).abs() < 0.1);
    assert!((value("copal_backup_files ") - 2.0).abs() < 0.1);
    assert!((value("copal_backup_bytes ") - 16.0).abs() < 0.1);
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let sealed = value("copal_backup_last_sealed_timestamp_seconds ");
    assert!((now.as_secs_f64() - sealed).abs() < 600.0, "{text}");
    assert!(text.ends_with('\n'), "the Pushgateway insists on it");
}

#[test]
fn a_failure_leaves_the_last_success_as_it_was() {
    let (mut world, server) = (world_with(NAME), HttpServer::start());
    pushing(&mut world, &server, "", FAILING);
    world.copal(&["backup"]).exits_with(1);
    assert_eq!(server.asked(), ["POST /metrics/job/copal"]);
    let text = server.requests()[0].text();
    assert!(text.contains("\ncopal_backup_sealed 0\n"), "{text}");
    assert!(!text.contains("last_sealed"), "{text}");
}

#[test]
fn a_snapshot_at_one_destination_of_two_is_sealed_and_not_clean() {
    let (mut world, server) = (world_with(NAME), HttpServer::start());
    pushing(&mut world, &server, "", "");
    world.write("occupied", "a file, where a directory has to be");
    let config = std::fs::read_to_string(world.path("copal.toml")).unwrap();
    let both = "remote = \"vault:\" }, { remote = \"occupied\" }";
    world.write("copal.toml", config.replace("remote = \"vault:\" }", both));
    world.copal(&["backup"]).exits_with(3);
    let text = server.requests()[0].text();
    for line in ["sealed 1", "clean 0", "files 2"] {
        assert!(text.contains(&format!("\ncopal_backup_{line}\n")), "{text}");
    }
    assert!(text.contains("\ncopal_backup_last_sealed"), "{text}");
}

#[test]
fn without_its_grant_nothing_is_pushed_and_the_line_that_is_told_is_enough() {
    let (world, server) = (world_with(NAME), HttpServer::start());
    let config = format!("config = {{ url = \"{}\" }}", server.origin());
    configure(&world, NAME, &config, "");
    let denied = world.copal(&["backup"]);
    denied.exits_with(3);
    assert_eq!(server.connections(), 0, "{denied}");
    configure(
        &world,
        NAME,
        &format!("{config}\n{}", line_to_add(&denied)),
        "",
    );
    world.copal(&["backup"]).succeeds();
    assert_eq!(server.asked().len(), 1);
}
