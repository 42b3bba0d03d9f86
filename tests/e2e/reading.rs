//! What people and programs read, word by word.

use std::fs::{self, File, FileTimes, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use copal_testkit::World;
use insta::assert_snapshot;

use crate::common::{back_up, small_world};

#[test]
fn the_help_of_each_command() {
    let world = small_world();
    let commands = [
        "init",
        "check",
        "plan",
        "backup",
        "snapshots",
        "ls",
        "diff",
        "du",
        "verify",
        "prune",
        "pin",
        "unpin",
        "drill",
        "restore",
        "history",
        "status",
        "schedule",
        "rclone",
    ];
    for command in [""].into_iter().chain(commands) {
        let arguments: Vec<_> = [command, "--help"]
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect();
        let output = world.copal(&arguments);
        let name = format!(
            "help_{}",
            if command.is_empty() { "copal" } else { command }
        );
        assert_snapshot!(name, output.succeeds().stdout());
        assert_eq!(output.stderr(), "");
    }
}

/// A source with a database, something to leave out, and fixed modes and times.
fn settled_world() -> World {
    let world = small_world();
    world.write("source/cache/model", "large");
    world.write("source/audit.log", "one line\n");
    let database = world.write("source/app.db", "");
    let connection = rusqlite::Connection::open(&database).unwrap();
    connection.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(connection);
    for (path, mode) in [
        ("letter.txt", 0o640),
        ("notes/first.txt", 0o600),
        ("notes/second.txt", 0o644),
        ("app.db", 0o600),
        ("notes", 0o750),
        ("empty", 0o755),
    ] {
        let path = world.path("source").join(path);
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 5);
        let times = FileTimes::new().set_modified(time);
        File::open(&path).unwrap().set_times(times).unwrap();
    }
    world
}

/// What a command prints, in text and as JSON, without what differs between runs and users.
#[track_caller]
fn both(world: &World, name: &str, arguments: &[&str]) {
    for (form, more) in [("text", &[][..]), ("json", &["--json"])] {
        if name == "restore" {
            drop(fs::remove_dir_all(world.path("restored")));
        }
        let output = world.copal(&[arguments, more].concat());
        output.succeeds();
        let filters = [
            (r#""(uid|gid)": \d+"#, r#""$1": "[id]""#),
            (r"(?m)^([-dl]\d{4}) +\d+ +\d+", "$1 [owner]"),
            (r#""(run|sha256)": "[^"]+""#, r#""$1": "[$1]""#),
            (r#""seconds": [\d.e-]+"#, r#""seconds": "[seconds]""#),
            (r"0\.\d+\.\d+", "[version]"),
        ];
        insta::with_settings!({ filters => filters }, {
            assert_snapshot!(format!("{name}_{form}"), output.redacted_stdout());
        });
        assert_eq!(output.stderr(), "", "{output}");
    }
}

#[test]
fn the_result_of_each_command_in_text_and_json() {
    let world = settled_world();
    let from = ["--from", "vault:"];
    both(
        &world,
        "plan",
        &["plan", "--source", "source", "--to", "vault:"],
    );
    both(
        &world,
        "backup",
        &["backup", "--source", "source", "--to", "vault:"],
    );
    let other = world.vault().join("source");
    fs::remove_dir_all(other).unwrap();
    back_up(&world);
    for (name, command) in [
        ("snapshots", &["snapshots"][..]),
        ("ls", &["ls", "latest"]),
        ("verify", &["verify"]),
        ("verify_full", &["verify", "--full"]),
        ("restore", &["restore", "latest", "--to", "restored"]),
    ] {
        both(&world, name, &[command, &from].concat());
    }
}

#[test]
fn what_differs_between_two_snapshots_in_text_and_json() {
    let world = settled_world();
    let first = back_up(&world);
    world.write("source/new.txt", "new");
    let database = rusqlite::Connection::open(world.path("source/app.db")).unwrap();
    let more = "INSERT INTO t VALUES (1), (2); CREATE TABLE more (x)";
    database.execute_batch(more).unwrap();
    drop(database);
    world.write("source/letter.txt", "Dear reader, and all others,\n");
    let letter = world.path("source/letter.txt");
    fs::set_permissions(&letter, Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(world.path("source/new.txt"), Permissions::from_mode(0o644)).unwrap();
    fs::remove_file(world.path("source/link")).unwrap();
    std::os::unix::fs::symlink("notes/second.txt", world.path("source/link")).unwrap();
    fs::remove_file(world.path("source/notes/first.txt")).unwrap();
    // A new time is no difference.
    File::open(world.path("source/notes/second.txt"))
        .unwrap()
        .set_times(FileTimes::new().set_modified(SystemTime::now()))
        .unwrap();
    let second = back_up(&world);
    let between = |before: &str, after: &str| {
        let named = [before.to_owned(), after.to_owned()];
        ["diff", &named[0], &named[1], "--from", "vault:"].map(str::to_owned)
    };
    let words = between(&first, &second);
    both(&world, "diff", &words.each_ref().map(String::as_str));
    let same = between(&first, &first);
    let same = world.copal(&same.each_ref().map(String::as_str));
    assert!(same.succeeds().stdout().contains("have the same content"));
    world
        .copal(&["diff", &first, "2001", "--from", "vault:"])
        .exits_with(2)
        .says(" next: ");
}

#[test]
fn a_quiet_backup_prints_its_result_and_nothing_else() {
    let world = settled_world();
    let backup = ["backup", "--source", "source", "--to", "vault:", "--quiet"];
    let output = world.copal(&backup);
    assert_eq!(output.succeeds().stdout().lines().count(), 1, "{output}");
    assert_eq!(output.stderr(), "");
}
