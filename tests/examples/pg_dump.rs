use copal_testkit::World;

use crate::cluster::Cluster;
use crate::common::{configure, line_to_add, sealed, world_with};

const NAME: &str = "pg-dump";
const GRANT: &str = "grants = { command = [\"pg_dump\"] }";

/// The table of the command, for the databases that the owner allows.
fn command(cluster: &Cluster, allowed: &str) -> String {
    format!(
        "[command.pg_dump]\n\
         run = [\"{}\", \"--format=custom\", \"--dbname={{database}}\"]\n\
         allow = {{ database = [{allowed}] }}\n\
         env = {{ PGHOST = \"{}\", PGUSER = \"postgres\" }}\n",
        cluster.program("pg_dump").display(),
        cluster.socket()
    )
}

fn dumping(world: &World, cluster: &Cluster, databases: &str, allowed: &str) {
    let lines = format!("config = {{ databases = [{databases}] }}\n{GRANT}");
    configure(world, NAME, &lines, &command(cluster, allowed));
}

#[test]
fn a_dump_travels_in_the_snapshot_and_comes_back_as_the_database() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    cluster.run("createdb", &["shop"]);
    let orders = "CREATE TABLE orders (id int PRIMARY KEY, note text); \
        INSERT INTO orders SELECT n, repeat('x', n % 100) FROM generate_series(1, 5000) n";
    cluster.query("shop", orders);
    let digest = "SELECT count(*), md5(string_agg(id || note, ',' ORDER BY id)) FROM orders";
    let before = cluster.query("shop", digest);

    let world = world_with(NAME);
    dumping(&world, &cluster, "\"shop\"", "\"shop\"");
    world.copal(&["backup"]).succeeds();
    world.copal(&["verify", "--full"]).succeeds();
    cluster.query("shop", "DROP TABLE orders");

    world
        .copal(&["restore", "latest", "--to", "restored"])
        .succeeds();
    let dump = std::fs::read(world.path("restored/postgres/shop.dump")).unwrap();
    // Where the server's user can read it.
    let file = format!("{}/shop.dump", cluster.socket());
    std::fs::write(&file, dump).unwrap();
    cluster.run("createdb", &["again"]);
    cluster.run("pg_restore", &["--exit-on-error", "-d", "again", &file]);
    assert_eq!(cluster.query("again", digest), before);
    assert!(before.starts_with("5000|"), "{before}");
}

#[test]
fn a_database_that_is_not_there_ends_the_run_in_the_words_of_pg_dump() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let world = world_with(NAME);
    dumping(
        &world,
        &cluster,
        "\"postgres\", \"gone\"",
        "\"postgres\", \"gone\"",
    );
    let output = world.copal(&["backup"]);
    output.exits_with(1).says("gone").says("does not exist");
    assert_eq!(sealed(&world), 0);
}

#[test]
fn a_database_that_the_owner_does_not_allow_is_not_dumped() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let world = world_with(NAME);
    dumping(&world, &cluster, "\"postgres\"", "\"shop\"");
    let output = world.copal(&["backup"]);
    assert_ne!(output.code(), Some(0), "{output}");
    output.says("database");
    assert_eq!(sealed(&world), 0);
}

#[test]
fn without_its_grant_nothing_is_run_and_the_line_that_is_told_is_enough() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let world = world_with(NAME);
    let config = "config = { databases = [\"postgres\"] }";
    let command = command(&cluster, "\"postgres\"");
    configure(&world, NAME, config, &command);
    let denied = world.copal(&["backup"]);
    denied.exits_with(2).says("pg_dump");
    assert_eq!(sealed(&world), 0);
    let line = line_to_add(&denied);
    assert_eq!(line, GRANT);
    configure(&world, NAME, &format!("{config}\n{line}"), &command);
    world.copal(&["backup"]).succeeds();
}

#[test]
fn a_dry_run_dumps_nothing_and_tells_what_it_would_run() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let world = world_with(NAME);
    dumping(&world, &cluster, "\"postgres\"", "\"postgres\"");
    let output = world.copal(&["backup", "--dry-run"]);
    output.succeeds();
    let told = output.stdout();
    assert!(
        told.contains("pg_dump") && told.contains("postgres.dump"),
        "{output}"
    );
    assert_eq!(sealed(&world), 0);
}
