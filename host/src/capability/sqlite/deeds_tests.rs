use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use copal_hooks::Capabilities;
use rusqlite::Connection;

use super::*;
use crate::capability::kit::Floor;

fn path(name: &str) -> RelPath {
    name.parse().unwrap()
}

/// A floor whose source has `app.db` in this journal mode, with as many rows, and who writes to it.
fn floor(journal_mode: &str, rows: usize) -> (Floor, Connection) {
    let mut floor = Floor::with("");
    let writer = Connection::open(floor.path("source/app.db")).unwrap();
    writer
        .pragma_update(None, "journal_mode", journal_mode)
        .unwrap();
    writer.execute_batch("CREATE TABLE chat (text)").unwrap();
    write(&writer, rows);
    floor.host.databases = vec![path("app.db")];
    (floor, writer)
}

fn write(writer: &Connection, rows: usize) {
    for _ in 0..rows {
        let sql = "INSERT INTO chat VALUES (hex(randomblob(300)))";
        writer.execute(sql, []).unwrap();
    }
}

fn count(file: &Path) -> usize {
    let sql = "SELECT count(*) FROM chat";
    let copy = open_copy(file).unwrap();
    let count: i64 = copy.query_row(sql, [], |row| row.get(0)).unwrap();
    usize::try_from(count).unwrap()
}

#[test]
fn under_a_hold_the_copy_is_of_the_moment_and_made_when_the_app_goes_on() {
    for journal_mode in ["wal", "delete"] {
        let (floor, writer) = floor(journal_mode, 20);
        let (host, interrupt) = (&floor.host, Interrupt::default());
        let copied = begin_backup(host, &path("app.db"), &interrupt).unwrap();
        assert!(!copied.checked && copied.pages > 2);
        let file = host.artifacts.stand_in(&path("app.db")).unwrap();
        assert_eq!(file.exists(), journal_mode == "delete");
        // The app goes on.
        write(&writer, 500);
        host.artifacts.finish(&interrupt).unwrap();
        assert_eq!(count(&file), 20, "{journal_mode}");
    }
}

