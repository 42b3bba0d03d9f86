use super::super::kit::Floor;
use super::*;

fn staging(floor: &Floor) -> PathBuf {
    tree(&floor.host, &floor.call(), Tree::Staging)
        .unwrap()
        .unwrap()
}

#[test]
fn what_a_hook_leaves_joins_the_snapshot_at_the_same_path() {
    let floor = Floor::with("");
    fs::create_dir(floor.path("source/live")).unwrap();
    let staging = staging(&floor);
    fs::create_dir_all(staging.join("live")).unwrap();
    fs::create_dir_all(staging.join("empty")).unwrap();
    fs::write(staging.join("live/export.json"), "{}").unwrap();
    take_in(&floor.host, "notes").unwrap();
    let added = floor.host.artifacts.added();
    let told: Vec<_> = added
        .iter()
        .map(|new| (new.path.to_string(), new.file.is_some()))
        .collect();
    let expected = [
        ("empty", false),
        ("live", false),
        ("live/export.json", true),
    ];
    assert_eq!(
        told,
        expected.map(|(path, is_file)| (path.to_owned(), is_file))
    );
}

#[test]
fn a_source_that_is_lost_is_no_tree_for_hooks_around_its_restore_and_an_error_in_a_backup() {
    let floor = Floor::with("");
    fs::remove_dir_all(floor.path("source")).unwrap();
    for (phase, expected) in [
        (Phase::PreRestore, None),
        (Phase::PostRestore, None),
        (Phase::PreBackup, Some(floor.path("source"))),
    ] {
        let call = Call {
            phase,
            ..floor.call()
        };
        let found = tree(&floor.host, &call, Tree::Source).unwrap();
        assert_eq!(found, expected, "{phase:?}");
    }
}

#[test]
fn a_hook_that_was_granted_none_has_nothing_to_take_in() {
    let floor = Floor::with("");
    take_in(&floor.host, "notes").unwrap();
    assert!(floor.host.artifacts.added().is_empty());
}

#[test]
fn each_hook_has_a_staging_of_its_own() {
    let floor = Floor::with("");
    fs::write(staging(&floor).join("x"), "").unwrap();
    let other = tree(&floor.host, &floor.call_of("other"), Tree::Staging)
        .unwrap()
        .unwrap();
    assert_eq!(fs::read_dir(&other).unwrap().count(), 0);
    take_in(&floor.host, "notes").unwrap();
    fs::write(other.join("x"), "").unwrap();
    let clash = take_in(&floor.host, "other").unwrap_err();
    assert!(clash.contains("`x`"), "{clash}");
}

#[test]
fn links_pipes_and_what_is_in_the_source_are_refused_and_nothing_is_taken_in() {
    type Leave = fn(&Path);
    let leave: [(&str, Leave); 3] = [
        ("link", |at| {
            std::os::unix::fs::symlink("/etc/passwd", at).unwrap();
        }),
        ("pipe", |at| {
            drop(std::os::unix::net::UnixListener::bind(at).unwrap());
        }),
        ("live", |at| fs::write(at, "mine").unwrap()),
    ];
    for (name, make) in leave {
        let floor = Floor::with("");
        fs::write(floor.path("source/live"), "live").unwrap();
        let staging = staging(&floor);
        fs::write(staging.join("a-good-one"), "").unwrap();
        make(&staging.join(name));
        let refused = take_in(&floor.host, "notes").unwrap_err();
        assert!(refused.contains(name), "{refused}");
        assert!(floor.host.artifacts.added().is_empty());
    }
}

#[test]
fn staging_is_there_before_a_backup_alone() {
    let floor = Floor::with("");
    let call = Call {
        phase: Phase::PostBackup,
        ..floor.call()
    };
    assert_eq!(tree(&floor.host, &call, Tree::Staging), Ok(None));
    assert_eq!(
        tree(&floor.host, &call, Tree::Source),
        Ok(Some(floor.path("source")))
    );
}

#[test]
fn a_source_that_holds_what_is_copals_own_is_not_shown() {
    let floor = Floor::with("[staging]\ndir = 'source/staging'");
    let show = || tree(&floor.host, &floor.call(), Tree::Source);
    assert_eq!(show(), Ok(Some(floor.path("source"))));
    fs::create_dir_all(floor.path("source/staging/copal/app")).unwrap();
    let Err(CapabilityError::Invalid(why)) = show() else {
        panic!("it was shown")
    };
    assert!(
        why.contains("source/staging/copal/app`, which is Copal's own"),
        "{why}"
    );
}

#[test]
fn nothing_is_added_that_sqlite_would_read_with_a_file_of_the_source() {
    for (live, added) in [
        ("app.db", "app.db-wal"),
        ("app.db", "app.db-journal"),
        ("app.db-wal", "app.db"),
    ] {
        // Nobody told the floor that it is a database: it is copied live, or filtered.
        let floor = Floor::with("");
        fs::write(floor.path("source").join(live), "live").unwrap();
        fs::write(staging(&floor).join(added), "forged").unwrap();
        let refused = take_in(&floor.host, "notes").unwrap_err();
        assert!(refused.contains(live), "{refused}");
        assert!(floor.host.artifacts.added().is_empty());
    }
}

#[test]
fn a_hook_can_not_add_a_database_with_a_log_beside_it() {
    let floor = Floor::with("");
    fs::write(staging(&floor).join("new.db"), "").unwrap();
    fs::write(staging(&floor).join("new.db-wal"), "").unwrap();
    assert!(take_in(&floor.host, "notes").is_err());
}

#[test]
fn a_directory_in_the_place_of_a_log_is_not_taken_in() {
    let floor = Floor::with("");
    fs::write(floor.path("source/app.db"), "").unwrap();
    fs::create_dir(staging(&floor).join("app.db-wal")).unwrap();
    assert!(take_in(&floor.host, "notes").is_err());
}

#[test]
fn no_hook_adds_to_a_database_that_another_made() {
    for (first, second) in [("app.db", "app.db-wal"), ("app.db-journal", "app.db")] {
        let floor = Floor::with("");
        fs::write(staging(&floor).join(first), "").unwrap();
        take_in(&floor.host, "notes").unwrap();
        let other = tree(&floor.host, &floor.call_of("other"), Tree::Staging);
        fs::write(other.unwrap().unwrap().join(second), "").unwrap();
        let refused = take_in(&floor.host, "other").unwrap_err();
        assert!(
            refused.contains(&format!("the artifact `{first}`")),
            "{refused}"
        );
    }
}

#[test]
fn what_is_named_like_a_log_and_is_a_directory_of_the_source_takes_files() {
    let floor = Floor::with("");
    fs::write(floor.path("source/diary"), "").unwrap();
    fs::create_dir(floor.path("source/diary-journal")).unwrap();
    fs::create_dir(staging(&floor).join("diary-journal")).unwrap();
    fs::write(staging(&floor).join("diary-journal/new"), "").unwrap();
    take_in(&floor.host, "notes").unwrap();
}