#[test]
fn who_asks_for_an_unfinished_copy_gets_what_will_be_in_it() {
    let (floor, writer) = floor("wal", 20);
    let (host, interrupt) = (&floor.host, Interrupt::default());
    begin_backup(host, &path("app.db"), &interrupt).unwrap();
    write(&writer, 5);
    let ask = || {
        let sql = "SELECT count(*) AS n FROM chat";
        host.sqlite_query(&floor.call(), &path("app.db"), sql, 1)
            .unwrap()
    };
    assert_eq!(ask(), r#"[{"n":20}]"#, "of the moment that is held");
    let found = host.sqlite_check(&floor.call(), &path("app.db"), CheckDepth::Full);
    assert!(found.unwrap().is_empty(), "a check finishes it");
    assert_eq!(ask(), r#"[{"n":20}]"#, "of the copy");
    write(&writer, 5);
    begin_backup(host, &path("app.db"), &interrupt).unwrap();
    drop(writer);
    host.artifacts.finish_all_at_once(&interrupt).unwrap();
    assert!(!host.artifacts.may_put_off());
    assert_eq!(ask(), r#"[{"n":30}]"#, "of the second moment");
}

#[test]
fn a_hook_that_may_open_live_databases_in_this_process_finds_their_copies_finished() {
    let (floor, writer) = floor("wal", 20);
    let (host, interrupt) = (&floor.host, Interrupt::default());
    begin_backup(host, &path("app.db"), &interrupt).unwrap();
    let file = host.artifacts.stand_in(&path("app.db")).unwrap();
    assert!(!file.exists());
    host.tree(&floor.call(), copal_core::grants::Tree::Source)
        .unwrap();
    assert!(file.exists(), "before the hook gets to see the source");
    // Closing any descriptor of the file here would have ended the lock on the moment.
    drop(fs::File::open(floor.path("source/app.db")).unwrap());
    write(&writer, 500);
    writer
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    assert!(
        !host.artifacts.may_put_off(),
        "it may open them from now on"
    );
    host.artifacts.finish(&interrupt).unwrap();
    assert_eq!(count(&file), 20);
}

#[test]
fn an_archive_holds_the_finished_copy_of_a_database_that_was_put_off() {
    let (mut floor, writer) = vectors();
    writer.pragma_update(None, "journal_mode", "wal").unwrap();
    floor.look(|path| path.as_bytes().ends_with(b"-wal") || path.as_bytes().ends_with(b"-shm"));
    let (host, interrupt) = (&floor.host, Interrupt::default());
    let database = path("vector_db/chroma.sqlite3");
    begin_backup(host, &database, &interrupt).unwrap();
    // The app goes on before anything is packed.
    write(&writer, 500);
    let format = copal_hooks::ArchiveFormat::Tar;
    crate::capability::archive::create(host, &path("vector_db"), format, &interrupt).unwrap();
    let mut archives = host.artifacts.all().into_iter();
    let archive = archives.find(|one| one.taken == Taken::Tar).unwrap();
    let packed = floor.path("packed.sqlite3");
    let mut archive = tar::Archive::new(fs::File::open(archive.file).unwrap());
    let mut entries = archive.entries().unwrap().map(Result::unwrap);
    let mut entry = entries
        .find(|entry| entry.path().unwrap().ends_with("chroma.sqlite3"))
        .unwrap();
    entry.unpack(&packed).unwrap();
    assert_eq!(count(&packed), 7);
}

#[test]
fn views_end_when_their_copies_are_made_and_are_checked_later() {
    let (floor, writer) = floor("wal", 20);
    let (host, interrupt) = (&floor.host, Interrupt::default());
    begin_backup(host, &path("app.db"), &interrupt).unwrap();
    host.artifacts.end_views(&interrupt).unwrap();
    write(&writer, 500);
    // Nobody reads the log any more, so that it can begin anew.
    let busy: i64 = writer
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .unwrap();
    assert_eq!(busy, 0);
    host.artifacts.finish(&interrupt).unwrap();
    let file = host.artifacts.stand_in(&path("app.db")).unwrap();
    assert_eq!(count(&file), 20);
}

#[test]
fn an_unfinished_copy_that_turns_out_damaged_is_no_copy() {
    let (floor, writer) = floor("delete", 200);
    drop(writer);
    let live = floor.path("source/app.db");
    let mut bytes = fs::read(&live).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0xA5);
    fs::write(&live, bytes).unwrap();
    begin_backup(&floor.host, &path("app.db"), &Interrupt::default()).unwrap();
    let error = floor
        .host
        .artifacts
        .finish(&Interrupt::default())
        .unwrap_err();
    assert!(error.to_string().contains("`app.db`"), "{error}");
}

/// Opening and closing a file ends all locks that a process has on it, whatever its name.
#[test]
fn a_database_with_two_names_is_copied_with_its_log_under_both_and_keeps_its_locks() {
    for names in [["app.db", "b.db"], ["b.db", "app.db"]] {
        let (mut floor, writer) = floor("wal", 20);
        fs::hard_link(floor.path("source/app.db"), floor.path("source/b.db")).unwrap();
        floor.host.databases = names.iter().map(|name| path(name)).collect();
        let (host, interrupt) = (&floor.host, Interrupt::default());
        for name in names {
            finish(host, &path(name), &interrupt).unwrap();
            begin_backup(host, &path(name), &interrupt).unwrap();
        }
        // Closing last, the app would take the log away if nobody held a lock.
        write(&writer, 500);
        drop(writer);
        host.artifacts.finish(&interrupt).unwrap();
        for name in names {
            let file = host.artifacts.stand_in(&path(name)).unwrap();
            assert_eq!(count(&file), 20, "{name} of {names:?}");
        }
    }
}

/// A Chroma directory beside the source's top, as a floor sees it.
fn vectors() -> (Floor, Connection) {
    let mut floor = Floor::with("");
    let vectors = floor.path("source/vector_db");
    fs::create_dir_all(vectors.join("1f/empty")).unwrap();
    fs::write(vectors.join("1f/data_level0.bin"), "first").unwrap();
    fs::write(vectors.join("1f/gone.bin"), "gone").unwrap();
    let writer = Connection::open(vectors.join("chroma.sqlite3")).unwrap();
    writer.execute_batch("CREATE TABLE chat (text)").unwrap();
    write(&writer, 7);
    floor.host.databases = vec![path("vector_db/chroma.sqlite3")];
    floor.look(|_| false);
    (floor, writer)
}

fn contents(floor: &Floor) -> BTreeMap<String, String> {
    let artifacts = floor.host.artifacts.all().into_iter();
    let files = artifacts.filter(|one| one.taken == Taken::Direct);
    files
        .map(|one| {
            (
                one.path().to_string(),
                fs::read_to_string(one.file).unwrap(),
            )
        })
        .collect()
}

#[test]
fn a_database_and_the_files_beside_it_are_copied_as_one_moment() {
    let (floor, writer) = vectors();
    let (database, beside) = (path("vector_db/chroma.sqlite3"), path("vector_db"));
    let copied = floor
        .host
        .sqlite_backup_with(&floor.call(), &database, std::slice::from_ref(&beside))
        .unwrap();
    assert!(copied.checked);
    let vectors = floor.path("source/vector_db");
    write(&writer, 3);
    fs::write(vectors.join("1f/data_level0.bin"), "second").unwrap();
    fs::remove_file(vectors.join("1f/gone.bin")).unwrap();
    fs::create_dir(vectors.join("2e")).unwrap();
    fs::write(vectors.join("2e/new.bin"), "new").unwrap();

    assert_eq!(count(&floor.host.artifacts.stand_in(&database).unwrap()), 7);
    let expected = [("data_level0.bin", "first"), ("gone.bin", "gone")];
    let expected = expected.map(|(name, is)| (format!("vector_db/1f/{name}"), is.to_owned()));
    assert_eq!(contents(&floor), BTreeMap::from(expected));
    let moments = floor.host.artifacts.moments();
    let walked = walk_inside(&floor.host, &beside, &Interrupt::default()).unwrap();
    let kept = crate::capability::artifacts::Still::put_in_place(&moments, walked);
    let kept: Vec<_> = kept.iter().map(|found| found.path.to_string()).collect();
    assert_eq!(
        kept,
        [
            "vector_db",
            "vector_db/1f",
            "vector_db/1f/data_level0.bin",
            "vector_db/1f/empty",
            "vector_db/1f/gone.bin",
            "vector_db/chroma.sqlite3",
        ]
    );
}

#[test]
fn writers_wait_for_one_moment_and_no_longer() {
    let (floor, writer) = vectors();
    writer.busy_timeout(Duration::ZERO).unwrap();
    let source = Source::lock(
        Beneath::at(&floor.path("source/vector_db/chroma.sqlite3")),
        PATIENCE,
        &Interrupt::default(),
    )
    .unwrap();
    let refused = writer.execute("INSERT INTO chat VALUES ('x')", []);
    assert!(refused.is_err(), "it is locked");
    source.close().unwrap();
    write(&writer, 1);
    let left = fs::read_dir(floor.path("source/vector_db"))
        .unwrap()
        .count();
    assert_eq!(left, 2, "nothing is left beside it");
}

#[test]
fn the_lock_leaves_a_log_to_its_application() {
    let (floor, writer) = floor("wal", 20);
    let log = floor.path("source/app.db-wal");
    let before = fs::read(&log).unwrap();
    // As a killed application leaves it.
    std::mem::forget(writer);
    let live = floor.path("source/app.db");
    let source = Source::lock(Beneath::at(&live), PATIENCE, &Interrupt::default()).unwrap();
    source.close().unwrap();
    assert_eq!(fs::read(&log).unwrap(), before);
}

#[test]
fn facts_are_kept_by_hook_and_key() {
    let floor = Floor::with("");
    for (key, value) in [("schema", "a"), ("schema", "b"), ("version", "1")] {
        floor.host.record(&floor.call(), key, value).unwrap();
    }
    let facts = floor.host.artifacts.facts();
    assert_eq!(
        facts["notes"],
        BTreeMap::from([
            ("schema".into(), "b".into()),
            ("version".into(), "1".into())
        ])
    );
}

#[test]
fn nobody_is_looked_for_who_has_a_restored_copy_open() {
    let (floor, _writer) = floor("wal", 1);
    let mut call = floor.call();
    assert_eq!(
        floor.host.sqlite_holders(&call, &path("app.db")),
        Ok(vec![])
    );
    call.phase = Phase::Drill;
    let asked = floor.host.sqlite_holders(&call, &path("app.db"));
    assert!(
        matches!(asked, Err(CapabilityError::Invalid(_))),
        "{asked:?}"
    );
}
